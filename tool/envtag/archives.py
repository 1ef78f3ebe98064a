"""The client's cache of downloaded archives: where each is, who may write it, and what is no longer needed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from envtag.util.canonical import sha256_file
from envtag.util.locks import file_lock

if TYPE_CHECKING:
    from envtag.config import Directories
    from envtag.package import Package

_LOCKS = ".locks"
_SWEPT = ".swept"
_DAY_SECONDS = 24 * 60 * 60.0
#: rattler keeps what it extracted of these, so that they are not asked for again; uv links wheels by their archives.
_PASSING = (".conda", ".tar.bz2")


def archive_path(directories: Directories, package: Package) -> Path:
    """Where a downloaded archive is kept, under its own file name."""
    return directories.archives / package.sha256[:2] / package.sha256 / package.filename


def is_kept(path: Path, package: Package) -> bool:
    """Whether an archive is in the cache, and whole; one that is not is removed."""
    if not path.is_file():
        return False
    if sha256_file(path) != package.sha256:
        path.unlink(missing_ok=True)
        return False
    touch(path)
    return True


def touch(path: Path) -> None:
    """Say that an archive is in use, so that it is not swept; but for wheels, which uv knows by their time."""
    if path.name.endswith(_PASSING):
        with suppress(OSError):
            os.utime(path)


@contextmanager
def lock(directories: Directories, package: Package, *, waiting: Callable[[], None]) -> Iterator[None]:
    """Be the only one to download an archive; what a download that was killed left of it is removed.

    Locks are shared by archives whose hashes begin alike, so that their files are bounded in number; a thread that
    holds one must not ask for another.

    Args:
        directories: The client's directories.
        package: Whose archive it is.
        waiting: Called once when another has held the lock for over a second.
    """
    directory = archive_path(directories, package).parent
    with file_lock(directories.archives / _LOCKS / f"{package.sha256[:3]}.lock", waiting=waiting):
        for left in directory.glob(".*.tmp") if directory.is_dir() else ():
            left.unlink(missing_ok=True)
        yield


def sweep(directories: Directories, now: float | None = None) -> None:
    """Remove, at most once a day, conda archives that nobody used for a day, and what killed downloads left.

    Whoever is about to use an archive touched it less than a day ago. Wheels stay: each installation links them.

    Args:
        directories: The client's directories.
        now: The time, in seconds since the epoch; this machine's if None.
    """
    if not directories.archives.is_dir():
        return
    now = time.time() if now is None else now
    mark = directories.archives / _SWEPT
    with suppress(OSError):  # another process sweeps too, or it may not be written: the next one does it
        if mark.exists() and now - mark.stat().st_mtime < _DAY_SECONDS:
            return
        mark.touch()
        os.utime(mark, (now, now))
        for path in directories.archives.glob("??/*/*"):
            if path.name.endswith((*_PASSING, ".tmp")) and now - path.lstat().st_mtime > _DAY_SECONDS:
                path.unlink(missing_ok=True)
