"""Buckets of Google Cloud Storage and of Azure as pods read them: by `gs_get` and `az_get`, without their SDKs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from envtag.errors import FatalError, UnreachableError
from envtag.pods import az_get, gs_get
from envtag.pods.plain_get import Refused
from envtag.store import Store, open_store
from envtag.store.attempts import ATTEMPTS, pause
from envtag.store.azure import AzureStore
from envtag.store.base import file_error
from envtag.store.gcs import GcsStore

_BLOCK = 1 << 20
_TIMEOUT_SECONDS = 60
_PARTIAL, _NOT_FOUND, _BUSY, _FAILING = 206, 404, 429, 500


def open_cloud(url: str) -> Store:
    """Open a store of Google's or Azure's that is only read.

    Raises:
        FatalError: It is the URL of none.
    """
    store = open_store(url)
    if isinstance(store, GcsStore):
        return GcsReader(bucket=store.bucket, prefix=store.prefix)
    if isinstance(store, AzureStore):
        return AzureReader(account=store.account, container=store.container, prefix=store.prefix)
    return store


class _BrokenError(Exception):
    """An answer that ended before it was whole."""


class _Reading:
    """How both are read; whatever else is asked of them is asked by their SDKs.

    A class of this kind has `url`, `_name`, `_who` (`gs_get` or `az_get`), and the header that names a version.
    """

    __slots__ = ()

    url: str
    _who: Any
    _header: str
    _secrets: list[Any]
    _finding: threading.Lock
    _name: Callable[[str], str]

    @contextmanager
    def _asking(self, verb: str, key: str) -> Iterator[None]:
        del verb
        try:
            yield
        except OSError as error:
            raise file_error(error, key, self.url) from error

    def _receive(self, key: str, receive: Callable[[bytes], Any]) -> str | None:
        """Hand an object's bytes over, block by block, a broken stream taken up where it broke; its version, or None.

        Raises:
            FatalError: The server says no, or there are no credentials.
            UnreachableError: It does not answer to the end.
        """
        self._name(key)
        count, version, said = 0, "", ""
        for attempt in range(ATTEMPTS):
            if attempt:
                pause(attempt - 1)
            try:
                with closing(self._blocks(key, count, version)) as blocks:
                    for block, version in blocks:  # noqa: B007 - the last one is kept
                        receive(block)
                        count += len(block)
            except HTTPError as error:
                error.close()
                if error.code == _NOT_FOUND:
                    return None
                said = f"the server says {error.code} {error.reason}"
                if error.code < _FAILING and error.code != _BUSY:
                    raise FatalError(
                        f"cannot read `{key}` in {self.url}: {said}",
                        "check that who the pod runs as may read there, and the variables that say where it is",
                    ) from error
            except _BrokenError as error:
                said = str(error)
            else:
                return version
        raise UnreachableError(f"cannot read `{key}` in {self.url}: {said}", "try again")

    def _blocks(self, key: str, count: int, version: str) -> Generator[tuple[bytes, str], None, None]:
        """The blocks of an answer after the first bytes, each with the object's version; at least one.

        Raises:
            HTTPError: The server says no.
            FatalError: It is another version by now.
            _BrokenError: It does not answer, or breaks off.
        """
        url, headers = self._who.request(self.url, key, self._credentials(), count)
        try:
            with urlopen(Request(url, headers=headers), timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
                found = str(answer.headers.get(self._header, ""))
                if count and (found != version or answer.status != _PARTIAL):
                    raise FatalError(f"`{key}` in {self.url} was replaced while it was being read", "try again")
                left = int(answer.headers.get("Content-Length", 0))
                while block := answer.read(_BLOCK):
                    left -= len(block)
                    yield block, found
                if left > 0:
                    raise _BrokenError("the answer broke off")
                yield b"", found
        except HTTPError:
            raise
        except (OSError, HTTPException) as error:
            raise _BrokenError(f"no answer, or the connection broke ({type(error).__name__})") from error

    def _credentials(self) -> Any:
        """Who asks; found once, by the first thread to need it.

        Raises:
            FatalError: Credentials cannot be had.
        """
        with self._finding:
            if not self._secrets:
                try:
                    self._secrets.append(self._who.credentials(self.url))
                except Refused as error:
                    raise FatalError(f"the credentials for {self.url} cannot be had: {error}") from error
                except (OSError, LookupError, ValueError) as error:
                    raise FatalError(f"the credentials for {self.url} cannot be had: {error!r}") from error
            return self._secrets[0]


@dataclass(slots=True, kw_only=True)
class GcsReader(_Reading, GcsStore):
    """A bucket of Google Cloud Storage."""

    _who: Any = gs_get
    _header: str = "X-Goog-Generation"
    _secrets: list[Any] = field(default_factory=list, repr=False)
    _finding: threading.Lock = field(default_factory=threading.Lock, repr=False)


@dataclass(slots=True, kw_only=True)
class AzureReader(_Reading, AzureStore):
    """A container of Azure Blob Storage."""

    _who: Any = az_get
    _header: str = "ETag"
    _secrets: list[Any] = field(default_factory=list, repr=False)
    _finding: threading.Lock = field(default_factory=threading.Lock, repr=False)
