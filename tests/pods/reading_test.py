from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from envtag.errors import DamagedError, FatalError, UnreachableError
from envtag.pods import reading
from envtag.pods.bucket import open_reader
from envtag.pods.reading import Reading
from envtag.store import Store, open_store
from support.azure import ACCOUNT
from support.faults import Fault

DATA = bytes(range(256)) * 12_000  # three blocks
SHA256 = hashlib.sha256(DATA).hexdigest()
KEY = "objects/sha256/aa/a b+c.whl"


@pytest.fixture(params=["s3", "gs", "az"])
def served(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, str]:
    """A running server of each kind, and the URL of a store there with one object."""
    monkeypatch.setattr(reading, "pause", lambda _: None)
    server = request.getfixturevalue({"s3": "s3", "gs": "gcs", "az": "azure"}[request.param])
    place = f"{ACCOUNT}/{server.container()}" if request.param == "az" else server.bucket()
    url = f"{request.param}://{place}/a-prefix"
    open_store(url).create(KEY, DATA, SHA256)
    server.requests.clear()
    return server, url


@pytest.fixture
def reader(served: tuple[Any, str]) -> Store:
    found = open_reader(served[1])
    assert isinstance(found, Reading)
    return found


def test_an_object_is_read_and_downloaded(reader: Store, tmp_path: Path):
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


def test_a_stream_that_breaks_is_taken_up_where_it_broke(reader: Store, served: tuple[Any, str]):
    server, _ = served
    server.faults += [Fault(method="GET", contains="c.whl", times=1), Fault(method="GET", contains="c.whl", cut=True)]
    assert reader.read(KEY) == DATA
    assert server.seen("GET") == 3


def test_one_that_was_replaced_meanwhile_is_told(reader: Any):
    with pytest.raises(FatalError, match="was replaced while it was being read"):
        list(reader._blocks(KEY, 5, "another"))


def test_a_server_that_is_busy_is_asked_again(reader: Store, served: tuple[Any, str]):
    served[0].faults.append(Fault(method="GET", contains="c.whl", times=2, status=503, code="SlowDown"))
    assert reader.read(KEY) == DATA


def test_a_server_that_stays_busy_is_out_of_reach(reader: Store, served: tuple[Any, str]):
    served[0].faults.append(Fault(method="GET", contains="c.whl", times=99, status=503, code="SlowDown"))
    with pytest.raises(UnreachableError, match=r"cannot read `objects/.*: the server says 503"):
        reader.read(KEY)


def test_who_may_not_read_is_told_at_once(reader: Store, served: tuple[Any, str]):
    served[0].faults.append(Fault(method="GET", contains="c.whl", times=5, status=403, code="AccessDenied"))
    with pytest.raises(FatalError, match="the server says 403") as caught:
        reader.read(KEY)
    assert "role may read" in caught.value.hint
    assert served[0].seen("GET") == 1


def test_a_disk_that_is_full_is_no_fault_of_the_server(reader: Store, served: tuple[Any, str], tmp_path: Path):
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(FatalError, match="No space left on device"):
        reader.download(KEY, tmp_path / "x", SHA256, full)
    assert served[0].seen("GET") == 1


def test_credentials_that_cannot_be_had_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(FatalError, match="the credentials for gs://bucket/x cannot be had: FileNotFoundError"):
        open_reader("gs://bucket/x").read("k")
    (tmp_path / "none.json").write_text('{"type": "external_account"}')
    with pytest.raises(FatalError, match="cannot be had: credentials of the type external_account"):
        open_reader("gs://bucket/x").read("k")
