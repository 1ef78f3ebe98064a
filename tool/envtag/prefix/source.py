"""Wheels built of source archives, through uv: isolated, and with nothing of this machine's clock or settings."""

from __future__ import annotations

import re
import shutil
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.platforms import current_platform
from envtag.prefix.unpack import unpack_tar
from envtag.urls import parse_git
from envtag.util.toml import loads
from envtag.uv_program import run_uv

if TYPE_CHECKING:
    from envtag.config import Directories
    from envtag.package import Package
    from envtag.util.process import Completed
    from envtag.uv_indices import Indices

#: When a source's own date is not known (2020-02-02): the same for everybody; zip files know no date before 1980.
_EPOCH_SECONDS = 1580601600
_REQUIREMENT = re.compile(r"^DEBUG Installing build requirement: (\S+==\S+)$", re.MULTILINE)
_NOISE = ("DEBUG ", "TRACE ", "INFO ")
_TAIL_LINES = 40
_PYPROJECT_LIMIT = 1_000_000
_DEFAULT_BACKEND = "setuptools.build_meta:__legacy__"  # PEP 517


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltWheel:
    """A wheel that was just built.

    Attributes:
        path: The wheel, under its own name.
        backend: The backend that the source names, empty where that cannot be told.
        requires: What the build was given, `NAME==VERSION`, sorted; empty where uv does not say.
    """

    path: Path
    backend: str
    requires: tuple[str, ...]


def build_wheel(
    archive: Path,
    package: Package,
    work: Path,
    executable: Path,
    *,
    directories: Directories,
    indices: Indices | None = None,
) -> BuiltWheel:
    """Build the wheel of a package that is locked as a source.

    Args:
        archive: The verified source archive.
        package: What it is of.
        work: A directory to make and work in; the wheel stays there.
        executable: The Python that it is built for.
        directories: For uv's cache.
        indices: Where build requirements come from; the default index otherwise.

    Raises:
        FatalError: It cannot be unpacked or built.
    """
    work.mkdir(parents=True)
    git = parse_git(package.url)
    if git is None:
        source = work / package.filename
        shutil.copyfile(archive, source)
        backend = _backend(_pyproject_in(source))
    else:
        unpack_tar(archive, work / "source", str(package))
        source = _below(work / "source" / package.filename.removesuffix(".tar"), git.subdirectory, package)
        found = source / "pyproject.toml"
        backend = _backend(found.read_bytes()[:_PYPROJECT_LIMIT] if found.is_file() else b"")
    wheels = work / "wheel"
    arguments = ["build", "--wheel", "--no-create-gitignore", "--verbose", "--python", str(executable)]
    arguments += [*(indices.words if indices else ()), "--out-dir", str(wheels), str(source)]
    variables = {**_variables(package, versioned=git is not None), **(indices.variables if indices else {})}
    done = run_uv(arguments, cache=directories.uv, extra=variables)
    made = sorted(wheels.glob("*.whl"))
    if done.returncode != 0 or len(made) != 1:
        raise _failed(package, backend, done)
    requires = _REQUIREMENT.findall(done.stderr.decode("utf-8", "replace"))
    return BuiltWheel(path=made[0], backend=backend, requires=tuple(sorted(set(requires))))


def _variables(package: Package, *, versioned: bool) -> dict[str, str]:
    """What a build sees beside the clean environment; an archive of a commit has no tags to tell its version by."""
    seconds = package.timestamp // 1000 if package.timestamp else _EPOCH_SECONDS
    variables = {"PYTHONHASHSEED": "0", "SOURCE_DATE_EPOCH": str(seconds), "RUST_LOG": ""}
    if versioned:
        name = re.sub(r"[-_.]+", "_", package.name).upper()
        variables |= {
            "SETUPTOOLS_SCM_PRETEND_VERSION": package.version,
            f"SETUPTOOLS_SCM_PRETEND_VERSION_FOR_{name}": package.version,
        }
    return variables


def _below(root: Path, subdirectory: str, package: Package) -> Path:
    """The directory of a repository in which a package lies; links lead nowhere else."""
    found = (root / subdirectory).resolve()
    if not found.is_relative_to(root.resolve()) or not found.is_dir():
        raise FatalError(f"{package}: its repository has no directory `{subdirectory}`", f"it is from {package.url}")
    return found


def _failed(package: Package, backend: str, done: Completed) -> FatalError:
    said = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if not line.startswith(_NOISE)]
    by = f" by `{backend}`" if backend else ""
    return FatalError(
        f"{package} could not be built for {current_platform()}{by}",
        "ask for a version that has a wheel, or make its source build here",
        "\n".join(said[-_TAIL_LINES:]),
    )


def _backend(pyproject: bytes) -> str:
    """The backend that a `pyproject.toml` names; for one that cannot be read uv says what is wrong."""
    try:
        table = loads(pyproject.decode("utf-8"), "pyproject.toml").get("build-system", {})
    except (FatalError, UnicodeDecodeError):
        return ""
    stated = table.get("build-backend", _DEFAULT_BACKEND) if isinstance(table, dict) else ""
    return stated if isinstance(stated, str) else ""


def _pyproject_in(sdist: Path) -> bytes:
    """The `pyproject.toml` at the top of an sdist, empty if it has none; what is no archive is uv's to refuse."""
    try:
        if zipfile.is_zipfile(sdist):
            with zipfile.ZipFile(sdist) as archive:
                name = next((name for name in archive.namelist() if _is_pyproject(name)), None)
                if name is None:
                    return b""
                with archive.open(name) as stream:
                    return stream.read(_PYPROJECT_LIMIT)
        with tarfile.open(sdist) as tar:
            member = next((member for member in tar if member.isfile() and _is_pyproject(member.name)), None)
            found = tar.extractfile(member) if member is not None else None
            return found.read(_PYPROJECT_LIMIT) if found is not None else b""
    except (tarfile.TarError, zipfile.BadZipFile, OSError, EOFError):
        return b"\xff"  # no text at all: no backend can be named


def _is_pyproject(name: str) -> bool:
    return re.fullmatch(r"(\./)?[^/]+/pyproject\.toml", name) is not None
