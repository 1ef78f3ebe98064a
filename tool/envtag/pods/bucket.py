"""A bucket of S3 as pods read it: by `s3_get`, since loading boto takes longer than fetching what hydrates."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPSHandler, OpenerDirector, Request, build_opener

from envtag.errors import FatalError, UnreachableError
from envtag.pods import s3_get
from envtag.store import Store, open_store
from envtag.store.attempts import ATTEMPTS, pause
from envtag.store.base import file_error
from envtag.store.s3 import S3Store, open_url

_BLOCK = 1 << 20
_TIMEOUT_SECONDS = 60
_NOT_FOUND, _REPLACED, _BUSY, _FAILING = 404, 412, 429, 500


def open_reader(url: str) -> Store:
    """Open a store that is only read.

    Raises:
        FatalError: It is the URL of none.
    """
    if url.startswith(("gs://", "az://")):
        from envtag.pods.cloud import open_cloud

        return open_cloud(url)
    if not url.startswith("s3://"):
        return open_store(url)
    found = open_url(url)
    return Reader(bucket=found.bucket, prefix=found.prefix)


class _BrokenError(Exception):
    """An answer that ended before it was whole."""


@dataclass(slots=True, kw_only=True)
class Reader(S3Store):
    """A store whose objects are read without boto; whatever else is asked of it is asked by boto."""

    _region: str = ""
    _secrets: tuple[str, ...] = ()
    _opener: OpenerDirector | None = None
    _opening: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @contextmanager
    def _asking(self, verb: str, key: str) -> Iterator[None]:
        del verb
        try:
            yield
        except OSError as error:
            raise file_error(error, key, self.url) from error

    def _receive(self, key: str, receive: Callable[[bytes], Any]) -> str | None:
        """Hand an object's bytes over, block by block, a broken stream taken up where it broke; its ETag, or None."""
        name, count, version, said = self._name(key), 0, "", ""
        for attempt in range(ATTEMPTS):
            if attempt:
                pause(attempt - 1)
            rest = {"range": f"bytes={count}-", "if-match": version} if count else {}
            try:
                with closing(self._blocks(name, rest)) as blocks:
                    for block, version in blocks:  # noqa: B007 - the last one is kept
                        receive(block)
                        count += len(block)
            except HTTPError as error:
                error.close()
                if error.code == _NOT_FOUND:
                    return None
                said = self._refused(error, key)
            except _BrokenError as error:
                said = str(error)
            else:
                return version
        raise UnreachableError(f"cannot read `{key}` in {self.url}: {said}", "try again")

    def _blocks(self, name: str, rest: dict[str, str]) -> Generator[tuple[bytes, str], None, None]:
        """The blocks of an answer, each with the ETag; at least one.

        Raises:
            HTTPError: The server says no.
            _BrokenError: It does not answer, or breaks off.
        """
        opener = self._opened()
        url, headers = s3_get.signed(self.bucket, name, self._secrets, self._region)
        try:
            with opener.open(Request(url, headers={**headers, **rest}), timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
                left, version = int(answer.headers.get("Content-Length", 0)), str(answer.headers.get("ETag", ""))
                while block := answer.read(_BLOCK):
                    left -= len(block)
                    yield block, version
                if left > 0:
                    raise _BrokenError("the answer broke off")
                yield b"", version
        except HTTPError:
            raise
        except (OSError, HTTPException) as error:
            raise _BrokenError(f"no answer, or the connection broke ({type(error).__name__})") from error

    def _opened(self) -> OpenerDirector:
        """What asks; the first to need it looks for credentials.

        Raises:
            FatalError: Credentials cannot be had.
        """
        with self._opening:
            if self._opener is None:
                trusted = s3_get.env.get("AWS_CA_BUNDLE") or s3_get.env.get("REQUESTS_CA_BUNDLE")
                try:
                    self._region, self._secrets = s3_get.region(), s3_get.credentials()
                    context = ssl.create_default_context(cafile=trusted)
                except (OSError, LookupError, ValueError) as error:
                    raise FatalError(f"the credentials for {self.url} cannot be had: {error!r}") from error
                self._opener = build_opener(HTTPSHandler(context=context))
            return self._opener

    def _refused(self, error: HTTPError, key: str) -> str:
        """What the server says, where it may say something else if it is asked again.

        Raises:
            FatalError: It will not.
        """
        right = error.headers.get("x-amz-bucket-region", "")
        if right and right != self._region:
            self._region = right
        elif error.code == _REPLACED:
            raise FatalError(f"`{key}` in {self.url} was replaced while it was being read", "try again")
        elif error.code < _FAILING and error.code != _BUSY:
            raise FatalError(
                f"cannot read `{key}` in {self.url}: the server says {error.code} {error.reason}",
                "check that the pod's role may read there, and the variables AWS_REGION and METAFLOW_S3_ENDPOINT_URL",
            )
        return f"the server says {error.code} {error.reason}"
