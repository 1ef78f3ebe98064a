"""A further environment of a lock of which one is here: its files linked, those that name their prefix written anew.

It takes as long as linking the files, since nothing is extracted, solved or asked for: no installer is loaded.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from envtag.prefix import activation, marker, naming, place, template
from envtag.util.beside import beside
from envtag.util.canonical import sha256_hex

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.output import Output
    from envtag.prefix.template import Template

#: Directory to files of it; see `Template.shared`.
_Shared: TypeAlias = "dict[str, list[tuple[str, int, int, int, int]]]"
#: How many files are linked in the time that it takes to read, hash and write one.
_LINKS_PER_WRITE = 30


def clone(lock: str, target: Path, *, config: Config, output: Output) -> bool | None:
    """Make the environment of a lock at `target` of the files of another one that is here.

    Args:
        lock: The lock id.
        target: The prefix.
        config: The client's directories.
        output: Where it is told that another process is at it.

    Returns:
        True if this call made it; False if it was there, whole, and from the same lock; None if there is none to make
        it of, or one whose files have changed, or that cannot be linked to here: then it must be installed.

    Raises:
        FatalError: Something else is at `target`.
    """
    target = place.normal(target)
    if marker.is_whole(target, lock):
        return False
    found = template.read(config.directories, lock)
    if found is None or not naming.fits(str(target).encode(), found.room):
        return None
    with place.reserved(target, lock, output=output) as wanted:
        if not wanted:
            return False
        staging = place.staging_of(target)
        try:
            if not _build(found, lock, staging, target):
                template.forget(config.directories, lock)
                return None
            place.put_in_place(staging, target)
        except OSError:  # the other is gone, or on another disk; where it is this one's fault, installing says so
            return None
        finally:
            place.discard(staging)
    return True


def _build(found: Template, lock: str, staging: Path, target: Path) -> bool:
    """Make all of it; false where the other prefix is not what it was."""
    made_of = marker.read(found.prefix)
    if made_of is None or made_of.lock != lock:
        return False
    staging.mkdir()
    for directory in found.directories:
        os.mkdir(f"{staging}/{directory}")  # noqa: PTH102 - thousands of them: texts cost a third of `Path`
    for path, text, *led_to in found.links:
        if [*template.leads_to(text)] != led_to:
            return False
        (staging / path).symlink_to(text)
    mine, other = _halves(found)
    with beside(lambda: _share(found, other, staging)) as other_is_done:
        if not (_share(found, mine, staging) and _write_own(found, staging, target) and other_is_done()):
            return False
    activation.write_shell_file(staging, target)
    marker.write(staging, made_of)
    return True


def _halves(found: Template) -> tuple[_Shared, _Shared]:
    """The shared files in two parts: the first with the files to write is as much work as the second."""
    left = max(0, (sum(map(len, found.shared.values())) - len(found.own) * _LINKS_PER_WRITE) // 2)
    first: _Shared = {}
    second: _Shared = {}
    for directory, files in found.shared.items():
        first[directory], second[directory] = files[:left], files[left:]
        left -= len(first[directory])
    return first, second


def _share(found: Template, shared: _Shared, staging: Path) -> bool:
    """Link shared files, and see of each link that it is to the file that was verified."""
    for directory, files in shared.items():
        if not files:
            continue
        with _opened(found.prefix / directory) as source, _opened(staging / directory) as there:
            for name, inode, size, time, mode in files:
                os.link(name, name, src_dir_fd=source, dst_dir_fd=there, follow_symlinks=False)
                status = os.stat(name, dir_fd=there, follow_symlinks=False)
                if (status.st_ino, status.st_size, status.st_mtime_ns, status.st_mode) != (inode, size, time, mode):
                    return False
    return True


@contextmanager
def _opened(directory: Path) -> Iterator[int]:
    """A directory in which names are looked up: half the time of walking to it for each file."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield handle
    finally:
        os.close(handle)


def _write_own(found: Template, staging: Path, target: Path) -> bool:
    """Write the files that are of one prefix alone, and what records say of those that have changed."""
    old, new = str(found.prefix).encode(), str(target).encode()
    changes: list[naming.Change] = []
    for path, mode, sha256, kind in found.own:
        data = (found.prefix / path).read_bytes()
        if sha256_hex(data) != sha256:
            return False
        if kind == "record":
            for change in changes:
                data = data.replace(change.before, change.after)
        elif kind:
            before, data = data, naming.rewritten(data, old, new, kind)
            if not naming.runs(data):
                return False
            changes += naming.changes(before, data)
        with open(staging / path, "xb", buffering=0) as stream:  # noqa: PTH123 - `Path.open` has no mode of a file
            stream.write(data)
            os.fchmod(stream.fileno(), stat.S_IMODE(mode))
    return True
