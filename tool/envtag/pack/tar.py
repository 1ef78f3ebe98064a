"""Tar files: written with the same bytes everywhere, read with nothing taken on trust.

The standard library builds and parses the 512 bytes of a header; what is accepted of a tar is decided here.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from envtag.errors import FatalError

#: 1980-01-01, the oldest date that zip knows: GNU tar warns of older ones.
_MTIME = 315532800
_BLOCK = 512
#: What the length of a tar that is written here is a multiple of.
RECORD = 20 * _BLOCK
_COPIED = 1 << 20
_LARGEST_EXTENSION = 1 << 16
_MOST_MEMBERS = 100_000


class TarWriter:
    """A tar in the making: members one after the other, every byte hashed on its way out.

    Args:
        stream: Where it is written.
        progress: Called with the number of bytes of each block of an archive.
        prefix: Bytes before the tar (a self-extracting file's header).
    """

    def __init__(self, stream: BinaryIO, progress: Callable[[int], None], prefix: bytes = b"") -> None:
        self._stream = stream
        self._progress = progress
        self._digest = hashlib.sha256()
        self._prefix = len(prefix)
        self.size = 0
        self._write(prefix)

    @property
    def sha256(self) -> str:
        """SHA-256 of all that was written, 64 hex digits."""
        return self._digest.hexdigest()

    def add_bytes(self, name: str, data: bytes) -> None:
        """Add a small member."""
        self._header(name, len(data))
        self._write(data)
        self._pad(_BLOCK)

    def add_file(self, name: str, path: Path) -> None:
        """Add a file's content, in blocks.

        Raises:
            FatalError: It changed its size meanwhile.
        """
        with path.open("rb", buffering=0) as source:
            size = source.seek(0, io.SEEK_END)
            source.seek(0)
            self._header(name, size)
            view = memoryview(bytearray(_COPIED))
            left = size
            while count := source.readinto(view[: min(left, _COPIED)]):
                self._write(view[:count])
                self._progress(count)
                left -= count
        if left:
            raise FatalError(f"`{path}` changed while it was packed", "pack again")
        self._pad(_BLOCK)

    def finish(self) -> None:
        """Write the end of the tar."""
        self._write(bytes(2 * _BLOCK))
        self._pad(RECORD)

    def _header(self, name: str, size: int) -> None:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mtime, entry.mode = size, _MTIME, 0o644
        self._write(entry.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict"))

    def _pad(self, unit: int) -> None:
        self._write(bytes(-(self.size - self._prefix) % unit))

    def _write(self, data: bytes | memoryview) -> None:
        self._digest.update(data)
        while len(data):
            written = self._stream.write(data)
            self.size += written
            data = memoryview(data)[written:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Where a member's content lies in the file."""

    offset: int
    size: int


def members(stream: BinaryIO, where: str, start: int = 0) -> dict[str, Member]:
    """The regular files of a tar, in order: their content is not read.

    Directories are passed over. Links, devices, sparse files, names that leave the directory, names that come
    twice, and bytes after the end are refused.

    Args:
        stream: The file; it can seek.
        where: Its name, for messages.
        start: Where the tar begins in it.

    Raises:
        FatalError: It is not such a tar, or it is cut off.
    """
    end = stream.seek(0, io.SEEK_END)
    found: dict[str, Member] = {}
    position, longer = start, ""
    while True:
        entry = _entry(stream, position, end, where, first=position == start)
        if entry is None:
            break
        content = position + _BLOCK
        position = content + entry.size + -entry.size % _BLOCK
        if entry.size < 0 or position > end:
            raise cut_off(where)
        if entry.type in (tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME):
            longer = _long_name(stream, entry, content, where) or longer
            continue
        name, longer = longer or entry.name, ""
        if entry.type == tarfile.DIRTYPE and entry.size == 0:
            continue
        if entry.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
            raise FatalError(
                f"{where}: `{_shown(name)}` is not a plain file", "do not use it: it was not packed by envtag"
            )
        _refuse_name(name, found, where)
        found[name] = Member(offset=content, size=entry.size)
    if longer:
        raise cut_off(where)
    _refuse_rest(stream, position, end, where)
    return found


def read(stream: BinaryIO, member: Member) -> bytes:
    """A small member's content."""
    stream.seek(member.offset)
    return stream.read(member.size)


def _entry(stream: BinaryIO, position: int, end: int, where: str, *, first: bool) -> tarfile.TarInfo | None:
    """The header at a position; None at the tar's end."""
    if position + _BLOCK > end:
        raise FatalError(f"{where} is not a tar file") if first else cut_off(where)
    stream.seek(position)
    block = stream.read(_BLOCK)
    if not any(block):
        return None
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "strict")
    except (tarfile.HeaderError, UnicodeDecodeError, ValueError) as error:
        raise FatalError(f"{where} is not a tar file" if first else f"{where} is damaged at byte {position}") from error


def _long_name(stream: BinaryIO, entry: tarfile.TarInfo, offset: int, where: str) -> str:
    """The name that an extension header gives the next member: pax (`path` alone is accepted) or GNU."""
    if entry.size > _LARGEST_EXTENSION:
        raise FatalError(f"{where}: a header of {entry.size} bytes, which no name needs")
    data = read(stream, Member(offset=offset, size=entry.size))
    try:
        if entry.type == tarfile.GNUTYPE_LONGNAME:
            return data.rstrip(b"\0").decode()
        return _pax_path(data)
    except ValueError as error:
        raise FatalError(f"{where} is damaged at byte {offset}") from error


def _pax_path(data: bytes) -> str:
    path = ""
    while data:
        length = int(data.split(b" ", 1)[0])
        line, data = data[:length], data[length:]
        if length < 1 or len(line) != length or not line.endswith(b"\n"):
            raise ValueError
        key, _, value = line[:-1].partition(b" ")[2].partition(b"=")
        if key == b"path":
            path = value.decode()
        elif key == b"size" or key.startswith(b"GNU.sparse"):
            raise ValueError
    return path


def _refuse_name(name: str, found: dict[str, Member], where: str) -> None:
    parts = name.split("/")
    if not name.isprintable() or "\\" in name or any(part in ("", ".", "..") or ":" in part for part in parts):
        raise FatalError(
            f"{where}: `{_shown(name)}` is no name for a member", "do not use it: it was not packed by envtag"
        )
    if name in found:
        raise FatalError(f"{where}: `{_shown(name)}` is in it twice", "do not use it: it was not packed by envtag")
    if len(found) >= _MOST_MEMBERS:
        raise FatalError(f"{where} has more than {_MOST_MEMBERS} members")


def _refuse_rest(stream: BinaryIO, position: int, end: int, where: str) -> None:
    if end - position > 2 * RECORD:
        raise FatalError(f"{where} has {end - position} bytes after its end")
    stream.seek(position)
    rest = stream.read(end - position)
    if len(rest) < 2 * _BLOCK:
        raise cut_off(where)
    if any(rest):
        raise FatalError(f"{where} has other bytes than zeros after its end")


def cut_off(where: str) -> FatalError:
    """The error for a file that ends too early."""
    return FatalError(f"{where} is cut off", "get the file again")


def _shown(name: str) -> str:
    return name if name.isprintable() else ascii(name)
