from __future__ import annotations

from pathlib import Path

from envtag.pods.code_package import main
from support.s3 import S3Server


def test_a_package_is_fetched_to_a_file(s3: S3Server, tmp_path: Path):
    bucket = s3.bucket()
    s3.client().put_object(Bucket=bucket, Key="metaflow/data/ab/abc", Body=b"a tar")
    assert main(f"s3://{bucket}/metaflow/data/ab/abc", str(tmp_path / "job.tar")) is None
    assert (tmp_path / "job.tar").read_bytes() == b"a tar"


def test_one_that_is_not_there_is_named(s3: S3Server, tmp_path: Path):
    url = f"s3://{s3.bucket()}/nowhere"
    assert main(url, str(tmp_path / "job.tar")) == f"envtag: error: there is no {url}"
    assert list(tmp_path.iterdir()) == []


def test_a_bucket_that_may_not_be_read_is_one_line(s3: S3Server, tmp_path: Path, monkeypatch):
    from support.faults import Fault

    s3.faults.append(Fault(method="GET", contains="x", status=403, code="AccessDenied"))
    said = main(f"s3://{s3.bucket()}/x", str(tmp_path / "job.tar"))
    assert said is not None
    assert "the server says 403" in said
