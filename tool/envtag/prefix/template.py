"""What is remembered of a prefix that was just made and verified, so that further ones of its lock are made of it.

Installers link most files from their caches; what they wrote for this one prefix alone has no second link, and only
that can name the prefix. Of each shared file its inode, size, time and mode are kept, of each other one its hash: a
file that has changed since is found, and then nothing of the prefix is used.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from envtag.prefix import activation, marker
from envtag.prefix.naming import Naming, namings
from envtag.util.canonical import sha256_hex

if TYPE_CHECKING:
    from envtag.config import Directories
    from envtag.lock.model import Lock

_VERSION = 1
#: More than this of a prefix's own (where the cache is on another disk, all of it) is no gain over an installation.
_OWN_BYTES = 64 << 20
#: Written anew for each prefix.
REMADE = frozenset({activation.SHELL_FILE.as_posix(), marker.MARKER.as_posix()})


class Template(NamedTuple):
    """A prefix whose files may be used for a further one; paths are relative to it, and sorted.

    Attributes:
        prefix: Where it lies.
        directories: All of its directories.
        links: Path, text, and size and time (ns) of what an absolute link leads to.
        shared: Directory to its shared files: name, inode, size, time (ns) and mode of each.
        own: Path, mode, SHA-256 and how it names the prefix (see `naming`) of each other file.
        room: How many bytes a prefix's path may have, so that it fits where it is written.
    """

    prefix: Path
    directories: list[str]
    links: list[tuple[str, str, int, int]]
    shared: dict[str, list[tuple[str, int, int, int, int]]]
    own: list[tuple[str, int, str, str]]
    room: int


def template_path(directories: Directories, lock: str) -> Path:
    """Where the template of a lock id is remembered."""
    return directories.cache / "templates" / f"{lock}.json"


def read(directories: Directories, lock: str) -> Template | None:
    """The template of a lock id; None where there is none. An entry that is damaged is as good as none."""
    try:
        document = json.loads(template_path(directories, lock).read_bytes())
        if document.pop("version") != _VERSION or document.pop("lock") != lock:
            return None
        return Template(prefix=Path(document.pop("prefix")), **document)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def keep(prefix: Path, lock: Lock, directories: Directories) -> None:
    """Remember a prefix that was just made, where a further one can be made of its files.

    Args:
        prefix: Its final path.
        lock: What it was made from.
        directories: For the client's cache.
    """
    if not lock.platform.startswith("linux-"):  # macOS signs what is rewritten, Windows has launchers
        return
    from envtag.util.files import write_atomic

    with suppress(OSError):  # it is there and whole; without this the next one is installed as it was
        found = describe(prefix)
        if found is not None:
            fields = {name: getattr(found, name) for name in ("directories", "links", "shared", "own", "room")}
            document = {"version": _VERSION, "lock": lock.id, "prefix": str(prefix), **fields}
            write_atomic(template_path(directories, lock.id), json.dumps(document, separators=(",", ":")).encode())


def forget(directories: Directories, lock: str) -> None:
    """Remember the template of a lock id no more."""
    with suppress(OSError):
        template_path(directories, lock).unlink()


def describe(prefix: Path) -> Template | None:
    """A prefix as it is now; None where a further one cannot be told from its files."""
    found = Template(prefix=prefix, directories=[], links=[], shared={}, own=[], room=0)
    own: dict[str, tuple[int, bytes]] = {}
    size = 0
    for path, entry in _entries(prefix, ""):
        status = entry.stat(follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            found.directories.append(path)
        elif stat.S_ISLNK(status.st_mode):
            link = str(Path(entry.path).readlink())
            if str(prefix) in link:
                return None
            found.links.append((path, link, *leads_to(link)))
        elif not stat.S_ISREG(status.st_mode):
            return None
        elif status.st_nlink > 1:
            fact = (entry.name, status.st_ino, status.st_size, status.st_mtime_ns, status.st_mode)
            found.shared.setdefault(path.rpartition("/")[0], []).append(fact)
        elif path not in REMADE:
            size += status.st_size
            if size > _OWN_BYTES:
                return None
            own[path] = stat.S_IMODE(status.st_mode), Path(entry.path).read_bytes()
    named = namings(prefix, {path: data for path, (_, data) in own.items()})
    return None if named is None else _with_own(found, own, named)


def leads_to(link: str) -> tuple[int, int]:
    """Size and time of what an absolute link leads to, which is no file of a prefix; zeros for a relative one.

    Raises:
        OSError: It leads nowhere.
    """
    target = Path(link)
    if not target.is_absolute():
        return 0, 0
    status = target.stat()
    return status.st_size, status.st_mtime_ns


def _with_own(found: Template, own: Mapping[str, tuple[int, bytes]], named: Naming) -> Template:
    facts = [(path, mode, sha256_hex(data), named.kinds.get(path, "")) for path, (mode, data) in own.items()]
    return Template(
        prefix=found.prefix,
        directories=found.directories,
        links=found.links,
        shared=found.shared,
        own=sorted(facts, key=lambda fact: fact[3] == "record"),  # records tell what the others have become
        room=named.room,
    )


def _entries(top: Path, below: str) -> Iterator[tuple[str, os.DirEntry[Any]]]:
    """Everything below a directory, a directory before what is in it."""
    with os.scandir(top / below) as scanned:
        entries = sorted(scanned, key=lambda entry: entry.name)
    for entry in entries:
        path = f"{below}/{entry.name}" if below else entry.name
        yield path, entry
        if entry.is_dir(follow_symlinks=False):
            yield from _entries(top, path)
