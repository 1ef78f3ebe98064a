from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from envtag.pods import gs_get, plain_get
from envtag.pods.inlining import inlined
from support.faults import Fault
from support.gcs import GcsServer


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_get, "PAUSE", 0)


@pytest.fixture
def stored(gcs: GcsServer) -> tuple[str, str, str]:
    """Store, key and hash of an archive with one file."""
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w") as archive:
        archive.writestr("thing", "inside")
    bucket = gcs.bucket()
    gcs.put(bucket, "envtag/a/x.zip", found.getvalue())
    return f"gs://{bucket}/envtag", "a/x.zip", hashlib.sha256(found.getvalue()).hexdigest()


def run(*arguments: str) -> str | None:
    said: str | None = plain_get.run(gs_get.credentials, gs_get.request, list(arguments))
    return said


def test_an_archive_is_unpacked_whole(stored, tmp_path: Path, gcs: GcsServer):
    assert run(*stored, str(tmp_path / "lib")) is None
    assert (tmp_path / "lib" / "thing").read_text() == "inside"
    gcs.requests.clear()
    assert run(*stored, str(tmp_path / "lib")) is None
    assert gcs.requests == []
    assert [path.name for path in tmp_path.iterdir()] == ["lib"]


def test_it_runs_as_a_part_of_a_shell_command(stored, tmp_path: Path, gcs: GcsServer):
    line = f"{sys.executable} {inlined('gs_get')} {' '.join(stored)} {tmp_path}/lib"
    assert not set('"`$\\') & set(line)
    subprocess.run(["bash", "-c", line], check=True, env={**gcs.variables(), "PATH": "/usr/bin:/bin"})
    assert (tmp_path / "lib" / "thing").read_text() == "inside"


def test_a_server_that_is_busy_is_asked_again(stored, tmp_path: Path, gcs: GcsServer):
    gcs.faults.append(Fault(method="GET", contains="x.zip", times=2, status=503, code="backendError"))
    assert run(*stored, str(tmp_path / "lib")) is None


def test_other_bytes_are_asked_for_again_and_then_refused(stored, tmp_path: Path, gcs: GcsServer):
    gcs.requests.clear()
    said = run(*stored[:2], "0" * 64, str(tmp_path / "lib"))
    assert said is not None
    assert said.startswith(f"envtag: {stored[0]}/a/x.zip: it cannot be fetched: it has other bytes than it should: sha")
    assert gcs.seen("GET", "alt=media") == plain_get.TRIES
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_there_is_said_at_once(stored, tmp_path: Path, gcs: GcsServer):
    gcs.requests.clear()
    said = run(stored[0], "nowhere.zip", stored[2], str(tmp_path / "lib"))
    assert said is not None
    assert said.startswith(f"envtag: {stored[0]}/nowhere.zip: it cannot be fetched: the server says 404")
    assert gcs.seen("GET", "nowhere") == 1


def test_a_server_that_is_not_there_is_one_line(stored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    said = run(*stored, str(tmp_path / "lib"))
    assert said is not None
    assert ": it cannot be fetched: no answer: " in said


def test_another_that_was_first_is_as_good(stored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    real = plain_get.fetch

    def slow(*given) -> bytes:
        (tmp_path / "lib").mkdir()
        (tmp_path / "lib" / "first").touch()
        return real(*given)

    monkeypatch.setattr(plain_get, "fetch", slow)
    assert run(*stored, str(tmp_path / "lib")) is None
    assert [path.name for path in tmp_path.rglob("*")] == ["lib", "first"]


def test_an_old_python_is_told_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 1, "final", 0))
    said = run("gs://b/x", "k", "0" * 64, str(tmp_path / "lib"))
    assert said == "envtag: gs://b/x/k: this image has Python 3.9, and envtag needs 3.10 or newer"
