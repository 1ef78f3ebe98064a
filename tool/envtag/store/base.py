"""What every store promises, whoever keeps the bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Protocol

from envtag.errors import DamagedError, FatalError

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One object of a listing.

    Attributes:
        key: Its key, `/`-separated.
        size: In bytes.
        modified: When it was last written, in UTC.
    """

    key: str
    size: int
    modified: datetime


class Store(Protocol):
    """A flat map of keys to bytes in which an object is there whole or not at all.

    Every write is conditional on the server's side (`If-None-Match: *`, generation 0, `link(2)`), so of any
    number of writers one wins and the others are told. All errors are `FatalError` naming the key.
    """

    @property
    def url(self) -> str:
        """The URL that the store was opened by."""

    def read(self, key: str) -> bytes | None:
        """An object's bytes, or None if it is not there. For small objects."""

    def size(self, key: str) -> int | None:
        """An object's size in bytes, or None if it is not there."""

    def download(self, key: str, target: Path, sha256: str, progress: Progress | None = None) -> bool:
        """Copy an object to a file, hashing it on the way; the file appears whole and right or not at all.

        Args:
            key: The object's key.
            target: The file; its directory is made, an older file is replaced.
            sha256: 64 hex digits that the bytes must have.
            progress: Called with the number of bytes of each block.

        Returns:
            False if the object is not there.

        Raises:
            DamagedError: The object has other bytes.
        """

    def create(self, key: str, source: Path | bytes, sha256: str) -> bool:
        """Write an object only where there is none, hashing the bytes on the way in.

        Returns:
            True if this call created it, False if it was there.

        Raises:
            FatalError: The source does not have that hash, or what is there has another size.
        """

    def read_versioned(self, key: str) -> tuple[bytes, str] | None:
        """An object's bytes with an opaque token of this version of it, or None if it is not there."""

    def swap(self, key: str, data: bytes, expected: str | None) -> bool:
        """Replace an object if it still is the version that was read (compare and swap).

        Args:
            key: The object's key.
            data: The new bytes.
            expected: The token from `read_versioned`; None if there must be no object.

        Returns:
            False if another writer was first; nothing is changed then.
        """

    def list(self, prefix: str) -> Iterator[Entry]:
        """The objects whose keys start with a prefix, sorted by key."""

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is fine."""

    def local_path(self, key: str) -> Path | None:
        """The file that holds an object and can be read in place, or None (not there, or not a file here)."""


def key_parts(key: str) -> tuple[str, ...]:
    """The segments of a key; one that is empty, hidden or not in its plain form is a mistake of the program.

    Raises:
        ValueError: It is not a key.
    """
    parts = PurePosixPath(key).parts
    if "/".join(parts) != key or any(part.startswith(".") for part in parts) or not parts or "\\" in key:
        raise ValueError(f"not a key: {key!r}")
    return parts


def wrong_bytes(key: str, expected: str, got: str, where: str) -> DamagedError:
    """The error for an object whose bytes are not those that its hash promises."""
    return DamagedError(
        f"`{key}` in {where} has other bytes than promised: expected sha256 {expected}, got {got}",
        "it was tampered with or is damaged: remove it there and publish its environment again",
    )


def wrong_source(key: str, expected: str, got: str) -> DamagedError:
    """The error for bytes that were to be stored under a hash that is not theirs."""
    return DamagedError(f"what was to be stored as `{key}` has sha256 {got}, expected {expected}")


def wrong_size(key: str, expected: int, got: int, where: str) -> FatalError:
    """The error for an object that is in the way of one with another size."""
    return FatalError(
        f"`{key}` is already in {where} with {got} bytes, expected {expected}",
        "an object is never replaced: find out which of the two is right, remove the wrong one and publish again",
    )


def contended(key: str, where: str) -> FatalError:
    """The error for an object of which each attempt to write it met another writer."""
    return FatalError(f"`{key}` in {where} is being written by others again and again", "try again")


def file_error(error: OSError, key: str, where: str) -> FatalError:
    """The error for a file, here or of the store, that cannot be read or written."""
    name = f" ({error.filename})" if error.filename else ""
    return FatalError(f"`{key}` in the store {where}: {error.strerror or error}{name}")
