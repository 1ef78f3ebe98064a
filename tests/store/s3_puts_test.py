from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from envtag.errors import DamagedError
from envtag.store.s3 import S3Store
from support.s3 import S3Server

SMALL = b"small"
LARGE = bytes(3 << 20)  # more than is held in memory
BY_SIGNATURE: dict[str, Any] = {}
UNSIGNED_PAYLOADS: dict[str, Any] = {"s3": {"payload_signing_enabled": False}}
ANONYMOUS: dict[str, Any] = {"signature_version": "unsigned"}

Open = Callable[[dict[str, Any]], S3Store]


@pytest.fixture
def open_with(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Open a store whose client has further settings, as a profile can give them."""
    from botocore import UNSIGNED
    from botocore.config import Config

    def open_with(settings: dict[str, Any]) -> S3Store:
        more = {**settings, **({"signature_version": UNSIGNED} if "signature_version" in settings else {})}
        monkeypatch.setattr("botocore.config.Config", lambda **given: Config(**given, **more))
        return S3Store(bucket=s3.bucket(), prefix="p")

    return open_with


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def watch(store: S3Store) -> list[Any]:
    """The requests that a store makes from now on."""
    made: list[Any] = []
    for operation in ("PutObject", "UploadPart"):
        store._client().meta.events.register(f"before-send.s3.{operation}", lambda request, **_: made.append(request))
    return made


@pytest.mark.parametrize("settings", [BY_SIGNATURE, UNSIGNED_PAYLOADS, ANONYMOUS])
def test_what_is_sent_has_the_hash_that_it_is_stored_under(
    s3: S3Server, open_with: Open, tmp_path: Path, settings: dict[str, Any]
):
    store = open_with(settings)
    source = tmp_path / "source"
    wrong = sha256_of(b"something else")
    for number, data in enumerate((b"", SMALL, LARGE)):
        key = f"objects/{number}.conda"
        source.write_bytes(data)
        s3.requests.clear()
        with pytest.raises(DamagedError, match=f"`{key}` has sha256 {sha256_of(data)}, expected {wrong}"):
            store.create(key, source, wrong)
        assert s3.seen("PUT") == 0
        assert store.create(key, source, sha256_of(data))
        found = s3.client().get_object(Bucket=store.bucket, Key=f"p/{key}")
        assert found["Body"].read() == data


def test_small_files_are_sent_at_once_and_large_ones_once_the_server_wants_them(open_with: Open, tmp_path: Path):
    store = open_with(BY_SIGNATURE)
    made = watch(store)
    for name, data in (("small", SMALL), ("large", LARGE)):
        source = tmp_path / name
        source.write_bytes(data)
        assert store.create(f"objects/{name}.conda", source, sha256_of(data))
    small, large = made
    assert small.body == SMALL
    assert "Expect" not in small.headers
    assert not isinstance(large.body, bytes)
    assert large.headers["Expect"] == b"100-continue"


def test_parts_are_in_memory_and_sent_at_once(open_with: Open):
    store = open_with(BY_SIGNATURE)
    store.multipart_bytes = 1 << 20
    made = watch(store)
    assert store.create("objects/large.conda", LARGE, sha256_of(LARGE))
    (part,) = made
    assert part.body == LARGE
    assert "Expect" not in part.headers


def test_the_signature_and_the_checksum_are_of_the_same_bytes(open_with: Open):
    store = open_with(BY_SIGNATURE)
    made = watch(store)
    assert store.create("objects/a.conda", SMALL, sha256_of(SMALL))
    (request,) = made
    assert request.headers["X-Amz-Content-SHA256"].decode() == sha256_of(SMALL)
    digest = bytes.fromhex(sha256_of(SMALL))
    assert request.headers["x-amz-checksum-sha256"].decode() == base64.b64encode(digest).decode()
    assert "x-amz-checksum-sha256" in request.headers["Authorization"].decode()


def test_what_states_no_hash_is_sent_as_it_is(open_with: Open):
    store = open_with(BY_SIGNATURE)
    store._client().put_object(Bucket=store.bucket, Key="plain", Body=SMALL)
    assert store._client().get_object(Bucket=store.bucket, Key="plain")["Body"].read() == SMALL
