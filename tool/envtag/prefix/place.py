"""A directory that appears whole or not at all: built beside its place, and renamed, under a lock."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.prefix import marker
from envtag.util.files import remove_tree
from envtag.util.locks import file_lock

if TYPE_CHECKING:
    from envtag.output import Output

_DISCARD_ATTEMPTS = 10
_DISCARD_PAUSE_SECONDS = 0.02


def normal(target: Path) -> Path:
    """The absolute path of a prefix: `..` goes, symlinks stay."""
    return Path(os.path.abspath(target))  # noqa: PTH100 - `resolve` would follow links


@contextmanager
def reserved(target: Path, lock: str, *, output: Output, force: bool = False) -> Iterator[bool]:
    """Be the only one to make a prefix; what processes that died left of it is cleaned up.

    Args:
        target: The prefix, absolute.
        lock: The lock id of what is to be there.
        output: Where it is told that another process is at it.
        force: Let whatever is at `target` be replaced.

    Yields:
        Whether it is to be made: False where it is there, whole, and of this lock.

    Raises:
        FatalError: Something else is at `target`, or the disk refuses.
    """

    def tell() -> None:
        output.say(f"waiting for another process that is creating {target}")

    try:
        with file_lock(target.parent / f".{target.name}.lock", waiting=tell):
            _recover(target)
            there = not force and marker.is_whole(target, lock)
            if not there and not force:
                _refuse_occupied(target, lock)
            yield not there
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise FatalError(f"{target} could not be created: {error.strerror or error}{where}") from error


def staging_of(target: Path) -> Path:
    """A fresh name beside a prefix to build it at; never shorter than the prefix's own."""
    return target.parent / f".{target.name}.{_token()}.tmp"


def put_in_place(staging: Path, target: Path) -> None:
    """Give a finished prefix its name; what had it goes."""
    if not target.exists() and not target.is_symlink():
        staging.rename(target)
        return
    aside = target.parent / f".{target.name}.{_token()}.old"
    target.rename(aside)
    staging.rename(target)
    remove_tree(aside)


def discard(left: Path) -> None:
    """Remove a directory that threads of rattler, or uv whose parent was killed, may write to for a moment yet.

    If it cannot be removed, it is left to the next process that takes the lock.
    """
    for _ in range(_DISCARD_ATTEMPTS):
        with suppress(OSError):
            remove_tree(left)
            return
        time.sleep(_DISCARD_PAUSE_SECONDS)


def _token() -> str:
    return os.urandom(16).hex()


def _recover(target: Path) -> None:
    """Clean up after processes that died while they held the lock; bring back what one had set aside."""
    for left in _siblings(target, ".old"):
        if target.exists() or target.is_symlink():
            remove_tree(left)
        else:
            left.rename(target)
    for left in _siblings(target, ".tmp"):
        discard(left)


def _siblings(target: Path, suffix: str) -> list[Path]:
    length = len(f".{target.name}.") + len(_token()) + len(suffix)
    names = sorted(entry.name for entry in target.parent.iterdir())
    return [
        target.parent / name
        for name in names
        if name.startswith(f".{target.name}.") and name.endswith(suffix) and len(name) == length
    ]


def _refuse_occupied(target: Path, lock: str) -> None:
    if not target.exists() and not target.is_symlink():
        return
    if target.is_dir() and not target.is_symlink() and not any(target.iterdir()):
        target.rmdir()
        return
    found = marker.read(target)
    what = f"the environment of lock {found.lock}, not of {lock}" if found else "something that envtag did not make"
    raise FatalError(f"{target} holds {what}", "give another path, or `--force` to replace it")
