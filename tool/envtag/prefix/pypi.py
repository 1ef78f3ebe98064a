"""PyPI packages into a prefix, through uv: verified archives, hashes required, nothing asked of any index."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.prefix import layout
from envtag.prefix.integrity import damaged
from envtag.prefix.source import build_wheel
from envtag.util.canonical import sha256_file
from envtag.util.files import staged
from envtag.util.text import number_of
from envtag.uv_program import run_uv

if TYPE_CHECKING:
    from envtag.config import Directories
    from envtag.output import Output
    from envtag.package import Package


def create_venv(prefix: Path, minor: str, *, directories: Directories, offline: bool) -> str:
    """Make a relocatable venv on an interpreter that uv finds on this machine, or downloads.

    Args:
        prefix: Absolute path of the directory to make.
        minor: The Python that the lock names (`3.11`).
        directories: For uv's cache.
        offline: Do not download an interpreter.

    Returns:
        The exact version of the interpreter (`3.11.7`).

    Raises:
        FatalError: There is no such interpreter, and none may or can be downloaded.
    """
    from envtag.engines.uv_python import find_python  # brings `packaging`, which no second use needs

    found = find_python(f"=={minor}.*", cache=directories.uv, download=not offline)
    arguments = ["venv", "--relocatable", "--no-project", "--offline", "--python", str(found.path), str(prefix)]
    run_uv(arguments, cache=directories.uv, check=f"Python {found.version} cannot make a virtual environment")
    return found.version


def install(
    packages: Sequence[Package],
    archives: Mapping[str, Path],
    prefix: Path,
    minor: str,
    *,
    directories: Directories,
    offline: bool,
    output: Output,
) -> None:
    """Install packages into a prefix that has a Python.

    uv is given each wheel by its hash and asks no index. What it links from its cache is compared with the
    archive afterwards; where a cached file was edited, the cache entry is dropped and the wheel unpacked anew.

    Args:
        packages: The PyPI packages of the environment.
        archives: SHA-256 to verified archive.
        prefix: Absolute path of a conda prefix or a venv.
        minor: Its Python (`3.11`).
        directories: For uv's cache and the archives' own file names.
        offline: Build no source, since a build needs an index.
        output: For progress.

    Raises:
        FatalError: A package does not fit this Python, cannot be built, or uv fails.
    """
    if not packages:
        return
    executable = layout.python(prefix, venv=layout.is_venv(prefix))
    if not executable.exists():
        raise FatalError(
            "the lock has PyPI packages but no Python to install them for", "add `python` to the conda requirements"
        )
    if offline:
        _refuse_sdists(packages)
    with ExitStack() as stack, output.task(f"installing {number_of(len(packages), 'wheel')}"):
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="envtag-")))
        lines, wheels = [], {}
        for package in packages:
            archive = archives[package.sha256]
            if package.is_source:
                wheel = build_wheel(archive, package, work / package.sha256, executable, directories=directories).path
                sha256 = sha256_file(wheel)
            else:
                wheel, sha256 = _under_its_name(archive, package, directories), package.sha256
            wheels[package.name] = wheel
            lines.append(f"{package.name}=={package.version} --hash=sha256:{sha256}\n")
        requirements = work / "requirements.txt"
        requirements.write_text("".join(lines), "utf-8")
        _install_whole(requirements, wheels, prefix, minor, directories)


def _install_whole(
    requirements: Path, wheels: Mapping[str, Path], prefix: Path, minor: str, directories: Directories
) -> None:
    executable = layout.python(prefix, venv=layout.is_venv(prefix))
    site = layout.site_packages(prefix, minor)
    _install_wheels(requirements, wheels.values(), executable, directories)
    bad = damaged(wheels, site, prefix)
    if not bad:
        return
    run_uv(["cache", "clean", *bad], cache=directories.uv, check="uv's cache could not be cleaned of an edited package")
    _install_wheels(requirements, wheels.values(), executable, directories, "--reinstall")
    bad = damaged(wheels, site, prefix)
    if bad:
        raise FatalError(f"{bad[0]} was installed with other bytes than its wheel has", f"remove `{directories.uv}`")


def _install_wheels(
    requirements: Path, wheels: Iterable[Path], executable: Path, directories: Directories, *more: str
) -> None:
    found_in = [word for wheel in wheels for word in ("--find-links", str(wheel.parent))]
    arguments = ["pip", "install", "--python", str(executable), "--break-system-packages", "--no-deps", "--no-index"]
    arguments += ["--offline", "--no-build", "--require-hashes", "--link-mode", "hardlink", *more]
    arguments += [*found_in, "-r", str(requirements)]
    run_uv(arguments, cache=directories.uv, check="the PyPI packages of the lock could not be installed")


def _refuse_sdists(packages: Iterable[Package]) -> None:
    for package in packages:
        if package.is_source:
            raise FatalError(
                f"{package} is locked as a source distribution, and building it needs an index, but this is offline",
                "run it once without `--offline`, or publish the environment: that builds it once for everybody",
            )


def _under_its_name(archive: Path, package: Package, directories: Directories) -> Path:
    """The wheel under its own file name, alone in a directory: the same one each time, since uv's cache goes by it."""
    if archive.name == package.filename and archive.parent.name == package.sha256:
        return archive
    named = directories.archives / "named" / package.sha256 / package.filename
    if named.exists() and (named.samefile(archive) or sha256_file(named) == package.sha256):
        return named
    named.parent.mkdir(parents=True, exist_ok=True)
    with staged(named) as temporary:
        temporary.unlink()
        try:
            temporary.symlink_to(archive)
        except OSError:  # Windows without the right to make links
            shutil.copyfile(archive, temporary)
        temporary.replace(named)
    return named
