"""PyPI requirements through pip-tools: `pip-compile --generate-hashes`, for the platform and the Python that run it."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from envtag.engines.pip_command import compile_pins
from envtag.engines.pip_errors import failed
from envtag.engines.pylock import Entry, File, parse
from envtag.engines.pypi_answer import answer, dependencies, look_at_extras
from envtag.engines.uv_command import prepare
from envtag.errors import FatalError, UnsolvableError
from envtag.platforms import base_platform, current_platform
from envtag.request import PypiRequirement

if TYPE_CHECKING:
    from envtag.engines import PypiProblem
    from envtag.package import Package
    from envtag.urls import Mirrors

_PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?(?:==(\S+)| @ (\S+))")
#: The first that can be told to take nothing newer than a date.
_OLDEST_PIP = 26
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pin:
    """What pip-compile settled on: `NAME==VERSION` or `NAME @ URL`, and the hashes that it allows."""

    name: str
    text: str
    hashes: frozenset[str] = field(default=frozenset())


def missing() -> str | None:
    """What this machine lacks for it, and how to get that."""
    if find_spec("piptools") is None:
        return "`pip-tools` is not installed beside envtag: `pip install 'envtag[pip-tools]'`"
    pip = version("pip")
    if int(pip.partition(".")[0]) < _OLDEST_PIP:
        return f"the pip beside `pip-tools` is {pip}, which knows no cutoff: `pip install 'pip>={_OLDEST_PIP}'`"
    return None


def cannot(platform: str) -> str | None:
    """It asks pip, which knows the platform that it runs on."""
    here = current_platform()
    if base_platform(platform) == here:
        return None
    return f"`pip-tools` solves for the machine that it runs on, `{here}`, and not for `{platform}`"


def solve(problem: PypiProblem, *, mirrors: Mirrors, cache: Path) -> tuple[Package, ...]:
    """Solve one problem; see `engines.PypiEngine`."""
    if problem.preferred:
        wished = replace(problem, kept=(*problem.kept, *problem.preferred), preferred=())
        try:
            return solve(wished, mirrors=mirrors, cache=cache)
        except UnsolvableError:  # not all of what is preferred goes with the rest: none of it is asked for
            problem = replace(problem, preferred=())
    _check_machine(problem)
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="envtag-pip-tools-") as scratch:
        text = _compiled(problem, Path(scratch), mirrors, cache)
        provided = {dist.name for dist in problem.provided}
        pins = [pin for pin in _pins(text) if not (pin.name in provided and "@ file:" in pin.text)]
        entries = _files(pins, problem, Path(scratch, "files"), mirrors, cache)
    return answer(problem, entries, dependencies(text), mirrors)


def _compiled(problem: PypiProblem, scratch: Path, mirrors: Mirrors, cache: Path) -> str:
    """The requirements.txt that pip-compile writes; what a base has and no index offers is asked for by its URL."""
    by_url = {item.name for item in problem.pinned if item.is_commit}
    for attempt in ("first", "second"):
        workspace = scratch / attempt
        workspace.mkdir()
        prepared = prepare(problem, workspace, mirrors=mirrors, cache=cache, by_url=by_url)
        done = compile_pins(problem, workspace, mirrors=mirrors, cache=cache)
        said = done.stderr.decode("utf-8", "replace")
        if done.returncode == 0:
            look_at_extras(problem, said)
            return (workspace / "pinned.txt").read_text("utf-8")
        missing_here = any(f"for {item.name}=={item.version}" in said for item in problem.pinned)
        if by_url or not missing_here:
            break
        by_url = {item.name for item in problem.pinned}
    roots = (workspace / "requirements.in").read_text("utf-8").splitlines()
    named = {f"-r requirements.in (line {number})": text for number, text in enumerate(roots, 1)}
    raise failed(done, problem, mirrors, {**prepared.stubs, **named, f"{workspace}/": ""})


def _check_machine(problem: PypiProblem) -> None:
    """Refuse what pip on this machine cannot solve for.

    Raises:
        FatalError: It is for another platform or another Python, or ties a package to an index.
    """
    if problem.exempt and problem.exclude_newer:
        raise FatalError(
            f"`{min(problem.exempt)}` is to be taken whatever its age, and pip knows one cutoff for all packages",
            "let uv solve it: `--engine uv`",
        )
    tied = next((item for item in problem.requirements if item.index), None)
    if tied is not None:
        raise FatalError(
            f"{tied.origin}: `{tied.text}` may come from one index only, and `pip-tools` cannot hold pip to that",
            "let uv solve it: `--engine uv`",
        )
    refused = cannot(problem.platform)
    if refused is not None:
        raise FatalError(refused, "lock there, or leave the platform out, or let uv solve it: `--engine uv`")
    running = "{}.{}".format(*sys.version_info[:2])
    if problem.python.split(".")[:2] != running.split("."):
        raise FatalError(
            f"`pip-tools` solves for the Python that it runs on, {running}, and this environment has {problem.python}",
            f"`--python {running}`, or install envtag for Python {problem.python}, or let uv solve it: `--engine uv`",
        )


def _pins(text: str) -> list[_Pin]:
    """What a compiled requirements.txt pins."""
    pins: list[_Pin] = []
    for line in text.splitlines():
        hashes = frozenset(_HASH.findall(line))
        if found := _PIN.match(line):
            name, version, url = found.groups()
            wanted = f"{name}=={version}" if version else f"{name} @ {url}"
            pins.append(_Pin(name=canonicalize_name(name), text=wanted, hashes=hashes))
        elif hashes and pins:
            pins[-1] = replace(pins[-1], hashes=pins[-1].hashes | hashes)
    return pins


def _files(pins: list[_Pin], problem: PypiProblem, workspace: Path, mirrors: Mirrors, cache: Path) -> list[Entry]:
    """The files of the pins that pip-compile allows by hash: URL, size and date come from the index, by uv."""
    if not pins:
        return []
    workspace.mkdir()
    exact = tuple(PypiRequirement(name=pin.name, text=pin.text) for pin in pins)
    asked = replace(problem, requirements=exact, provided=(), pinned=(), kept=(), preferred=())
    done = prepare(asked, workspace, mirrors=mirrors, cache=cache, by_url=()).run("pylock.toml", "--no-deps")
    if done.returncode != 0:
        raise done.failure(
            f"what pip-compile pinned for `{problem.platform}` is not what the indices have, read as envtag reads them",
            "the first index that has a package decides; pip takes the newest of all: name the index that is meant",
        )
    allowed: Mapping[str, frozenset[str]] = {pin.name: pin.hashes for pin in pins}
    entries = parse(done.stdout.decode("utf-8"), f"the files for {problem.platform}")
    return [
        entry if entry.git is not None else _allowed(entry, allowed.get(entry.name, frozenset())) for entry in entries
    ]


def _allowed(entry: Entry, hashes: frozenset[str]) -> Entry:
    """An entry with the files that have one of some hashes.

    Raises:
        FatalError: None has.
    """
    wheels = tuple(file for file in entry.wheels if file.sha256 in hashes)
    source: File | None = entry.source if entry.source is not None and entry.source.sha256 in hashes else None
    if not wheels and source is None:
        raise FatalError(
            f"pip-compile's hashes of `{entry.name} {entry.version}` are of none of the files that its index offers",
            "if two indices offer it, name the one that is meant; else clear pip's cache",
            "\n".join(f"offered: {file.name} (sha256 {file.sha256})" for file in entry.files[:10]),
        )
    return replace(entry, wheels=wheels, source=source)
