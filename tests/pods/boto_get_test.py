from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from envtag.pods import boto_get
from envtag.pods.command import inlined
from support.s3 import S3Server


@pytest.fixture
def stored(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str, str]:
    """Bucket, key and hash of an archive with one file."""
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w") as archive:
        archive.writestr("thing", "inside")
    bucket = s3.bucket()
    s3.client().put_object(Bucket=bucket, Key="x.zip", Body=found.getvalue())
    monkeypatch.setenv("METAFLOW_S3_ENDPOINT_URL", s3.url)
    return bucket, "x.zip", hashlib.sha256(found.getvalue()).hexdigest()


def test_an_archive_is_unpacked_whole(stored: tuple[str, str, str], tmp_path: Path):
    for _ in range(2):
        boto_get.main(*stored, str(tmp_path / "lib"))
    assert (tmp_path / "lib" / "thing").read_text() == "inside"
    assert [path.name for path in tmp_path.iterdir()] == ["lib"]


def test_other_bytes_are_refused(stored: tuple[str, str, str], tmp_path: Path):
    with pytest.raises(SystemExit, match="has other bytes than it should"):
        boto_get.main(*stored[:2], "0" * 64, str(tmp_path / "lib"))
    assert list(tmp_path.iterdir()) == []


def test_it_is_short():
    assert len(inlined("boto_get")) < 700
