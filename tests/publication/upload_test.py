from __future__ import annotations

import errno
import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from envtag.archives import archive_path
from envtag.errors import FatalError
from envtag.output import Output, Task
from envtag.package import Package
from envtag.publication import Report, upload
from envtag.publication.upload import THREADS, Uploader
from envtag.store import Store, keys, open_store
from envtag.tombstones import Tombstones, tombstone
from support.index import Index
from support.s3 import S3Server

#: An address of a wheel that nothing answers at.
ELSEWHERE = "https://files.example.org/p-1.0-py3-none-any.whl"


def make_package(directory: Path, name: str, data: bytes = b"") -> Package:
    """A package whose origin is a file; it need not be a real archive, since nothing looks into it."""
    path = directory / f"{name}-1.0-py3-none-any.whl"
    path.write_bytes(data or name.encode())
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    size = path.stat().st_size
    return Package(manager="pypi", name=name, version="1.0", url=path.as_uri(), sha256=sha256, size=size)


def uploader(store: Store, client: Any, output: Output | None = None) -> Uploader:
    return Uploader(store=store, config=client.config, output=output or Output(), tombstones=Tombstones(store=store))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store((tmp_path / "store").as_uri())


def objects(store: Store) -> list[str]:
    return [entry.key for entry in store.list(keys.OBJECTS)]


def test_only_what_the_store_lacks_is_stored_and_each_is_counted_once(store: Store, cold_client: Any, tmp_path: Path):
    packages = [make_package(tmp_path, f"p{number}") for number in range(3)]
    report = Report()
    uploader(store, cold_client).upload("a", packages[:2], report)
    uploader(store, cold_client).upload("b", packages, report)
    assert (report.uploaded, report.reused, report.bytes) == (3, 0, 6)
    later = Report()
    uploader(store, cold_client).upload("a", packages, later)
    assert (later.uploaded, later.reused, later.bytes) == (0, 3, 0)
    assert len(objects(store)) == 3


def test_nothing_to_upload_asks_nothing(store: Store, cold_client: Any):
    uploader(store, cold_client).upload("a", [], Report())
    assert not (Path(store.url.removeprefix("file://"))).exists()


def test_a_bucket_is_listed_once_for_many_packages_and_asked_for_a_few(s3: S3Server, cold_client: Any, tmp_path: Path):
    store = open_store(f"s3://{s3.bucket()}/x")
    packages = [make_package(tmp_path, f"p{number}") for number in range(30)]
    uploader(store, cold_client).upload("a", packages[:25], Report())
    s3.requests.clear()
    report = Report()
    uploader(store, cold_client).upload("a", packages, report)
    assert (report.uploaded, report.reused) == (5, 25)
    assert (s3.seen("GET", "objects"), s3.seen("HEAD"), s3.seen("PUT")) == (1, 0, 5)


def test_a_failure_stops_what_was_not_begun_and_the_next_run_goes_on(store: Store, cold_client: Any, tmp_path: Path):
    packages = [make_package(tmp_path, f"p{number:04}") for number in range(200)]
    wrong = make_package(tmp_path, "x")
    (tmp_path / "x-1.0-py3-none-any.whl").write_bytes(b"y")
    report = Report()
    with pytest.raises(FatalError, match=r"x 1\.0 has other bytes than its lock says") as caught:
        uploader(store, cold_client).upload("a", [*packages, wrong], report)
    assert len(objects(store)) == report.uploaded == len(report.seen) < 200
    assert f"{report.uploaded} of 201 packages in the store: the next run goes on from there" in caught.value.detail
    (tmp_path / "x-1.0-py3-none-any.whl").write_bytes(b"x")
    again = Report()
    uploader(store, cold_client).upload("a", [*packages, wrong], again)
    assert (again.uploaded, again.reused) == (201 - report.uploaded, report.uploaded)


def test_what_failed_is_not_taken_for_stored_by_the_next_environment(store: Store, cold_client: Any, tmp_path: Path):
    package = make_package(tmp_path, "p")
    (tmp_path / "p-1.0-py3-none-any.whl").unlink()
    report = Report()
    for name in "ab":
        with pytest.raises(FatalError, match="does not exist"):
            uploader(store, cold_client).upload(name, [package], report)
    assert (report.uploaded, report.reused, report.seen) == (0, 0, set())


def test_an_interrupt_lets_what_was_begun_end_and_begins_nothing_more(
    store: Store, cold_client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    packages = [make_package(tmp_path, f"p{number:04}") for number in range(200)]

    def interrupted(_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(upload, "as_completed", interrupted)
    report = Report()
    with pytest.raises(KeyboardInterrupt):
        uploader(store, cold_client).upload("a", packages, report)
    assert len(objects(store)) == report.uploaded < 200
    assert list(tmp_path.glob("store/**/.*.tmp")) == []


def test_a_full_disk_of_the_client_is_named_and_the_next_run_succeeds(
    store: Store, cold_client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "index").mkdir()
    origin = make_package(tmp_path / "index", "p", b"x" * 100_000)
    index = Index(tmp_path / "index")
    url = f"{index.root}/files/p-1.0-py3-none-any.whl"
    package = Package(manager="pypi", name="p", version="1.0", url=url, sha256=origin.sha256, size=origin.size)
    real = Path.replace

    def full(self: Path, target: Path) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(FatalError) as caught:
        uploader(store, cold_client).upload("a", [package], Report())
    monkeypatch.setattr(Path, "replace", real)
    assert "p 1.0" in caught.value.message
    assert "No space left on device" in caught.value.message
    assert "make room there" in caught.value.hint
    assert objects(store) == []
    assert list(cold_client.config.directories.archives.rglob("*.whl")) == []
    report = Report()
    uploader(store, cold_client).upload("a", [package], report)
    index.stop()
    assert report.uploaded == 1


def test_another_error_of_the_disk_is_named(
    store: Store, cold_client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def broken(*_: Any) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("envtag.fetch._Job.get", broken)
    with pytest.raises(FatalError, match=r"cannot keep p 1\.0 here: Input/output error"):
        uploader(store, cold_client).upload("a", [make_package(tmp_path, "p")._replace(url=ELSEWHERE)], Report())


def test_what_is_marked_for_deletion_is_revived_and_what_was_deleted_is_stored_anew(
    store: Store, cold_client: Any, tmp_path: Path
):
    packages = [make_package(tmp_path, name) for name in ("kept", "gone")]
    marked = [keys.object_key(package.sha256, "whl") for package in packages]
    uploader(store, cold_client).upload("a", packages, Report())
    for key in marked:
        store.swap(keys.tombstone_key(key), tombstone(key, "marked"), None)
    late = uploader(store, cold_client)
    late.tombstones.load()
    store.delete(marked[1])
    store.delete(keys.tombstone_key(marked[1]))
    report = Report()
    late.upload("a", packages, report)
    assert (report.uploaded, report.reused) == (1, 1)
    assert b'"revived"' in (store.read(keys.tombstone_key(marked[0])) or b"")
    late.tombstones.confirm()


def test_large_packages_go_one_at_a_time_beside_the_small(
    store: Store, cold_client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(upload, "LARGE_BYTES", 10)
    packages = [make_package(tmp_path, f"p{number}", f"large {number:010}".encode()) for number in range(6)]
    at_once, most, mutex = 0, 0, threading.Lock()
    real: Callable[..., bool] = type(store).create

    def watched(self: Any, *words: Any) -> bool:
        nonlocal at_once, most
        with mutex:
            at_once += 1
            most = max(most, at_once)
        try:
            return real(self, *words)
        finally:
            with mutex:
                at_once -= 1

    monkeypatch.setattr(type(store), "create", watched)
    uploader(store, cold_client).upload("a", packages, Report())
    assert most == 1 < THREADS


class Told(Task):
    """A task that notes what it is told."""

    def __init__(self, words: list[Any]) -> None:
        super().__init__()
        self.words = words

    def describe(self, what: str) -> None:
        self.words.append(what)

    def advance(self, amount: float = 1) -> None:
        self.words.append(amount)

    def total(self, amount: float) -> None:
        self.words.append(("total", amount))


def test_progress_counts_bytes_that_are_stored_and_packages_in_words(
    store: Store, cold_client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from contextlib import contextmanager

    words: list[Any] = []

    @contextmanager
    def task(_: Output, what: str, total: float | None = None, *, unit: str = "") -> Any:
        words.append((what, total, unit))
        yield Told(words)

    monkeypatch.setattr(Output, "task", task)
    first, second = make_package(tmp_path, "p"), make_package(tmp_path, "longer")
    uploader(store, cold_client).upload("a", [first], Report())
    words.clear()
    uploader(store, cold_client).upload("a", [first, second], Report())
    assert words[0] == ("storing a", 7, "bytes")
    assert {"storing a, 1 of 2 packages", "storing a, 2 of 2 packages"} <= {word for word in words if type(word) is str}
    assert 6 in words
    assert ("total", 6) in words


def test_looking_counts_what_is_missing_and_changes_nothing(store: Store, cold_client: Any, tmp_path: Path):
    packages = [make_package(tmp_path, name) for name in ("a", "b")]
    uploader(store, cold_client).upload("a", packages[:1], Report())
    report = Report()
    assert uploader(store, cold_client).missing(packages, report) == packages[1:]
    assert (report.uploaded, report.reused, report.bytes) == (1, 1, 1)
    assert len(objects(store)) == 1
    assert uploader(store, cold_client).missing(packages, report) == []


def test_a_damaged_archive_of_the_cache_is_had_anew_and_never_stored(store: Store, cold_client: Any, tmp_path: Path):
    package = make_package(tmp_path, "thing")
    kept = archive_path(cold_client.config.directories, package)
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"THING")
    uploader(store, cold_client).upload("a", [package], Report())
    assert store.read(objects(store)[0]) == b"thing"
    assert not kept.exists()


def test_a_damaged_origin_is_named_and_nothing_is_stored(store: Store, cold_client: Any, tmp_path: Path):
    package = make_package(tmp_path, "thing")
    (tmp_path / package.filename).write_bytes(b"THING")
    with pytest.raises(FatalError, match=r"thing 1.0 has other bytes than its lock says: .* from `"):
        uploader(store, cold_client).upload("a", [package], Report())
    assert objects(store) == []


def test_what_is_at_hand_is_hashed_once(store: Store, cold_client: Any, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("envtag.fetch.sha256_file", None)  # the store hashes what it takes in
    monkeypatch.setattr("envtag.archives.sha256_file", None)
    uploader(store, cold_client).upload("a", [make_package(tmp_path, "thing")], Report())
    assert len(objects(store)) == 1
