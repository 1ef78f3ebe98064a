"""What every store promises, whoever keeps the bytes."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.store import Store, open_store
from support.azure import ACCOUNT, AzureServer
from support.gcs import GcsServer
from support.s3 import S3Server

DATA = b"the bytes of a package\n" * 1000
SHA256 = hashlib.sha256(DATA).hexdigest()
KEY = f"objects/sha256/{SHA256[:2]}/{SHA256}.conda"
POINTER = "pointers/a@stable.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A store, and a way to write past it.

    Attributes:
        store: The store, empty.
        put: Writes an object as somebody does who keeps to no rule.
    """

    store: Store
    put: Callable[[str, bytes], object]


@pytest.fixture(params=["az", "file", "gs", "s3"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    if request.param == "file":
        root = tmp_path / "a store"

        def write(key: str, data: bytes) -> None:
            (root / key).parent.mkdir(parents=True, exist_ok=True)
            (root / key).write_bytes(data)

        return Kept(store=open_store(root.as_uri()), put=write)
    if request.param == "az":
        azure: AzureServer = request.getfixturevalue("azure")
        container = azure.container()
        return Kept(
            store=open_store(f"az://{ACCOUNT}/{container}/some/prefix"),
            put=lambda key, data: azure.put(container, f"some/prefix/{key}", data),
        )
    if request.param == "gs":
        gcs: GcsServer = request.getfixturevalue("gcs")
        name = gcs.bucket()
        return Kept(
            store=open_store(f"gs://{name}/some/prefix"),
            put=lambda key, data: gcs.put(name, f"some/prefix/{key}", data),
        )
    s3: S3Server = request.getfixturevalue("s3")
    bucket, client = s3.bucket(), s3.client()
    return Kept(
        store=open_store(f"s3://{bucket}/some/prefix"),
        put=lambda key, data: client.put_object(Bucket=bucket, Key=f"some/prefix/{key}", Body=data),
    )


@pytest.fixture
def store(kept: Kept) -> Store:
    return kept.store


def test_a_new_store_is_empty(store: Store, tmp_path: Path):
    assert store.read(KEY) is None
    assert store.size(KEY) is None
    assert store.read_versioned(KEY) is None
    assert store.local_path(KEY) is None
    assert not store.download(KEY, tmp_path / "targets" / "target", SHA256)
    assert list((tmp_path / "targets").iterdir() if (tmp_path / "targets").exists() else []) == []
    assert list(store.list("")) == []
    store.delete(KEY)


@pytest.mark.parametrize("data", [DATA, b""])
@pytest.mark.parametrize("as_file", [True, False])
def test_what_is_created_can_be_read(store: Store, tmp_path: Path, as_file, data: bytes):
    source = tmp_path / "source"
    source.write_bytes(data)
    sha256 = hashlib.sha256(data).hexdigest()
    assert store.create(KEY, source if as_file else data, sha256)
    assert store.read(KEY) == data
    assert store.size(KEY) == len(data)
    blocks: list[int] = []
    assert store.download(KEY, tmp_path / "deep" / "target", sha256, blocks.append)
    assert (tmp_path / "deep" / "target").read_bytes() == data
    assert (tmp_path / "deep" / "target").stat().st_mode & 0o777 == 0o644
    assert sum(blocks) == len(data)


def test_the_second_creation_of_the_same_object_is_told(store: Store):
    assert store.create(KEY, DATA, SHA256)
    assert not store.create(KEY, DATA, SHA256)


@pytest.mark.parametrize("as_file", [True, False])
def test_bytes_that_do_not_have_the_promised_hash_are_not_stored(store: Store, tmp_path: Path, as_file):
    source = tmp_path / "source"
    source.write_bytes(b"other")
    with pytest.raises(FatalError, match=f"`{KEY}` has sha256 .*, expected {SHA256}"):
        store.create(KEY, source if as_file else b"other", SHA256)
    assert store.read(KEY) is None
    assert list(store.list("")) == []


def test_an_object_of_another_size_in_the_way_is_an_error_that_names_it(kept: Kept):
    kept.put(KEY, b"half")
    with pytest.raises(FatalError, match=f"`{KEY}` is already in .* with 4 bytes, expected {len(DATA)}"):
        kept.store.create(KEY, DATA, SHA256)
    assert kept.store.read(KEY) == b"half"


def test_a_tampered_object_is_never_downloaded(kept: Kept, tmp_path: Path):
    kept.store.create(KEY, DATA, SHA256)
    kept.put(KEY, DATA.replace(b"package", b"virus!!"))
    target = tmp_path / "targets" / "target"
    with pytest.raises(FatalError, match=f"`{KEY}` in .* has other bytes than promised: expected sha256 {SHA256}"):
        kept.store.download(KEY, target, SHA256)
    assert list(target.parent.iterdir()) == []


def test_a_download_replaces_an_older_file(store: Store, tmp_path: Path):
    target = tmp_path / "target"
    target.write_bytes(b"old")
    store.create(KEY, DATA, SHA256)
    assert store.download(KEY, target, SHA256)
    assert target.read_bytes() == DATA


def test_a_swap_needs_the_version_that_was_read(store: Store):
    assert not store.swap(POINTER, b"1", "something")
    assert store.swap(POINTER, b"1", None)
    assert not store.swap(POINTER, b"2", None)
    versioned = store.read_versioned(POINTER)
    assert versioned is not None
    data, version = versioned
    assert data == b"1"
    assert store.swap(POINTER, b"2", version)
    assert not store.swap(POINTER, b"3", version)
    assert store.read(POINTER) == b"2"
    found = store.read_versioned(POINTER)
    assert found is not None
    store.delete(POINTER)
    assert not store.swap(POINTER, b"3", found[1])
    assert store.read(POINTER) is None


def test_objects_are_listed_by_prefix_in_order(store: Store):
    for key in (
        "tags/a/b@v1.json",
        "tags/a/b@v2.json",
        "tags/a/b/c@v1.json",
        "tags/ab@v1.json",
        "pointers/a@stable.json",
    ):
        store.swap(key, b"12", None)
    entries = list(store.list("tags/a"))
    assert [entry.key for entry in entries] == [
        "tags/a/b/c@v1.json",
        "tags/a/b@v1.json",
        "tags/a/b@v2.json",
        "tags/ab@v1.json",
    ]
    assert {entry.size for entry in entries} == {2}
    assert all(abs(datetime.now(timezone.utc) - entry.modified) < timedelta(minutes=5) for entry in entries)
    assert {entry.modified.tzinfo for entry in entries} == {timezone.utc}
    assert [entry.key for entry in store.list("tags/a/b@")] == ["tags/a/b@v1.json", "tags/a/b@v2.json"]
    assert len(list(store.list(""))) == 5


def test_a_deleted_object_is_gone(store: Store):
    store.create(KEY, DATA, SHA256)
    store.delete(KEY)
    assert store.read(KEY) is None
    store.delete(KEY)


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../outside", "a//b", "a/../b", "a/./b", ".locks/x", "a\\b"])
def test_what_is_not_a_key_is_refused(store: Store, key):
    for call in (store.read, store.size, store.delete, store.local_path):
        with pytest.raises(ValueError, match="not a key"):
            call(key)


def test_a_download_to_where_nothing_can_be_written_names_the_key(store: Store, tmp_path: Path):
    store.create(KEY, DATA, SHA256)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FatalError, match=f"`{KEY}` in the store {store.url}: "):
        store.download(KEY, tmp_path / "file" / "target", SHA256)


def test_of_many_writers_one_creates(store: Store):
    with ThreadPoolExecutor(16) as threads:
        made = list(threads.map(lambda _: store.create(KEY, DATA, SHA256), range(32)))
    assert made.count(True) == 1
    assert store.read(KEY) == DATA


COUNT = """\
import sys
from envtag.store import open_store
store = open_store(sys.argv[1])
for _ in range(10):
    while True:
        found = store.read_versioned("pointers/a@stable.json")
        data, version = found if found else (b"0", None)
        if store.swap("pointers/a@stable.json", b"%d" % (int(data) + 1), version):
            break
"""


def test_no_update_is_lost_between_processes(store: Store):
    processes = [subprocess.Popen([sys.executable, "-c", COUNT, store.url]) for _ in range(4)]
    assert [process.wait(60) for process in processes] == [0] * 4
    assert store.read(POINTER) == b"40"
