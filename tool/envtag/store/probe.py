"""What the credentials may do in a store, found out by doing it to one small object that nothing reads.

The object has one name and one content for everybody, so a doctor who may not delete leaves one object and not many,
and two of them at once do not disturb each other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from envtag.errors import FatalError
from envtag.store.keys import DOCTOR
from envtag.util.canonical import sha256_hex
from envtag.util.files import write_atomic

if TYPE_CHECKING:
    from envtag.store.base import Store

KEY = f"{DOCTOR}probe.json"
CONTENT = b'{"version":1,"what":"written by envtag doctor; nothing reads it"}\n'
#: How often a creation may find nothing: between two of them another doctor may have cleaned up.
_ROUNDS = 3
_DENIED = frozenset({"403", "AccessDenied", "AllAccessDisabled", "Forbidden"})
_AZURE_DENIED = frozenset({401, 403, 409})


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What came of creating the probe object.

    Attributes:
        fresh: Whether it was not there before.
        conditional: Whether the server refused to create it where it was.
        modified: When the server says that it was written; None if it does not list it.
        right: Whether it read back as it was written.
    """

    fresh: bool
    conditional: bool
    modified: datetime | None
    right: bool


def create_twice(store: Store) -> Written:
    """Create the probe object until the server says that it is there, which the second time must be.

    Raises:
        FatalError: It cannot be created, or not be read.
    """
    digest = sha256_hex(CONTENT)
    fresh = store.create(KEY, CONTENT, digest)
    refused = any(not store.create(KEY, CONTENT, digest) for _ in range(_ROUNDS))
    listed = next((entry for entry in store.list(KEY) if entry.key == KEY), None)
    right = store.read(KEY) in {CONTENT, None}
    return Written(fresh=fresh, conditional=refused, modified=listed.modified if listed else None, right=right)


def overwrite(store: Store) -> bool:
    """Write the probe object with no condition, as no publisher ever does; whether the server let that happen.

    Raises:
        FatalError: It cannot be tried.
    """
    put = _PUTS.get(store.url.partition("://")[0])
    if put is None:
        raise FatalError(f"a plain write cannot be tried in {store.url}")
    return put(store, KEY, CONTENT)


def remove(store: Store) -> bool:
    """Delete the probe object; whether it is gone.

    Raises:
        FatalError: The server refuses.
    """
    store.delete(KEY)
    return store.size(KEY) is None


def _local(store: Any, key: str, data: bytes) -> bool:
    path = store.root / key
    try:
        write_atomic(path, data)
    except PermissionError:
        return False
    except OSError as error:
        raise FatalError(f"`{key}` in the store {store.url}: {error.strerror or error}") from error
    return True


def _s3(store: Any, key: str, data: bytes) -> bool:
    from envtag.store.s3_client import asking, code, connect

    with asking("write", key, store.url):
        from botocore.exceptions import ClientError

        try:
            connect(store.url).put_object(Bucket=store.bucket, Key=_name(store, key), Body=data)
        except ClientError as error:
            if code(error) in _DENIED:
                return False
            raise
    return True


def _gcs(store: Any, key: str, data: bytes) -> bool:
    from http import HTTPStatus
    from uuid import uuid4

    from envtag.store.gcs_client import connect
    from envtag.store.gcs_errors import RefusalError, asking
    from envtag.store.gcs_upload import put_whole

    with asking("write", key, store.url):
        connection = connect(store.url)
        try:
            put_whole(connection, connection.uploads(store.bucket), {"name": _name(store, key)}, uuid4().hex, data)
        except RefusalError as error:
            if error.status == HTTPStatus.FORBIDDEN:
                return False
            raise
    return True


def _azure(store: Any, key: str, data: bytes) -> bool:
    from envtag.store.azure_client import ask, connect
    from envtag.store.azure_errors import asking

    with asking("write", key, store.url):
        from azure.core.exceptions import HttpResponseError

        service = connect(store.url, store.account)
        blob = service.get_blob_client(store.container, _name(store, key))
        try:
            ask(lambda: blob.upload_blob(data, length=len(data), overwrite=True))
        except HttpResponseError as error:
            if error.status_code in _AZURE_DENIED:
                return False
            raise
    return True


def _name(store: Any, key: str) -> str:
    return f"{store.prefix}/{key}".lstrip("/")


_PUTS: dict[str, Callable[[Any, str, bytes], bool]] = {"az": _azure, "file": _local, "gs": _gcs, "s3": _s3}
