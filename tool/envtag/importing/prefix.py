"""A prefix on this machine: conda packages by `conda-meta`, PyPI packages by what their installer left."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from email.parser import HeaderParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from envtag.engines.python_version import minor_of
from envtag.errors import FatalError
from envtag.importing.archives import channels_of, conda_package, public_url, pypi_name
from envtag.importing.model import Choice, Entry, Imported, Source
from envtag.importing.wire import Table, digest_of, table_of
from envtag.package import Package
from envtag.platforms import current_platform
from envtag.wheels import marker_environment

if TYPE_CHECKING:
    from collections.abc import Sequence

_SITES = ("lib/python*/site-packages", "lib64/python*/site-packages", "Lib/site-packages")
_CONFIGURED = re.compile(r"^version(?:_info)?\s*=\s*(\d+\.\d+(?:\.\d+)?)", re.MULTILINE)


def recognizes(source: Source) -> bool:
    """See `model.Reader`: a directory with `conda-meta`, or a venv."""
    return (source.path / "conda-meta").is_dir() or (source.path / "pyvenv.cfg").is_file()


def read(source: Source, choice: Choice) -> Imported:
    """See `model.Reader`."""
    if not recognizes(source):
        raise FatalError(f"{source.name}: has neither `conda-meta` nor `pyvenv.cfg`", "name a conda prefix or a venv")
    records = list(_records(source))
    conda = [_conda(record) for record in records]
    python = next((entry.package.version for entry in conda if entry.package.name == "python"), "")
    own = python or _configured(source)
    if not own and choice.python == "":
        raise FatalError(f"{source.name}: has no Python", "`envtag import` takes over environments of Python")
    version = own or choice.python
    platform = _platform(source, conda, choice)
    owned = {str(path) for record in records for path in record.list("files")}
    pypi = list(_pypi(source, owned, {**marker_environment(platform, version), "extra": ""}))
    return Imported(
        entries={platform: (*conda, *pypi)},
        channels=channels_of([], (entry.package for entry in conda)),
        python="" if python else minor_of(version),
    )


def _records(source: Source) -> Iterator[Table]:
    for path in sorted((source.path / "conda-meta").glob("*.json")):
        yield table_of(_json(path, source), f"{source.name}: conda-meta/{path.name}")


def _json(path: Path, source: Source) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise FatalError(f"{source.name}: {path.name} cannot be read: {error}") from error


def _conda(record: Table) -> Entry:
    name, url = record.text("name"), record.text("url", "")
    where = f"{record.where} (`{name}`)"
    if not url:
        raise FatalError(f"{where}: says no URL that it was fetched from", "install it from a channel")
    package = conda_package(url, where)
    timestamp = record.value.get("timestamp")
    return Entry(
        package=package._replace(
            sha256=record.digest("sha256"),
            md5=record.digest("md5"),
            size=record.number("size"),
            license=record.text("license", "") or None,
            timestamp=timestamp if isinstance(timestamp, int) else None,
            depends=record.texts("depends"),
        ),
        where=where,
    )


def _configured(source: Source) -> str:
    """The version of Python of a venv."""
    path = source.path / "pyvenv.cfg"
    match = _CONFIGURED.search(path.read_text("utf-8", "replace")) if path.is_file() else None
    return match[1] if match else ""


def _platform(source: Source, conda: Sequence[Entry], choice: Choice) -> str:
    subdirs = {entry.package.subdir for entry in conda} - {"noarch"}
    if len(subdirs) > 1:
        raise FatalError(f"{source.name}: has packages of several platforms: {', '.join(sorted(subdirs))}")
    found = next(iter(subdirs)) if subdirs else current_platform()
    return replace(choice, platforms=()).of((found,), source.name)[0]


def _pypi(source: Source, owned: set[str], environment: Mapping[str, str]) -> Iterator[Entry]:
    """The dists that no conda package brought."""
    for path, _ in dist_infos(source.path):
        if f"{path.relative_to(source.path).as_posix()}/METADATA" not in owned:
            yield _dist(path, source, environment)


def dist_infos(prefix: Path) -> Iterator[tuple[Path, str]]:
    """The `.dist-info` directories of a prefix with the normalized names of their dists, each once."""
    seen = set()
    for site in (site for pattern in _SITES for site in sorted(prefix.glob(pattern))):
        for path in sorted(site.glob("*.dist-info")):
            if path.resolve() not in seen and (path / "METADATA").is_file():
                seen.add(path.resolve())
                yield path, str(canonicalize_name(path.name.partition("-")[0]))


def _dist(path: Path, source: Source, environment: Mapping[str, str]) -> Entry:
    where = f"{source.name}: {path.name}"
    metadata = HeaderParser().parsestr((path / "METADATA").read_text("utf-8", "replace"))
    package = Package(
        manager="pypi",
        name=pypi_name(str(metadata["Name"]), where),
        version=str(metadata["Version"]),
        url="",
        sha256="",
        depends=_needs(metadata.get_all("Requires-Dist") or [], environment),
    )
    direct = path / "direct_url.json"
    if not direct.is_file():
        return Entry(package=package, where=where)
    return _direct(package, table_of(_json(direct, source), where), where)


def _direct(package: Package, direct: Table, where: str) -> Entry:
    """A dist that was installed from a URL (PEP 610)."""
    url = direct.text("url")
    info, vcs = direct.table("archive_info"), direct.table("vcs_info")
    if "dir_info" in direct.value:
        raise FatalError(
            f"{where}: `{package.name}` was installed from a directory, which others cannot fetch",
            "build a wheel of it, publish it, and install that",
        )
    if vcs.value:
        if vcs.text("vcs") != "git":
            raise FatalError(f"{where}: `{package.name}` is of a repository that is not git's", "publish a wheel of it")
        subdirectory = direct.text("subdirectory", "")
        located = f"git+{url}@{vcs.text('commit_id')}" + (f"#subdirectory={subdirectory}" if subdirectory else "")
        return Entry(package=package._replace(url=public_url(located, where)), where=where)
    stated = info.table("hashes").digest("sha256") or info.text("hash", "").removeprefix("sha256=")
    sha256 = digest_of("sha256", stated, where)
    if not url.startswith(("http://", "https://")):  # a file that is gone: an index may have it, by its hash
        return Entry(package=package, where=where, hashes=(sha256,) if sha256 else ())
    return Entry(
        package=package._replace(url=public_url(url, where).partition("#")[0], sha256=sha256), where=where, direct=True
    )


def _needs(texts: Sequence[str], environment: Mapping[str, str]) -> tuple[str, ...]:
    from packaging.requirements import InvalidRequirement, Requirement

    found = set()
    for text in texts:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:  # of another age; its installer took it
            continue
        if requirement.marker is None or requirement.marker.evaluate(dict(environment)):
            found.add(canonicalize_name(requirement.name))
    return tuple(sorted(found))
