"""Where the files of pinned PyPI packages are: asked of the index, without solving."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from envtag.engines import PypiProblem
from envtag.engines.pylock import Entry as Offered
from envtag.engines.pylock import parse
from envtag.engines.uv_command import prepare
from envtag.errors import FatalError
from envtag.importing.files import choose
from envtag.request import Origin, PypiRequirement

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.importing.model import Entry


def locate(
    entries: Sequence[Entry],
    *,
    platform: str,
    python: str,
    index_url: str,
    extra_index_urls: tuple[str, ...],
    virtual_packages: Mapping[str, str],
    config: Config,
) -> dict[str, Entry]:
    """The file of each pinned package that an installer on a platform would take, of those that its pin permits.

    uv asks the indices for exactly these versions and for nothing that they need; no version is chosen.

    Args:
        entries: PyPI packages without a URL, each name once.
        platform: The platform.
        python: The version of Python.
        index_url: The index in place of the default one.
        extra_index_urls: Further indices; the first that has a package decides.
        virtual_packages: What wheels may count on.
        config: For mirrors and uv's cache.

    Returns:
        Name to the entry with URL, sha256, size and date.

    Raises:
        FatalError: A version is not there, or none of its files is one that is permitted and fits.
    """
    pins = [f"{entry.package.name}=={entry.package.version}" for entry in entries]
    problem = PypiProblem(
        platform=platform,
        python=python,
        requirements=tuple(
            PypiRequirement(name=entry.package.name, text=pin, origin=Origin(file=entry.where))
            for entry, pin in zip(entries, pins, strict=True)
        ),
        index_url=index_url,
        extra_index_urls=extra_index_urls,
        virtual_packages=virtual_packages,
    )
    config.directories.uv.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="envtag-uv-") as scratch:
        prepared = prepare(
            problem, Path(scratch), mirrors=config.mirrors, cache=config.directories.uv, by_url=frozenset()
        )
        done = prepared.run("pylock.toml", "--no-deps")
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").replace(scratch, "").strip()
        raise FatalError(
            f"an index does not have all that is pinned for `{platform}`",
            "name the index that has it: `--index-url URL`, `--extra-index-url URL`",
            said,
        )
    offered = {item.name: item for item in parse(done.stdout.decode("utf-8"), f"the index's answer for {platform}")}
    return {entry.package.name: _chosen(entry, offered, problem, config) for entry in entries}


def _chosen(entry: Entry, offered: Mapping[str, Offered], problem: PypiProblem, config: Config) -> Entry:
    package = entry.package
    if package.name not in offered:
        raise FatalError(f"{entry.where}: the index has no file of {package} for `{problem.platform}`")
    found = offered[package.name]
    file = choose(
        found.wheels,
        found.source,
        platform=problem.platform,
        python=problem.python,
        virtual_packages=problem.virtual_packages,
        hashes=entry.hashes,
    )
    if file is None:
        stated = f" of the {len(entry.hashes)} that are stated" if entry.hashes else ""
        raise FatalError(
            f"{entry.where}: no file of {package}{stated} fits Python {problem.python} on `{problem.platform}`",
            "leave the platform out, or import it for the Python that it was made for: `--python`",
            "\n".join(f"there is: {item.name} (sha256 {item.sha256})" for item in found.files[:20]),
        )
    url = config.mirrors.canonical_url(file.url)
    return replace(
        entry, package=package._replace(url=url, sha256=file.sha256, size=file.size, timestamp=file.uploaded)
    )
