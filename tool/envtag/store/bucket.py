"""What the stores of the clouds have in common: keys below a prefix, reads that stream, creations that begin anew."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envtag.store.attempts import ATTEMPTS, pause
from envtag.store.base import Progress, contended, key_parts, wrong_bytes, wrong_size
from envtag.urls import check_public
from envtag.util.files import staged


@dataclass(slots=True, kw_only=True)
class Bucket(ABC):
    """Objects below one prefix of a bucket; see `Store` for what each method promises.

    Attributes:
        prefix: What each key starts with, without a trailing slash; may be empty.
    """

    prefix: str

    @property
    @abstractmethod
    def url(self) -> str:
        """See `Store.url`."""

    @abstractmethod
    def size(self, key: str) -> int | None:
        """See `Store.size`."""

    @abstractmethod
    def _asking(self, verb: str, key: str) -> AbstractContextManager[None]:
        """Turn what the SDK and the file system raise while a thing is done to an object into `FatalError`."""

    @abstractmethod
    def _receive(self, key: str, receive: Callable[[bytes], Any]) -> str | None:
        """Hand an object's bytes over, block by block, all of one version of it; its token, or None if it is absent."""

    @abstractmethod
    def _create(self, key: str, source: Path | bytes, sha256: str, size: int) -> bool | None:
        """Write an object where there is none: True, or False if there is one; None if a writer was in the way."""

    def read(self, key: str) -> bytes | None:
        """See `Store.read`."""
        found = self.read_versioned(key)
        return None if found is None else found[0]

    def read_versioned(self, key: str) -> tuple[bytes, str] | None:
        """See `Store.read_versioned`."""
        data = bytearray()
        with self._asking("read", key):
            version = self._receive(key, data.extend)
        return None if version is None else (bytes(data), version)

    def download(self, key: str, target: Path, sha256: str, progress: Progress | None = None) -> bool:
        """See `Store.download`."""
        digest = hashlib.sha256()
        with self._asking("read", key):
            target.parent.mkdir(parents=True, exist_ok=True)
            with staged(target) as temporary:
                with temporary.open("wb") as stream:

                    def receive(block: bytes) -> None:
                        digest.update(block)
                        stream.write(block)
                        if progress is not None:
                            progress(len(block))

                    if self._receive(key, receive) is None:
                        return False
                if digest.hexdigest() != sha256:
                    raise wrong_bytes(key, sha256, digest.hexdigest(), self.url)
                temporary.chmod(0o644)
                temporary.replace(target)
        return True

    def create(self, key: str, source: Path | bytes, sha256: str) -> bool:
        """See `Store.create`."""
        with self._asking("write", key):
            for attempt in range(ATTEMPTS):
                size = len(source) if isinstance(source, bytes) else source.stat().st_size
                made = self._create(key, source, sha256, size)
                if made or (made is False and self._is_there(key, size)):
                    return bool(made)
                pause(attempt)
        raise contended(key, self.url)

    def local_path(self, key: str) -> Path | None:
        """See `Store.local_path`: nothing of a bucket is a file here."""
        key_parts(key)
        return None

    def _name(self, key: str) -> str:
        """The name of an object in the bucket."""
        return "/".join((*([self.prefix] if self.prefix else []), *key_parts(key)))

    def _is_there(self, key: str, expected: int) -> bool:
        there = self.size(key)
        if there is not None and there != expected:
            raise wrong_size(key, expected, there, self.url)
        return there is not None


def split_url(url: str, names: int) -> tuple[str, ...] | None:
    """What a URL names in its first parts, and the prefix after them.

    Args:
        url: `SCHEME://NAME[/NAME…]/PREFIX`.
        names: How many names come before the prefix.

    Returns:
        The names, each empty if it is not there, and the prefix; None if the prefix is not in plain form.

    Raises:
        FatalError: It holds a credential.
    """
    check_public(url, "store")
    *found, prefix = (*url.partition("://")[2].split("/", names), *[""] * (names + 1))[: names + 1]
    prefix = prefix.rstrip("/")
    if set("?#\\") & set(prefix) or any(part in {"", ".", ".."} for part in prefix.split("/") if prefix):
        return None
    return (*found, prefix)
