"""A store in a container of Azure Blob Storage."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from datetime import timezone
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

from envtag.errors import FatalError
from envtag.store.azure_blocks import Upload, block_size
from envtag.store.azure_client import CHUNK_BYTES, Answer, ask, connect
from envtag.store.azure_errors import asking
from envtag.store.base import Entry, key_parts, wrong_source
from envtag.store.bucket import Bucket, split_url
from envtag.util.canonical import sha256_hex

_ACCOUNT = re.compile(r"[a-z0-9]{3,24}")
_CONTAINER = re.compile(r"(?=.{3,63}\Z)[a-z0-9]+(-[a-z0-9]+)*")
_BLOCK = 1 << 20
#: Who wrote an object: how a writer knows its own work again when the answer to it was lost.
_WRITER = "envtag_write"
_ABSENT = frozenset({"BlobNotFound"})
_CHANGED = frozenset({"ConditionNotMet"})
#: What says that there is an object already, or that another writer's took the place of the blocks of this one.
_TAKEN = frozenset({"BlobAlreadyExists", "ConditionNotMet", "InvalidBlockList", "UnauthorizedBlobOverwrite"})
_DIRECTORY = "hdi_isfolder"  # how an account with a hierarchical namespace marks what is no object


def open_url(url: str) -> AzureStore:
    """Open the store that an `az://ACCOUNT/CONTAINER/PREFIX` URL names; nothing is asked yet.

    Raises:
        FatalError: It names no account and container, holds a credential or a query, or its prefix is not in plain
            form.
    """
    found = split_url(url, 2)
    if found is None or not _ACCOUNT.fullmatch(found[0]) or not _CONTAINER.fullmatch(found[1]):
        message = f"`{url.partition('?')[0]}` names no storage account, container and prefix"
        raise FatalError(message, "write `az://ACCOUNT/CONTAINER/PREFIX`")
    return AzureStore(account=found[0], container=found[1], prefix=found[2])


@dataclass(slots=True, kw_only=True)
class AzureStore(Bucket):
    """Blobs below one prefix of a container; see `Store` for what each method promises.

    Where and as whom to ask is what the variables of Azure's own tools say. Requests are made again, a bounded number
    of times, after throttling and broken connections. A condition that is refused is an answer, unless the refusal
    follows a lost answer: then the blob says whether the first request made it.

    Attributes:
        account: The storage account's name.
        container: The container's name.
        prefix: What each key starts with, without a trailing slash; may be empty.
        whole_bytes: A larger source is sent in blocks; a smaller one is held in memory.
        block_bytes: The size of a block, larger where there would be too many; a few are held in memory.
    """

    account: str
    container: str
    whole_bytes: int = 8 << 20
    block_bytes: int = 8 << 20
    _made: Any = None
    _making: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def url(self) -> str:
        """See `Store.url`."""
        return f"az://{self.account}/{self.container}/{self.prefix}".rstrip("/")

    def size(self, key: str) -> int | None:
        """See `Store.size`."""
        found = self._properties(key)
        return None if found is None else int(found.size)

    def swap(self, key: str, data: bytes, expected: str | None) -> bool:
        """See `Store.swap`."""
        with asking("write", key, self.url):
            return self._put(key, data, expected)

    def list(self, prefix: str) -> Iterator[Entry]:
        """See `Store.list`; what is no key (the `directory/` marks of some tools), or a directory, is left out."""
        base = f"{self.prefix}/" if self.prefix else ""
        found: list[Entry] = []
        with asking("list", prefix, self.url):
            listing = self._client().list_blobs(name_starts_with=base + prefix, include=["metadata"])
            token: str | None = None
            while True:
                pages = listing.by_page(token)
                for item in ask(partial(_page, pages)).value or ():
                    key = item.name[len(base) :]
                    with suppress(ValueError):
                        key_parts(key)
                        if (item.metadata or {}).get(_DIRECTORY) != "true":
                            modified = item.last_modified.astimezone(timezone.utc)
                            found.append(Entry(key=key, size=item.size, modified=modified))
                token = pages.continuation_token
                if not token:
                    break
        yield from sorted(found, key=lambda entry: entry.key)

    def delete(self, key: str) -> None:
        """See `Store.delete`."""
        with asking("delete", key, self.url):
            blob = self._blob(key)
            ask(lambda: blob.delete_blob(delete_snapshots="include"), _ABSENT)

    def _blob(self, key: str) -> Any:
        name = self._name(key)
        return self._client().get_blob_client(name)

    def _asking(self, verb: str, key: str) -> AbstractContextManager[None]:
        return asking(verb, key, self.url)

    def _client(self) -> Any:
        """The one client of all threads, made when it is first needed."""
        with self._making:
            if self._made is None:
                self._made = connect(self.url, self.account).get_container_client(self.container)
            return self._made

    def _properties(self, key: str) -> Any:
        """What the server says of a blob, or None if it is not there."""
        with asking("read", key, self.url):
            return ask(self._blob(key).get_blob_properties, _ABSENT).value

    def _receive(self, key: str, receive: Callable[[bytes], Any]) -> str | None:
        """Hand a blob's bytes over, block by block, all of one version of it; its ETag, or None."""
        from azure.core import MatchConditions

        blob = self._blob(key)

        def first() -> tuple[bytes, int, str]:
            answer = blob.download_blob()
            return next(answer.chunks(), b""), answer.size, answer.properties.etag

        def following(start: int) -> bytes:
            length = min(CHUNK_BYTES, size - start)
            condition = {"etag": version, "match_condition": MatchConditions.IfNotModified}
            data: bytes = blob.download_blob(offset=start, length=length, **condition).readall()
            return data

        begun = ask(first, _ABSENT).value
        if begun is None:
            return None
        data, size, version = begun
        count = 0
        while True:
            for start in range(0, len(data), _BLOCK):
                receive(data[start : start + _BLOCK])
            count += len(data)
            if count >= size:
                return version
            found = ask(partial(following, count), _CHANGED | _ABSENT)
            if not found.value:
                raise FatalError(f"`{key}` in {self.url} was replaced while it was being read", "try again")
            data = found.value

    def _create(self, key: str, source: Path | bytes, sha256: str, size: int) -> bool:
        """Write an object where there is none; whether this did it."""
        if size > self.whole_bytes:
            return not self._is_there(key, size) and self._put_blocks(key, source, sha256, size)
        data = source if isinstance(source, bytes) else source.read_bytes()
        got = sha256_hex(data)
        if got != sha256:
            raise wrong_source(key, sha256, got)
        return self._put(key, data, None)

    def _put(self, key: str, data: bytes, expected: str | None) -> bool:
        """Write an object in place of a version of it, or of none, its hash checked by the server."""
        blob = self._blob(key)
        writer = uuid4().hex

        def put() -> None:
            blob.upload_blob(
                data, length=len(data), overwrite=True, metadata={_WRITER: writer}, validate_content=True,
                **_condition(expected),
            )  # fmt: skip

        return self._written(key, writer, ask(put, _TAKEN if expected is None else _CHANGED | _ABSENT))

    def _put_blocks(self, key: str, source: Path | bytes, sha256: str, size: int) -> bool:
        """Send an object in blocks, and list them only if they have its hash and there is no object yet."""
        blob = self._blob(key)
        writer = uuid4().hex
        upload = Upload(blob=blob, writer=writer, block_bytes=block_size(self.block_bytes, size))
        with BytesIO(source) if isinstance(source, bytes) else source.open("rb") as stream:
            blocks, got = upload.send(stream)
        if got != sha256:
            raise wrong_source(key, sha256, got)

        def complete() -> None:
            blob.commit_block_list(blocks, metadata={_WRITER: writer}, validate_content=True, **_condition(None))

        return self._written(key, writer, ask(complete, _TAKEN))

    def _written(self, key: str, writer: str, answer: Answer[None]) -> bool:
        """Whether a conditional write was done: after a lost answer, the blob says by whom."""
        if not answer.refusal:
            return True
        found = self._properties(key) if answer.again else None
        return found is not None and (found.metadata or {}).get(_WRITER) == writer


def _page(pages: Iterator[Any]) -> list[Any]:
    return list(next(pages, ()))


def _condition(expected: str | None) -> dict[str, Any]:
    """The SDK's arguments for a write in place of a version of an object, or of none."""
    from azure.core import MatchConditions

    if expected is None:
        return {"match_condition": MatchConditions.IfMissing}
    return {"match_condition": MatchConditions.IfNotModified, "etag": expected}
