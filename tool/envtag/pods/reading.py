"""How a store is read where the standard library is all there is: what the readers of each kind have in common."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import OpenerDirector, Request

from envtag.errors import FatalError, UnreachableError
from envtag.pods.plain_get import Refused, no_other, opened
from envtag.store.attempts import ATTEMPTS, pause
from envtag.store.base import file_error

_BLOCK = 1 << 20
_TIMEOUT_SECONDS = 60
_PARTIAL, _NOT_FOUND, _BUSY, _FAILING = 206, 404, 429, 500


class _BrokenError(Exception):
    """An answer that ended before it was whole."""


class Reading:
    """How the objects of a store are read; whatever else is asked of it is asked by its SDK.

    A class of this kind has `url`, `_name`, the header that names a version, and `_who`: `s3_get`, `gs_get` or
    `az_get`. `_found` has who asks, and what asks, once they were needed.
    """

    __slots__ = ()

    url: str
    _who: Any
    _header: str
    _found: list[Any]
    _finding: threading.Lock
    _name: Callable[[str], str]
    _elsewhere = staticmethod(no_other)

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
                elsewhere = self._elsewhere(self._found[0], error.headers)
                if elsewhere:
                    self._found[0] = elsewhere
                elif error.code < _FAILING and error.code != _BUSY:
                    raise FatalError(
                        f"cannot read `{key}` in {self.url}: {said}",
                        "check that the pod's role may read there, and the variables that say where it is",
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
        secrets, opener = self._asking_by()
        url, headers = self._who.request(self.url, key, secrets, count)
        try:
            with opener.open(Request(url, headers=headers), timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
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

    def _asking_by(self) -> tuple[Any, OpenerDirector]:
        """Who asks, and what asks; found once, by the first thread to need it.

        Raises:
            FatalError: Credentials cannot be had.
        """
        with self._finding:
            if not self._found:
                try:
                    self._found += [self._who.credentials(self.url), opened()]
                except Refused as error:
                    raise FatalError(f"the credentials for {self.url} cannot be had: {error}") from error
                except (OSError, LookupError, ValueError) as error:
                    raise FatalError(f"the credentials for {self.url} cannot be had: {error!r}") from error
            return self._found[0], self._found[1]
