from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from envtag.errors import FatalError
from envtag.store import open_store
from envtag.store.s3 import S3Store
from envtag.store.s3_options import VARIABLES
from envtag.util.canonical import sha256_file
from support.s3 import S3Server

KEY = "tags/a@v1.json"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """The headers of the requests that were made, by method."""
    from botocore.httpsession import URLLib3Session

    made: list[tuple[str, dict[str, Any]]] = []
    send = URLLib3Session.send

    def record(self: Any, request: Any) -> Any:
        headers = {
            name.lower(): value.decode() if isinstance(value, bytes) else value
            for name, value in request.headers.items()
        }
        made.append((request.method, headers))
        return send(self, request)

    monkeypatch.setattr(URLLib3Session, "send", record)
    return made


def test_who_pays_is_said_with_every_request(
    s3: S3Server, sent: list[tuple[str, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AWS_REQUEST_PAYER", "requester")
    bucket = s3.bucket()
    sent.clear()
    store = open_store(f"s3://{bucket}/p")
    store.swap(KEY, b"1", None)
    assert store.read(KEY) == b"1"
    assert store.size(KEY) == 1
    assert [entry.key for entry in store.list("tags/")] == [KEY]
    store.delete(KEY)
    assert {method for method, _ in sent} == {"PUT", "GET", "HEAD", "DELETE"}
    assert {headers.get("x-amz-request-payer") for _, headers in sent} == {"requester"}


def test_what_encrypts_is_said_with_what_is_written(
    s3: S3Server, tmp_path: Path, sent: list[tuple[str, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AWS_SERVER_SIDE_ENCRYPTION", "aws:kms")
    monkeypatch.setenv("AWS_SSE_KMS_KEY_ID", "alias/envtag")
    bucket = s3.bucket()
    sent.clear()
    store = S3Store(bucket=bucket, prefix="p", multipart_bytes=5 << 20, part_bytes=5 << 20)
    store.swap(KEY, b"1", None)
    store.read(KEY)
    large = tmp_path / "large"
    large.write_bytes(b"x" * (5 << 20) + b"y")
    assert store.create("objects/sha256/aa/large.whl", large, sha256_file(large))
    saying = [(method, headers) for method, headers in sent if "x-amz-server-side-encryption" in headers]
    assert [method for method, _ in saying] == ["PUT", "POST"]  # the object, and the beginning of the one in parts
    assert {headers["x-amz-server-side-encryption-aws-kms-key-id"] for _, headers in saying} == {"alias/envtag"}


def test_without_variables_nothing_is_added(s3: S3Server, sent: list[tuple[str, dict[str, Any]]]):
    bucket = s3.bucket()
    sent.clear()
    open_store(f"s3://{bucket}/p").swap(KEY, b"1", None)
    ((_, headers),) = sent
    assert not {name for name in headers if "payer" in name or "encryption" in name}


@pytest.mark.parametrize("variable", [name for name in VARIABLES if name != "AWS_SSE_KMS_KEY_ID"])
def test_a_value_that_s3_does_not_know_is_refused(s3: S3Server, monkeypatch: pytest.MonkeyPatch, variable: str):
    monkeypatch.setenv(variable, "owner")
    with pytest.raises(FatalError, match=f"{variable} is `owner`") as error:
        open_store(f"s3://{s3.bucket()}/p").read(KEY)
    assert error.value.hint.startswith("one of ")
