"""Where things lie in a prefix, on POSIX and on Windows, in conda's layout and in a venv's."""

from __future__ import annotations

import os
from pathlib import Path


def is_venv(prefix: Path) -> bool:
    """Whether a prefix is a venv (its Python lies elsewhere) and not a conda prefix."""
    return (prefix / "pyvenv.cfg").is_file()


def path_entries(prefix: Path, *, venv: bool, windows: bool = os.name == "nt") -> tuple[Path, ...]:
    """The directories that activation puts on PATH, first first."""
    if not windows:
        return (prefix / "bin",)
    if venv:
        return (prefix / "Scripts",)
    library = prefix / "Library"
    return (
        prefix,
        library / "mingw-w64" / "bin",
        library / "usr" / "bin",
        library / "bin",
        prefix / "Scripts",
        prefix / "bin",
    )


def python(prefix: Path, *, venv: bool, windows: bool = os.name == "nt") -> Path:
    """The prefix's Python executable."""
    if not windows:
        return prefix / "bin" / "python"
    return prefix / "Scripts" / "python.exe" if venv else prefix / "python.exe"


def site_packages(prefix: Path, minor: str, *, windows: bool = os.name == "nt") -> Path:
    """Where the packages of a Python lie; `minor` is `3.11`."""
    return prefix / "Lib" / "site-packages" if windows else prefix / "lib" / f"python{minor}" / "site-packages"


def scripts(prefix: Path, *, windows: bool = os.name == "nt") -> Path:
    """Where a wheel's scripts lie."""
    return prefix / ("Scripts" if windows else "bin")
