from __future__ import annotations

import hashlib
import threading
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from envtag.errors import FatalError, UnreachableError
from envtag.store import gcs
from envtag.store.gcs import GcsStore
from envtag.store.gcs_client import Answer
from envtag.store.gcs_upload import CHUNK_UNIT, Upload, hashes
from support.faults import Fault
from support.gcs import GcsServer

DATA = bytes(range(256)) * ((4 * CHUNK_UNIT + 1024) // 256)
SHA256 = hashlib.sha256(DATA).hexdigest()
KEY = "objects/large.conda"
CHUNK = "upload_id="


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait between attempts."""
    monkeypatch.setattr("envtag.store.attempts._FIRST_PAUSE_SECONDS", 0)


@pytest.fixture
def server(gcs: GcsServer) -> GcsServer:
    return gcs


@pytest.fixture
def store(server: GcsServer) -> GcsStore:
    return GcsStore(bucket=server.bucket(), prefix="p", whole_bytes=CHUNK_UNIT, chunk_bytes=2 * CHUNK_UNIT)


def test_a_large_file_is_sent_in_chunks(server: GcsServer, store: GcsStore, tmp_path: Path):
    source = tmp_path / "source"
    source.write_bytes(DATA)
    assert store.create(KEY, source, SHA256)
    assert server.seen("PUT", CHUNK) == 3
    assert store.download(KEY, tmp_path / "target", SHA256)
    assert (tmp_path / "target").read_bytes() == DATA
    assert not store.create(KEY, source, SHA256)
    assert server.seen("PUT", CHUNK) == 3
    assert server.unfinished(store.bucket) == []


def test_a_file_of_whole_chunks_needs_no_empty_one(server: GcsServer, store: GcsStore):
    data = DATA[: 4 * CHUNK_UNIT]
    assert store.create(KEY, data, hashlib.sha256(data).hexdigest())
    assert server.seen("PUT", CHUNK) == 2
    assert store.read(KEY) == data


def test_bytes_that_are_not_the_promised_ones_are_not_sent(server: GcsServer, store: GcsStore):
    with pytest.raises(FatalError, match=f"`{KEY}` has sha256 {SHA256}, expected {'0' * 64}"):
        store.create(KEY, DATA, "0" * 64)
    assert server.seen("POST") == 0


def test_a_file_that_changes_after_it_was_hashed_never_becomes_an_object(
    server: GcsServer, store: GcsStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    source = tmp_path / "source"
    source.write_bytes(DATA)

    def change(stream: object) -> tuple[str, bytes]:
        found = hashes(stream)
        source.write_bytes(DATA[::-1])
        return found

    monkeypatch.setattr(gcs, "hashes", change)
    with pytest.raises(FatalError, match="other bytes arrived there than were to be sent"):
        store.create(KEY, source, SHA256)
    assert store.read(KEY) is None
    assert server.unfinished(store.bucket) == []


def test_of_two_uploads_at_once_one_is_completed(server: GcsServer, store: GcsStore, monkeypatch: pytest.MonkeyPatch):
    barrier = threading.Barrier(2, timeout=20)  # both have begun before either ends
    send = Upload._send

    def together(*arguments: object) -> bool | None:
        barrier.wait()
        return send(*arguments)

    monkeypatch.setattr(Upload, "_send", together)
    with ThreadPoolExecutor(2) as threads:
        made = list(threads.map(lambda _: store.create(KEY, DATA, SHA256), range(2)))
    assert sorted(made) == [False, True]
    assert server.seen("POST", "uploadType=resumable") == 2
    assert server.seen("DELETE", CHUNK) == 1
    assert server.unfinished(store.bucket) == []
    assert store.read(KEY) == DATA


def test_an_object_that_is_there_before_the_first_chunk_ends_the_upload(server: GcsServer, store: GcsStore):
    store.create(KEY, DATA, SHA256)
    server.requests.clear()
    server.faults = [Fault(method="GET", contains="fields=size", status=404, code="notFound")]
    assert not store.create(KEY, DATA, SHA256)
    assert server.seen("POST", "uploadType=resumable") == 1
    assert server.seen("PUT") == 0


def test_an_upload_that_cannot_be_finished_is_given_up(server: GcsServer, store: GcsStore):
    server.faults = [Fault(method="PUT", status=403, code="forbidden")]
    with pytest.raises(FatalError, match=f"access denied: these credentials may not write `{KEY}`"):
        store.create(KEY, DATA, SHA256)
    assert server.seen("DELETE", CHUNK) == 1
    assert server.unfinished(store.bucket) == []


def test_an_upload_that_cannot_even_be_given_up_is_told_with_its_own_cause(server: GcsServer, store: GcsStore):
    server.faults = [Fault(method="PUT", status=403, code="forbidden"), Fault(method="DELETE", times=9)]
    with pytest.raises(FatalError, match=f"access denied: these credentials may not write `{KEY}`"):
        store.create(KEY, DATA, SHA256)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(method="PUT"),
        Fault(method="PUT", done=True),
        Fault(method="PUT", done=True, times=2),
        Fault(method="PUT", status=503, code="backendError", times=4),
        Fault(method="PUT", status=429, code="rateLimitExceeded"),
        Fault(method="PUT", status=408),
    ],
)
@pytest.mark.parametrize("from_number", [0, 1, 2])
def test_a_chunk_that_failed_is_taken_up_from_where_the_server_is(
    server: GcsServer, store: GcsStore, monkeypatch: pytest.MonkeyPatch, fault: Fault, from_number: int
):
    fault = replace(fault)
    put = Upload._put
    numbers = iter(range(99))

    def later(*arguments: object) -> object:
        if next(numbers) == from_number:
            server.faults = [fault]
        return put(*arguments)

    monkeypatch.setattr(Upload, "_put", later)
    assert store.create(KEY, DATA, SHA256)
    assert fault.times == 0
    assert store.read(KEY) == DATA


@pytest.mark.parametrize("fields", [{}, {"done": True}, {"status": 503}])
def test_a_start_that_failed_is_made_again(server: GcsServer, store: GcsStore, fields: dict[str, Any]):
    server.faults = [Fault(method="POST", **fields)]
    assert store.create(KEY, DATA, SHA256)
    assert store.read(KEY) == DATA


def test_a_server_that_keeps_only_a_part_of_a_chunk_gets_the_rest(server: GcsServer, store: GcsStore):
    server.keeps = CHUNK_UNIT
    assert store.create(KEY, DATA, SHA256)
    assert server.seen("PUT", CHUNK) == 5
    assert store.read(KEY) == DATA


def test_a_server_that_keeps_nothing_is_given_up(server: GcsServer, store: GcsStore):
    server.keeps = 0
    with pytest.raises(UnreachableError, match=r"the server is overloaded or failing \(noProgress\)"):
        store.create(KEY, DATA, SHA256)
    assert server.seen("PUT", CHUNK) == 5
    assert server.unfinished(store.bucket) == []


def test_a_connection_that_always_breaks_is_told(server: GcsServer, store: GcsStore):
    server.faults = [Fault(method="PUT", times=99)]
    with pytest.raises(UnreachableError, match=f"cannot write `{KEY}` in .*the connection broke"):
        store.create(KEY, DATA, SHA256)
    assert store.read(KEY) is None


def test_a_server_that_cannot_be_trusted_is_not_asked_again(
    server: GcsServer, store: GcsStore, monkeypatch: pytest.MonkeyPatch
):
    send = requests.adapters.HTTPAdapter.send

    def refuse(self: object, request: requests.PreparedRequest, **more: object) -> requests.Response:
        if request.method == "PUT":
            asked.append(request)
            raise requests.exceptions.SSLError
        return send(self, request, **more)

    asked: list[object] = []
    monkeypatch.setattr("requests.adapters.HTTPAdapter.send", refuse)
    with pytest.raises(UnreachableError, match="cannot be trusted"):
        store.create(KEY, DATA, SHA256)
    assert len(asked) == 1


@pytest.mark.parametrize("status", [404, 410])
def test_an_upload_that_the_server_has_forgotten_begins_anew(server: GcsServer, store: GcsStore, status: int):
    server.faults = [Fault(method="PUT", status=status, code="notFound")]
    assert store.create(KEY, DATA, SHA256)
    assert server.seen("POST", "uploadType=resumable") == 2
    assert store.read(KEY) == DATA


@pytest.mark.parametrize("status", [404, 410, 412])
def test_an_end_whose_answer_is_lost_is_still_its_own(
    server: GcsServer, store: GcsStore, monkeypatch: pytest.MonkeyPatch, status: int
):
    after = lost_end(server, monkeypatch, Fault(method="PUT", status=status, code="conditionNotMet"))
    assert store.create(KEY, DATA, SHA256)
    assert after.times == 0
    assert server.seen("POST", "uploadType=resumable") == 1
    assert store.read(KEY) == DATA


def lost_end(server: GcsServer, monkeypatch: pytest.MonkeyPatch, after: Fault) -> Fault:
    """Lose the answer to the last chunk, and let the question what became of it meet a fault; the latter."""
    chunk: Callable[..., object] = Upload._chunk

    def lose(self: Upload, session: str, data: bytes, place: str) -> object:
        if place.endswith(f"-{len(DATA) - 1}/{len(DATA)}"):
            server.faults = [Fault(method="PUT", done=True), after]
        return chunk(self, session, data, place)

    monkeypatch.setattr(Upload, "_chunk", lose)
    return after


def test_a_bucket_that_is_removed_during_an_upload_is_named(server: GcsServer, store: GcsStore, monkeypatch):
    send = Upload._send

    def remove(*arguments: object) -> bool | None:
        del server.storage.buckets[store.bucket]
        return send(*arguments)

    monkeypatch.setattr(Upload, "_send", remove)
    with pytest.raises(FatalError, match=f"the bucket of the store gs://{store.bucket}/p does not exist"):
        store.create(KEY, DATA, SHA256)


def test_no_more_than_a_chunk_is_held_in_memory(tmp_path: Path):
    size, chunk = 64 << 20, 1 << 20
    source = tmp_path / "source"
    with source.open("wb") as stream:
        stream.truncate(size)
    upload = Upload(connection=Sink(size), url="", query={}, resource={}, size=size, chunk_bytes=chunk)
    tracemalloc.start()
    try:
        with source.open("rb") as stream:
            hashes(stream)
            assert upload.run(stream)
        assert tracemalloc.get_traced_memory()[1] < 4 * chunk
    finally:
        tracemalloc.stop()


class Sink:
    """A server that takes everything and keeps nothing."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.there = 0

    def ask(self, method: str, url: str, *, data: bytes, **_: object) -> Answer:
        self.there += len(data) if method == "PUT" else 0
        response = requests.Response()
        response.status_code = 200 if self.there in {0, self.size} else 308
        response.headers.update({"Location": "x", "Range": f"bytes=0-{self.there - 1}"})
        return Answer(response=response, again=False)
