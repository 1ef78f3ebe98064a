"""Pythons that are not from conda: one that is on the machine, else one that uv manages."""

from __future__ import annotations

import json
import os
import platform
import sys
from pathlib import Path
from typing import NamedTuple

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from envtag.errors import FatalError
from envtag.util.process import Completed, run
from envtag.uv_program import run_uv

_ANY = ">=3"
_ASK = "import platform as p; print(p.python_implementation(), p.python_version())"


class FoundPython(NamedTuple):
    """A CPython that runs on this machine: minor version (`3.11`), full version, absolute path of its executable."""

    minor: str
    version: str
    path: Path


def find_python(constraint: str, *, cache: Path | None = None, download: bool = True) -> FoundPython:
    """A CPython that satisfies a constraint: on this machine, else downloaded by uv to where it keeps its own.

    An active virtual or conda environment does not count, nor do files in the working directory.

    Args:
        constraint: PEP 440 clauses (`>=3.11,<3.12`), empty for any Python 3.
        cache: uv's cache directory; nothing is cached otherwise.
        download: Whether uv may download one (`UV_PYTHON_DOWNLOADS=never` forbids it as well).

    Raises:
        FatalError: There is none and none can be downloaded.
    """
    wanted = constraint or _ANY
    found = _uv(cache, "find", "--no-python-downloads", "--no-project", "--system", wanted)
    path = found.text().strip() if found.returncode == 0 else _listed(cache, wanted) or _own(wanted)
    if path:
        return _inspect(Path(path))
    if not download:
        raise _none(wanted, found, "install one, or run it without `--offline`: uv can download one")
    installed = _uv(cache, "install", wanted)
    if installed.returncode != 0:
        raise _none(wanted, installed, "install one, or let this machine reach where uv downloads Pythons from")
    managed = _uv(cache, "find", "--no-python-downloads", "--no-project", "--managed-python", wanted)
    if managed.returncode != 0:
        raise _none(wanted, managed, "see `uv python list`")
    return _inspect(Path(managed.text().strip()))


def _uv(cache: Path | None, verb: str, *arguments: str) -> Completed:
    return run_uv(["python", verb, *arguments], cache=cache)


def _listed(cache: Path | None, wanted: str) -> str:
    """The path of the newest Python that uv knows of; `find` gives up at the first broken shim, `list` goes on."""
    done = _uv(cache, "list", "--only-installed", "--output-format", "json")
    if done.returncode != 0:
        return ""
    specifiers = SpecifierSet(wanted)
    fitting: list[tuple[Version, str]] = []
    for entry in json.loads(done.stdout or b"[]"):
        if entry.get("implementation") != "cpython" or entry.get("variant", "default") != "default":
            continue
        try:
            version = Version(str(entry.get("version")))
        except InvalidVersion:
            continue
        if specifiers.contains(version) and entry.get("path"):
            fitting.append((version, str(entry["path"])))
    newest = max((version for version, _ in fitting), default=None)
    return next((path for version, path in fitting if version == newest), "")


def _own(wanted: str) -> str:
    """The path of the Python that envtag itself runs on, outside its virtual environment, if it satisfies `wanted`."""
    if platform.python_implementation() != "CPython" or not SpecifierSet(wanted).contains(platform.python_version()):
        return ""
    minor = "{}.{}".format(*sys.version_info[:2])
    base = Path(sys.base_prefix)
    path = base / "python.exe" if os.name == "nt" else base / "bin" / f"python{minor}"
    return str(path) if path.is_file() else ""


def _inspect(path: Path) -> FoundPython:
    answer = run([path, "-I", "-S", "-c", _ASK], check=f"`{path}` does not run")
    implementation, _, version = answer.text().partition(" ")
    if implementation != "CPython":
        raise FatalError(f"`{path}` is {implementation} {version}, and locks are for CPython", "install a CPython")
    return FoundPython(minor=".".join(version.split(".")[:2]), version=version.removesuffix("+"), path=path.absolute())


def _none(wanted: str, done: Completed, hint: str) -> FatalError:
    said = done.stderr.decode("utf-8", "replace").strip()
    return FatalError(f"no Python that satisfies `{wanted}` is on this machine", hint, said)
