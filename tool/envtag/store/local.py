"""A store in a directory: safe for any number of processes, and after a crash of any of them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from envtag.errors import FatalError
from envtag.store.base import Entry, Progress, file_error, key_parts, wrong_bytes, wrong_size, wrong_source
from envtag.urls import check_public, file_path
from envtag.util.canonical import sha256_hex
from envtag.util.files import create_exclusive, link_exclusive, staged, sync_directory, write_atomic
from envtag.util.locks import file_lock

_BLOCK = 1 << 20
_LOCKS = ".locks"


def open_url(url: str) -> LocalStore:
    """Open the store in the directory that a `file:///` URL names.

    Raises:
        FatalError: The URL names a host or no absolute path, or holds a credential.
    """
    root = file_path(check_public(url, "store"))
    if root is None:
        raise FatalError(f"`{url}` does not name a directory of this machine", "write `file:///absolute/path`")
    return LocalStore(url=url, root=root)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalStore:
    """Files below one directory; see `Store` for what each method promises.

    Create-only is `link(2)`: it is atomic and fails if the name is taken. Compare-and-swap holds a lock beside
    the object. Directories are made when they are needed; a root that does not exist is an empty store.
    """

    url: str
    root: Path

    def read(self, key: str) -> bytes | None:
        """See `Store.read`."""
        with self._naming(key):
            try:
                return self._path(key).read_bytes()
            except FileNotFoundError:
                return None

    def size(self, key: str) -> int | None:
        """See `Store.size`."""
        with self._naming(key):
            try:
                return self._path(key).stat().st_size
            except FileNotFoundError:
                return None

    def local_path(self, key: str) -> Path | None:
        """See `Store.local_path`."""
        path = self._path(key)
        return path if path.is_file() else None

    def download(self, key: str, target: Path, sha256: str, progress: Progress | None = None) -> bool:
        """See `Store.download`."""
        with self._naming(key):
            try:
                source = self._path(key).open("rb")
            except FileNotFoundError:
                return False
            with source:
                target.parent.mkdir(parents=True, exist_ok=True)
                with staged(target) as temporary:
                    got, _ = _copy(source, temporary, progress)
                    if got != sha256:
                        raise wrong_bytes(key, sha256, got, self.url)
                    temporary.chmod(0o644)
                    temporary.replace(target)
        return True

    def create(self, key: str, source: Path | bytes, sha256: str) -> bool:
        """See `Store.create`."""
        path = self._path(key)
        with self._naming(key):
            expected = len(source) if isinstance(source, bytes) else source.stat().st_size
            if self._is_there(key, expected):
                return False
            path.parent.mkdir(parents=True, exist_ok=True)
            with staged(path) as temporary, _opened(source) as stream:
                got, count = _copy(stream, temporary, None)
                if got != sha256:
                    raise wrong_source(key, sha256, got)
                temporary.chmod(0o644)
                if link_exclusive(temporary, path):
                    sync_directory(path.parent)
                    return True
            self._is_there(key, count)
            return False

    def read_versioned(self, key: str) -> tuple[bytes, str] | None:
        """See `Store.read_versioned`; the token is the content's hash."""
        data = self.read(key)
        return None if data is None else (data, sha256_hex(data))

    def swap(self, key: str, data: bytes, expected: str | None) -> bool:
        """See `Store.swap`."""
        path = self._path(key)
        with self._naming(key), file_lock(self.root / _LOCKS / f"{sha256_hex(key.encode())[:32]}.lock"):
            current = self.read_versioned(key)
            if (current[1] if current else None) != expected:
                return False
            if current is None:
                return create_exclusive(path, data)
            write_atomic(path, data)
            return True

    def list(self, prefix: str) -> Iterator[Entry]:
        """See `Store.list`."""
        start = self.root / prefix.rpartition("/")[0]
        found: list[Entry] = []
        for directory, names, files in os.walk(start):
            names[:] = [name for name in names if not name.startswith(".")]
            for name in files:
                path = Path(directory, name)
                key = path.relative_to(self.root).as_posix()
                if name.startswith(".") or not key.startswith(prefix):
                    continue
                try:
                    status = path.stat()
                except FileNotFoundError:
                    continue  # deleted since the directory was read
                modified = datetime.fromtimestamp(status.st_mtime, timezone.utc)
                found.append(Entry(key=key, size=status.st_size, modified=modified))
        yield from sorted(found, key=lambda entry: entry.key)

    def delete(self, key: str) -> None:
        """See `Store.delete`."""
        with self._naming(key):
            self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self.root.joinpath(*key_parts(key))

    def _is_there(self, key: str, expected: int) -> bool:
        there = self.size(key)
        if there is not None and there != expected:
            raise wrong_size(key, expected, there, self.url)
        return there is not None

    @contextmanager
    def _naming(self, key: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise file_error(error, key, self.url) from error


@contextmanager
def _opened(source: Path | bytes) -> Iterator[BinaryIO]:
    with BytesIO(source) if isinstance(source, bytes) else source.open("rb") as stream:
        yield stream


def _copy(source: BinaryIO, target: Path, progress: Progress | None) -> tuple[str, int]:
    digest = hashlib.sha256()
    count = 0
    with target.open("wb") as stream:
        while block := source.read(_BLOCK):
            digest.update(block)
            stream.write(block)
            count += len(block)
            if progress is not None:
                progress(len(block))
        stream.flush()
        os.fsync(stream.fileno())
    return digest.hexdigest(), count
