from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from envtag.errors import UnreachableError
from envtag.pods.bucket import S3Reader, open_reader
from envtag.store import Store
from envtag.store.local import LocalStore
from support.faults import Fault
from support.s3 import S3Server

DATA = bytes(range(256)) * 12_000  # three blocks
SHA256 = hashlib.sha256(DATA).hexdigest()
KEY = "objects/sha256/aa/x+y.whl"


@pytest.fixture
def reader(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr("envtag.store.attempts._FIRST_PAUSE_SECONDS", 0)
    bucket = s3.bucket()
    s3.client().put_object(Bucket=bucket, Key=f"a-prefix/{KEY}", Body=DATA)
    s3.requests.clear()
    found = open_reader(f"s3://{bucket}/a-prefix")
    assert isinstance(found, S3Reader)
    return found


def test_an_object_is_read_and_downloaded_without_boto(reader: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("envtag.store.s3.connect", lambda _: pytest.fail("boto is asked"))
    counted: list[int] = []
    assert reader.read(KEY) == DATA
    assert reader.download(KEY, tmp_path / "there" / "x.whl", SHA256, counted.append)
    assert (tmp_path / "there" / "x.whl").read_bytes() == DATA
    assert sum(counted) == len(DATA)


def test_a_server_that_is_not_there_is_out_of_reach(reader: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(UnreachableError, match="no answer, or the connection broke"):
        reader.read(KEY)


def test_a_bucket_of_another_region_is_asked_there(reader: Store, s3: S3Server, monkeypatch: pytest.MonkeyPatch):
    assert isinstance(reader, S3Reader)
    assert reader._elsewhere(("us-east-1", ()), {"x-amz-bucket-region": "eu-west-3"}) == ("eu-west-3", ())
    s3.faults.append(Fault(method="GET", contains="x+y", times=1, status=400, code="AuthorizationHeaderMalformed"))
    monkeypatch.setattr(S3Reader, "_elsewhere", staticmethod(lambda secrets, _: ("eu-west-3", secrets[1])))
    assert reader.read(KEY) == DATA
    assert reader._found[0][0] == "eu-west-3"


def test_whatever_else_is_asked_is_asked_by_boto(reader: Store):
    assert [entry.key for entry in reader.list("objects/")] == [KEY]
    assert reader.size(KEY) == len(DATA)


def test_other_stores_are_opened_as_ever(tmp_path: Path):
    assert isinstance(open_reader(tmp_path.as_uri()), LocalStore)
