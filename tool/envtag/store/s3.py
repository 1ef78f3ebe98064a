"""A store in a bucket of S3, or of anything that speaks its protocol with conditional writes."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass, field
from datetime import timezone
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

from envtag.errors import FatalError
from envtag.store.attempts import ATTEMPTS, pause
from envtag.store.base import Entry, contended, key_parts, wrong_source
from envtag.store.bucket import Bucket, split_url
from envtag.store.s3_client import asking, code, connect
from envtag.store.s3_parts import Upload, checksum, part_size
from envtag.store.s3_puts import OtherBytesError
from envtag.util.canonical import sha256_hex

_BUCKET = re.compile(r"[A-Za-z0-9._-]{1,255}")
_BLOCK = 1 << 20
#: A file up to this size is sent out of memory, at once (see `s3_puts`); of larger ones no more than a block is held.
_WHOLE_BYTES = 2 << 20
#: Who wrote an object: how a writer knows its own work again when the answer to it was lost.
_WRITER = "envtag-write"
_TAKEN = frozenset({"412", "PreconditionFailed"})
_CONFLICT = frozenset({"409", "ConditionalRequestConflict", "OperationAborted"})
_ABSENT = frozenset({"404", "NoSuchKey", "NotFound"})
_UNEXPLAINED = frozenset({"400", "403"})


def open_url(url: str) -> S3Store:
    """Open the store that an `s3://BUCKET/PREFIX` URL names; nothing is asked yet.

    Raises:
        FatalError: It names no bucket, holds a credential or a query, or its prefix is not in plain form.
    """
    found = split_url(url, 1)
    if found is None or not _BUCKET.fullmatch(found[0]):
        raise FatalError(f"`{url.partition('?')[0]}` names no bucket and prefix", "write `s3://BUCKET/PREFIX`")
    return S3Store(bucket=found[0], prefix=found[1])


@dataclass(slots=True, kw_only=True)
class S3Store(Bucket):
    """Objects below one prefix of a bucket; see `Store` for what each method promises.

    Where, as whom and how to ask is boto's own configuration. Requests are made again, a bounded number of times,
    after throttling and broken connections. A condition that is refused is an answer, unless the refusal follows a
    lost answer: then the object says whether the first request made it.

    Attributes:
        bucket: The bucket's name.
        prefix: What each key starts with, without a trailing slash; may be empty.
        multipart_bytes: A larger source is sent in parts.
        part_bytes: The size of a part, larger where there would be too many.
    """

    bucket: str
    multipart_bytes: int = 64 << 20
    part_bytes: int = 8 << 20
    _made: Any = None
    _making: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def url(self) -> str:
        """See `Store.url`."""
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def size(self, key: str) -> int | None:
        """See `Store.size`."""
        head = self._head(key)
        return None if head is None else int(head["ContentLength"])

    def swap(self, key: str, data: bytes, expected: str | None) -> bool:
        """See `Store.swap`."""
        condition = {"IfNoneMatch": "*"} if expected is None else {"IfMatch": expected}
        with asking("write", key, self.url):
            for attempt in range(ATTEMPTS):
                written = self._put(key, data, sha256_hex(data), condition)
                if written is not None:
                    return written
                pause(attempt)
        raise contended(key, self.url)

    def list(self, prefix: str) -> Iterator[Entry]:
        """See `Store.list`; what is no key (the `directory/` marks of some tools) is left out."""
        base = f"{self.prefix}/" if self.prefix else ""
        with asking("list", prefix, self.url):
            pages = self._client().get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=base + prefix)
            for page in pages:
                for item in page.get("Contents", ()):
                    key = item["Key"][len(base) :]
                    with suppress(ValueError):
                        key_parts(key)
                        modified = item["LastModified"].astimezone(timezone.utc)
                        yield Entry(key=key, size=item["Size"], modified=modified)

    def delete(self, key: str) -> None:
        """See `Store.delete`."""
        name = self._name(key)
        with asking("delete", key, self.url):
            self._client().delete_object(Bucket=self.bucket, Key=name)

    def _asking(self, verb: str, key: str) -> AbstractContextManager[None]:
        return asking(verb, key, self.url)

    def _client(self) -> Any:
        """The one client of all threads, made when it is first needed."""
        with self._making:
            if self._made is None:
                self._made = connect(self.url)
            return self._made

    def _head(self, key: str) -> Any:
        from botocore.exceptions import ClientError

        name = self._name(key)
        with asking("read", key, self.url):
            try:
                return self._client().head_object(Bucket=self.bucket, Key=name)
            except ClientError as error:
                if code(error) in _ABSENT:
                    return None
                if code(error) in _UNEXPLAINED:  # the answer to HEAD has no body: GET is told why
                    self._client().get_object(Bucket=self.bucket, Key=name, Range="bytes=0-0")["Body"].close()
                raise

    def _receive(self, key: str, receive: Callable[[bytes], Any]) -> str | None:
        """Hand an object's bytes over, block by block, a broken stream taken up where it broke; its ETag, or None."""
        from botocore import exceptions as boto

        name = self._name(key)
        count = 0
        version = ""
        for attempt in range(ATTEMPTS):
            rest = {"Range": f"bytes={count}-", "IfMatch": version} if count else {}
            try:
                answer = self._client().get_object(Bucket=self.bucket, Key=name, **rest)
            except boto.ClientError as error:
                if code(error) in _ABSENT:
                    return None
                if code(error) in _TAKEN:
                    break
                raise
            version = str(answer["ETag"])
            with closing(answer["Body"]) as body:
                try:
                    for block in body.iter_chunks(_BLOCK):
                        receive(block)
                        count += len(block)
                except (boto.HTTPClientError, boto.IncompleteReadError):
                    if attempt + 1 == ATTEMPTS:
                        raise
                else:
                    return version
            pause(attempt)
        raise FatalError(f"`{key}` in {self.url} was replaced while it was being read", "try again")

    def _create(self, key: str, source: Path | bytes, sha256: str, size: int) -> bool | None:
        """Write an object where there is none: True, or False if there is one; None if a writer was in the way."""
        if size > self.multipart_bytes:
            if self._is_there(key, size):
                return False
            with BytesIO(source) if isinstance(source, bytes) else source.open("rb") as stream:
                return self._put_parts(key, stream, sha256, size)
        if isinstance(source, bytes) or size <= _WHOLE_BYTES:
            whole = source if isinstance(source, bytes) else source.read_bytes()
            return self._put(key, whole, sha256, {"IfNoneMatch": "*"})
        with source.open("rb") as stream:
            return self._put(key, stream, sha256, {"IfNoneMatch": "*"})

    def _put(self, key: str, body: BinaryIO | bytes, sha256: str, condition: dict[str, str]) -> bool | None:
        """Write an object under a condition, its hash checked on both sides; None if a writer was in the way."""
        writer = uuid4().hex
        name = self._name(key)

        def put() -> None:
            self._client().put_object(
                Bucket=self.bucket,
                Key=name,
                Body=body,
                Metadata={_WRITER: writer},
                **checksum(bytes.fromhex(sha256)),
                **condition,
            )

        try:
            return self._conditional(key, writer, put)
        except OtherBytesError as error:
            raise wrong_source(key, sha256, error.got) from None

    def _put_parts(self, key: str, stream: BinaryIO, sha256: str, size: int) -> bool | None:
        """Send an object in parts, and complete it only if its bytes have its hash and nobody else was first."""
        writer = uuid4().hex

        def check(got: str) -> None:
            if got != sha256:
                raise wrong_source(key, sha256, got)

        upload = Upload(
            client=self._client(),
            place={"Bucket": self.bucket, "Key": self._name(key)},
            metadata={_WRITER: writer},
            part_bytes=part_size(self.part_bytes, size),
        )
        return upload.run(stream, check, lambda request: self._conditional(key, writer, request))

    def _conditional(self, key: str, writer: str, request: Callable[[], None]) -> bool | None:
        """Make a conditional write: whether it was done, or None if it met another writer and is to be made again."""
        from botocore.exceptions import ClientError

        try:
            request()
        except ClientError as error:
            again = error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0) > 0
            if code(error) in _CONFLICT:
                return None
            if code(error) in {*_TAKEN, *_ABSENT}:
                return again and self._wrote(key, writer)
            if code(error) == "NoSuchUpload" and again and self._wrote(key, writer):
                return True
            raise
        return True

    def _wrote(self, key: str, writer: str) -> bool:
        """Whether what is there now was written by this writer."""
        head = self._head(key)
        return head is not None and head.get("Metadata", {}).get(_WRITER) == writer
