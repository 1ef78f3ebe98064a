from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from envtag.pods import job_get, s3_get
from envtag.pods.inlining import inlined
from support.faults import Fault
from support.s3 import S3Server

KEYS = ("KEY", "SECRET", "TOKEN")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_get, "PAUSE", 0)
    monkeypatch.setattr(job_get, "NEEDED", "a_module_that_is_nowhere")


@pytest.fixture
def stored(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str, str]:
    """Bucket, key and hash of an archive with one file."""
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w") as archive:
        archive.writestr("thing", "inside")
    bucket = s3.bucket()
    s3.client().put_object(Bucket=bucket, Key="a/x.zip", Body=found.getvalue())
    monkeypatch.setenv("METAFLOW_S3_ENDPOINT_URL", s3.url)
    return bucket, "a/x.zip", hashlib.sha256(found.getvalue()).hexdigest()


def test_an_archive_is_unpacked(stored: tuple[str, str, str], tmp_path: Path):
    for _ in range(2):
        assert job_get.main(*stored, str(tmp_path / "lib")) is None
    assert (tmp_path / "lib" / "thing").read_text() == "inside"


def test_an_image_that_has_boto_keeps_its_own(
    stored: tuple[str, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(job_get, "NEEDED", "zipfile")
    assert job_get.main(*stored, str(tmp_path / "lib")) is None
    assert not (tmp_path / "lib" / "thing").exists()


def test_it_runs_as_a_part_of_a_shell_command(stored: tuple[str, str, str], tmp_path: Path, s3: S3Server):
    line = f"{sys.executable} -S {inlined('job_get')} {' '.join(stored)} {tmp_path}/lib"
    environ = {**s3.variables(), "PATH": "/usr/bin:/bin", "METAFLOW_S3_ENDPOINT_URL": s3.url}
    subprocess.run(["bash", "-c", line], check=True, env=environ)
    assert (tmp_path / "lib" / "thing").read_text() == "inside"


def test_other_bytes_are_asked_for_again_and_then_refused(stored: tuple[str, str, str], tmp_path: Path, s3: S3Server):
    s3.requests.clear()
    said = job_get.main(*stored[:2], "0" * 64, str(tmp_path / "lib"))
    assert said == f"envtag: {stored[0]}/a/x.zip: other bytes"
    assert s3.seen("GET") == 5
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_busy_is_asked_again(stored: tuple[str, str, str], tmp_path: Path, s3: S3Server):
    s3.faults.append(Fault(method="GET", contains="x.zip", times=2, status=503, code="SlowDown"))
    assert job_get.main(*stored, str(tmp_path / "lib")) is None


def test_what_is_not_there_is_said(stored: tuple[str, str, str], tmp_path: Path):
    said = job_get.main(stored[0], "nowhere.zip", stored[2], str(tmp_path / "lib"))
    assert said is not None
    assert "404" in said


@pytest.mark.parametrize("token", ["", "TOKEN"])
def test_requests_are_signed_as_the_longer_program_signs_them(monkeypatch: pytest.MonkeyPatch, token: str):
    monkeypatch.setattr(job_get, "credentials", lambda: ("KEY", "SECRET", token))
    monkeypatch.setenv("METAFLOW_S3_ENDPOINT_URL", "https://s3.example.org")
    url, headers = job_get.signed("bucket", "a/b.zip", "eu-north-1")
    now = headers["x-amz-date"]

    class Clock(s3_get.datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls.strptime(now, "%Y%m%dT%H%M%SZ")

    monkeypatch.setattr(s3_get.datetime, "datetime", Clock)
    assert (url, headers) == s3_get.signed("bucket", "a/b.zip", ("KEY", "SECRET", token), "eu-north-1")


def test_a_bucket_of_another_region_is_asked_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    asked = []

    def ask(where: str) -> bytes:
        asked.append(where)
        raise HTTPError("u", 400, "Bad Request", {"x-amz-bucket-region": "eu-west-3"}, None)  # type: ignore[arg-type]

    monkeypatch.setattr(job_get, "signed", lambda bucket, key, where: (where,))
    monkeypatch.setattr(job_get, "ask", ask)
    assert job_get.main("b", "k", "0" * 64, str(tmp_path / "lib")) is not None
    assert asked[:2] == ["us-east-1", "eu-west-3"]


def answers(monkeypatch: pytest.MonkeyPatch, found: dict[str, Any]) -> list[str]:
    """Answer for what is beside a machine; what is asked."""
    asked = []

    def ask(url: str, headers: Any) -> Any:
        asked.append(url)
        return found[url]

    monkeypatch.setattr(job_get, "ask", ask)
    return asked


def answer() -> bytes:
    return json.dumps(dict(zip(("AccessKeyId", "SecretAccessKey", "Token"), KEYS, strict=True))).encode()


def test_variables_come_first(monkeypatch: pytest.MonkeyPatch):
    for name, value in zip(("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"), KEYS, strict=True):
        monkeypatch.setenv(f"AWS_{name}", value)
    assert job_get.credentials() == KEYS


def test_a_job_has_its_role(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/x")
    asked = answers(monkeypatch, {"http://169.254.170.2/v2/credentials/x": answer()})
    assert job_get.credentials() == KEYS
    assert len(asked) == 1
