from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from envtag.errors import DamagedError, FatalError, UnreachableError
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


def test_what_is_not_there_is_told(reader: Store, tmp_path: Path):
    assert reader.read("objects/none") is None
    assert not reader.download("objects/none", tmp_path / "x", SHA256)
    assert list(tmp_path.iterdir()) == []


def test_other_bytes_are_refused(reader: Store, tmp_path: Path):
    with pytest.raises(DamagedError, match="other bytes than promised"):
        reader.download(KEY, tmp_path / "x", "0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_a_stream_that_breaks_is_taken_up_where_it_broke(reader: Store, tmp_path: Path, s3: S3Server):
    s3.faults += [Fault(method="GET", contains="x+y", times=1), Fault(method="GET", contains="x+y", cut=True)]
    assert reader.download(KEY, tmp_path / "x", SHA256)
    assert s3.seen("GET") == 3


def test_a_server_that_is_busy_is_asked_again(reader: Store, s3: S3Server):
    s3.faults.append(Fault(method="GET", contains="x+y", times=2, status=503, code="SlowDown"))
    assert reader.read(KEY) == DATA


def test_a_server_that_stays_busy_or_away_is_out_of_reach(reader: Store, s3: S3Server, monkeypatch: pytest.MonkeyPatch):
    s3.faults.append(Fault(method="GET", contains="x+y", times=5, status=503, code="SlowDown"))
    with pytest.raises(UnreachableError, match=r"cannot read `objects/.*: the server says 503"):
        reader.read(KEY)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(UnreachableError, match="no answer, or the connection broke"):
        reader.read(KEY)


def test_who_may_not_read_is_told_at_once(reader: Store, s3: S3Server):
    s3.faults.append(Fault(method="GET", contains="x+y", times=5, status=403, code="AccessDenied"))
    with pytest.raises(FatalError, match="the server says 403") as caught:
        reader.read(KEY)
    assert "role may read" in caught.value.hint
    assert s3.seen("GET") == 1


def test_a_disk_that_is_full_is_no_fault_of_the_server(reader: Store, tmp_path: Path, s3: S3Server):
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(FatalError, match="No space left on device"):
        reader.download(KEY, tmp_path / "x", SHA256, full)
    assert s3.seen("GET") == 1


def test_whatever_else_is_asked_is_asked_by_boto(reader: Store):
    assert [entry.key for entry in reader.list("objects/")] == [KEY]
    assert reader.size(KEY) == len(DATA)


def test_other_stores_are_opened_as_ever(tmp_path: Path):
    assert isinstance(open_reader(tmp_path.as_uri()), LocalStore)
