"""A store in a bucket of Google Cloud Storage."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

from envtag.errors import FatalError
from envtag.store.attempts import ATTEMPTS, pause
from envtag.store.base import Entry, key_parts, wrong_source
from envtag.store.bucket import Bucket, split_url
from envtag.store.gcs_client import Connection, connect, may_pass
from envtag.store.gcs_errors import NO_BUCKET, RefusalError, asking
from envtag.store.gcs_upload import WRITER, Upload, description, hashes, put_whole

_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_GENERATION = re.compile(r"[1-9][0-9]*")
_GENERATION_HEADER = "X-Goog-Generation"
_BLOCK = 1 << 20
_ABSENT = "0"  # the generation of what is not there


def open_url(url: str) -> GcsStore:
    """Open the store that a `gs://BUCKET/PREFIX` URL names; nothing is asked yet.

    Raises:
        FatalError: It names no bucket, holds a credential or a query, or its prefix is not in plain form.
    """
    found = split_url(url, 1)
    if found is None or not _BUCKET.fullmatch(found[0]):
        raise FatalError(f"`{url.partition('?')[0]}` names no bucket and prefix", "write `gs://BUCKET/PREFIX`")
    return GcsStore(bucket=found[0], prefix=found[1])


@dataclass(slots=True, kw_only=True)
class GcsStore(Bucket):
    """Objects below one prefix of a bucket; see `Store` for what each method promises.

    As whom to ask is what Google's application default credentials say. Requests are made again, a bounded number of
    times, after throttling and broken connections. A condition that is refused is an answer, unless the refusal
    follows a lost answer: then the object says whether the first request made it.

    Attributes:
        bucket: The bucket's name.
        prefix: What each key starts with, without a trailing slash; may be empty.
        whole_bytes: A larger source is sent in chunks; a smaller one is held in memory.
        chunk_bytes: The size of a chunk, a multiple of 256 KiB; each is held in memory while it is sent.
    """

    bucket: str
    whole_bytes: int = 8 << 20
    chunk_bytes: int = 8 << 20
    _made: Connection | FatalError | None = None
    _making: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def url(self) -> str:
        """See `Store.url`."""
        return f"gs://{self.bucket}/{self.prefix}".rstrip("/")

    def size(self, key: str) -> int | None:
        """See `Store.size`."""
        found = self._resource(key)
        return None if found is None else int(found["size"])

    def swap(self, key: str, data: bytes, expected: str | None) -> bool:
        """See `Store.swap`."""
        with asking("write", key, self.url):
            if expected is not None and not _GENERATION.fullmatch(expected):
                key_parts(key)
                return False
            return self._put(key, data, expected or _ABSENT)

    def list(self, prefix: str) -> Iterator[Entry]:
        """See `Store.list`; what is no key (the `directory/` marks of some tools) is left out."""
        base = f"{self.prefix}/" if self.prefix else ""
        fields = "items(name,size,timeCreated),nextPageToken"
        query = {"prefix": base + prefix, "fields": fields, "maxResults": "1000"}
        with asking("list", prefix, self.url):
            while True:
                page = self._connection().ask("GET", self._connection().objects(self.bucket), query=query)
                found = _json(page.response)
                for item in found.get("items", ()):
                    key = item["name"][len(base) :]
                    with suppress(ValueError):
                        key_parts(key)
                        yield Entry(key=key, size=int(item["size"]), modified=_time(item["timeCreated"]))
                if not found.get("nextPageToken"):
                    return
                query["pageToken"] = found["nextPageToken"]

    def delete(self, key: str) -> None:
        """See `Store.delete`."""
        name = self._name(key)
        with asking("delete", key, self.url):
            self._ask_object("DELETE", name)

    def _asking(self, verb: str, key: str) -> AbstractContextManager[None]:
        return asking(verb, key, self.url)

    def _connection(self) -> Connection:
        """The one connection of all threads, made when it is first needed; what fails then is not tried by each."""
        with self._making:
            if self._made is None:
                try:
                    self._made = connect(self.url)
                except FatalError as error:
                    self._made = error
            if isinstance(self._made, FatalError):
                raise self._made
            return self._made

    def _ask_object(self, method: str, name: str, query: dict[str, str] | None = None, **more: Any) -> Any:
        """The answer to a request about an object, or None if it is not there."""
        connection = self._connection()
        try:
            return connection.ask(method, connection.objects(self.bucket, name), query=query, **more).response
        except RefusalError as error:
            if error.status == HTTPStatus.NOT_FOUND and error.reason != NO_BUCKET:
                return None
            raise

    def _resource(self, key: str) -> Any:
        """What the server says of an object, or None if it is not there."""
        name = self._name(key)
        with asking("read", key, self.url):
            found = self._ask_object("GET", name, {"fields": "size,metadata"})
            return None if found is None else _json(found)

    def _receive(self, key: str, receive: Callable[[bytes], Any]) -> str | None:
        """Hand an object's bytes over, block by block, a broken stream taken up where it broke; its generation."""
        import requests

        count = attempt = 0
        generation = ""
        while True:
            attempt += 1
            answer = self._open(key, count, generation)
            if answer is None:
                return None
            with closing(answer):
                generation = str(answer.headers[_GENERATION_HEADER])
                end = count + int(answer.headers.get("Content-Length", 0))
                try:
                    for block in answer.iter_content(_BLOCK):
                        receive(block)
                        count += len(block)
                except requests.RequestException as error:
                    if not may_pass(error) or attempt == ATTEMPTS:
                        raise
                else:
                    if count >= end:  # older versions of urllib3 do not say that a body is cut off
                        return generation
                    if attempt == ATTEMPTS:
                        raise requests.exceptions.ChunkedEncodingError
            pause(attempt - 1)

    def _open(self, key: str, count: int, generation: str) -> Any:
        """The answer with an object's bytes after the first ones, of the same generation; None if it is not there."""
        query = {"alt": "media"} | ({"ifGenerationMatch": generation} if count else {})
        headers = {"Range": f"bytes={count}-"} if count else {}
        changed = {HTTPStatus.PRECONDITION_FAILED} if count else set()
        answer = self._ask_object("GET", self._name(key), query, headers=headers, stream=True, expected=changed)
        if answer is None:
            return None
        if answer.status_code in changed:
            answer.close()
            raise FatalError(f"`{key}` in {self.url} was replaced while it was being read", "try again")
        lacking = "noRanges" if count and answer.status_code != HTTPStatus.PARTIAL_CONTENT else ""
        if not _GENERATION.fullmatch(answer.headers.get(_GENERATION_HEADER, "")):
            lacking = "noGeneration"
        if lacking:
            answer.close()
            raise RefusalError(HTTPStatus.NOT_IMPLEMENTED, lacking)
        return answer

    def _create(self, key: str, source: Path | bytes, sha256: str, size: int) -> bool | None:
        """Write an object where there is none: True, or False if there is one; None if it is to be tried again."""
        if size <= self.whole_bytes:
            data = source if isinstance(source, bytes) else source.read_bytes()
            got = hashlib.sha256(data).hexdigest()
            if got != sha256:
                raise wrong_source(key, sha256, got)
            return self._put(key, data, _ABSENT)
        if self._is_there(key, size):
            return False
        with BytesIO(source) if isinstance(source, bytes) else source.open("rb") as stream:
            got, md5 = hashes(stream)
            if got != sha256:
                raise wrong_source(key, sha256, got)
            writer = uuid4().hex
            connection = self._connection()
            upload = Upload(
                connection=connection,
                url=connection.uploads(self.bucket),
                query={"name": self._name(key), "ifGenerationMatch": _ABSENT},
                resource=description(writer, md5),
                size=size,
                chunk_bytes=self.chunk_bytes,
            )
            written = upload.run(stream)
        return written or self._wrote(key, writer) or written

    def _put(self, key: str, data: bytes, generation: str) -> bool:
        """Write an object in place of a generation, its hash checked by the server; whether it was that."""
        writer = uuid4().hex
        connection = self._connection()
        query = {"name": self._name(key), "ifGenerationMatch": generation}
        answer = put_whole(connection, connection.uploads(self.bucket), query, writer, data)
        return answer.status != HTTPStatus.PRECONDITION_FAILED or (answer.again and self._wrote(key, writer))

    def _wrote(self, key: str, writer: str) -> bool:
        """Whether what is there now was written by this writer."""
        found = self._resource(key)
        return found is not None and found.get("metadata", {}).get(WRITER) == writer


def _json(response: Any) -> Any:
    """The body of an answer that must be JSON."""
    try:
        return response.json()
    except ValueError:
        raise RefusalError(HTTPStatus.NOT_IMPLEMENTED, "noJson") from None


def _time(text: str) -> datetime:
    """A time as the server writes it (RFC 3339 in UTC), to the second."""
    return datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
