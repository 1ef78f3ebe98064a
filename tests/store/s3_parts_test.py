from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.store.s3 import S3Store
from envtag.store.s3_parts import part_size
from support.s3 import Fault, S3Server

PART = 5 << 20  # the smallest that S3 takes
DATA = b"0123456789abcdef" * ((2 * PART + 1000) // 16)
SHA256 = hashlib.sha256(DATA).hexdigest()
KEY = "objects/large.conda"


@pytest.fixture
def store(s3: S3Server) -> S3Store:
    return S3Store(bucket=s3.bucket(), prefix="p", multipart_bytes=1 << 20, part_bytes=PART)


def unfinished(s3: S3Server, store: S3Store) -> list[object]:
    """The uploads that were begun and neither completed nor given up."""
    return s3.client().list_multipart_uploads(Bucket=store.bucket).get("Uploads", [])


def test_a_large_file_is_sent_in_parts(s3: S3Server, store: S3Store, tmp_path: Path):
    source = tmp_path / "source"
    source.write_bytes(DATA)
    assert store.create(KEY, source, SHA256)
    assert s3.seen("PUT", "partNumber=") == 3
    assert store.download(KEY, tmp_path / "target", SHA256)
    assert not store.create(KEY, source, SHA256)
    assert s3.seen("PUT", "partNumber=") == 3
    assert unfinished(s3, store) == []


def test_parts_that_are_not_the_promised_whole_never_become_an_object(s3: S3Server, store: S3Store):
    with pytest.raises(FatalError, match=f"`{KEY}` has sha256 {SHA256}, expected {'0' * 64}"):
        store.create(KEY, DATA, "0" * 64)
    assert store.read(KEY) is None
    assert unfinished(s3, store) == []


def test_of_two_uploads_at_once_one_is_completed(s3: S3Server, store: S3Store):
    s3.faults = [Fault(method="HEAD", status=404, code="", times=2)]  # neither sees the other before it completes
    with ThreadPoolExecutor(2) as threads:
        made = list(threads.map(lambda _: store.create(KEY, DATA, SHA256), range(2)))
    assert sorted(made) == [False, True]
    assert s3.seen("PUT", "partNumber=") == 6
    assert unfinished(s3, store) == []


def test_an_upload_that_cannot_be_finished_is_given_up(s3: S3Server, store: S3Store):
    s3.faults = [Fault(method="PUT", contains="partNumber=2", status=403, code="AccessDenied")]
    with pytest.raises(FatalError, match=f"access denied: these credentials may not write `{KEY}`"):
        store.create(KEY, DATA, SHA256)
    assert s3.seen("DELETE", "uploadId=") == 1
    assert unfinished(s3, store) == []


def test_a_part_whose_connection_broke_is_sent_again(s3: S3Server, store: S3Store):
    s3.faults = [Fault(method="PUT", contains="partNumber=2")]
    assert store.create(KEY, DATA, SHA256)
    assert store.read(KEY) == DATA


def test_a_conflict_at_the_end_begins_anew(s3: S3Server, store: S3Store):
    s3.faults = [Fault(method="POST", contains="uploadId=", status=409, code="ConditionalRequestConflict")]
    assert store.create(KEY, DATA, SHA256)
    assert s3.seen("POST", "uploads") == 2
    assert unfinished(s3, store) == []


def test_a_completion_whose_answer_is_lost_is_still_its_own(s3: S3Server, store: S3Store):
    s3.faults = [
        Fault(method="POST", contains="uploadId=", done=True),
        Fault(method="POST", contains="uploadId=", status=412, code="PreconditionFailed"),
    ]
    assert store.create(KEY, DATA, SHA256)
    assert store.read(KEY) == DATA


@pytest.mark.parametrize(("wanted", "size", "part"), [(16, 100, 16), (16, 160_000, 16), (16, 160_001, 17), (5, 0, 5)])
def test_there_are_never_more_parts_than_s3_takes(wanted: int, size: int, part: int):
    assert part_size(wanted, size) == part
