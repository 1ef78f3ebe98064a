"""Files and directories that exist whole or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from envtag.errors import FatalError


def read_text(path: Path) -> str:
    """The text of a file as it is (UTF-8, line ends kept), empty where there is no file.

    Raises:
        FatalError: It cannot be read, or is no text.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise FatalError(f"`{path}` cannot be read: {error}") from error


def write_synced(path: Path, data: bytes) -> None:
    """Write a file, and return once its bytes would outlive a power failure."""
    with path.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def sync_directory(directory: Path) -> None:
    """Make the names in a directory outlive a power failure; Windows has no such call, and needs none."""
    if os.name == "nt":
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_atomic(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Replace a file's content in one step: readers see the old bytes or the new ones, also after a crash."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with staged(path) as temporary:
        write_synced(temporary, data)
        temporary.chmod(mode)
        temporary.replace(path)


def create_exclusive(path: Path, data: bytes, *, mode: int = 0o644) -> bool:
    """Create a file with its whole content only where there is none; say whether this call did it.

    The content is written beside and then hard-linked into place, so a file that exists is a whole one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with staged(path) as temporary:
        write_synced(temporary, data)
        temporary.chmod(mode)
        return link_exclusive(temporary, path)


def link_exclusive(source: Path, target: Path) -> bool:
    """Give a finished file its final name only where that is free; say whether this call did it."""
    try:
        os.link(source, target)
    except FileExistsError:
        return False
    return True


@contextmanager
def staged(path: Path) -> Iterator[Path]:
    """A fresh sibling name of a path to build at; whatever is left at it afterwards is removed."""
    import tempfile  # with `random`, `shutil` and all that compresses: nothing that a look-up needs

    handle, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", suffix=".tmp", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def remove_tree(path: Path) -> None:
    """Remove a file or a directory with all below it, read-only parts too; what is not there is fine."""
    if path.is_symlink() or path.is_file():
        path.unlink(missing_ok=True)
        return

    def unlock(function: Any, name: str, _: Any) -> None:
        parent = Path(name).parent
        with suppress(FileNotFoundError):
            parent.chmod(parent.stat().st_mode | stat.S_IRWXU)
            if not Path(name).is_symlink():
                Path(name).chmod(stat.S_IRWXU)
            function(name)

    if path.exists():
        import shutil

        shutil.rmtree(path, onerror=unlock)
