from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.store import Store, open_store

DATA = b"the bytes of a package\n" * 1000
SHA256 = hashlib.sha256(DATA).hexdigest()
KEY = f"objects/sha256/{SHA256[:2]}/{SHA256}.conda"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "a store"


@pytest.fixture
def store(root: Path) -> Store:
    return open_store(root.as_uri())


def test_a_store_that_does_not_exist_yet_is_empty(store: Store, root: Path, tmp_path: Path):
    assert store.read(KEY) is None
    assert store.size(KEY) is None
    assert store.read_versioned(KEY) is None
    assert store.local_path(KEY) is None
    assert not store.download(KEY, tmp_path / "target", SHA256)
    assert list(store.list("")) == []
    store.delete(KEY)
    assert not root.exists()


@pytest.mark.parametrize("as_file", [True, False])
def test_what_is_created_can_be_read(store: Store, tmp_path: Path, as_file):
    source = tmp_path / "source"
    source.write_bytes(DATA)
    assert store.create(KEY, source if as_file else DATA, SHA256)
    assert store.read(KEY) == DATA
    assert store.size(KEY) == len(DATA)
    path = store.local_path(KEY)
    assert path is not None
    assert path.read_bytes() == DATA
    assert path.stat().st_mode & 0o777 == 0o644
    blocks: list[int] = []
    assert store.download(KEY, tmp_path / "deep" / "target", SHA256, blocks.append)
    assert (tmp_path / "deep" / "target").read_bytes() == DATA
    assert sum(blocks) == len(DATA)


def test_the_second_creation_of_the_same_object_is_told(store: Store):
    assert store.create(KEY, DATA, SHA256)
    assert not store.create(KEY, DATA, SHA256)


def test_bytes_that_do_not_have_the_promised_hash_are_not_stored(store: Store, root: Path):
    with pytest.raises(FatalError, match=f"`{KEY}` has sha256 .*, expected {SHA256}"):
        store.create(KEY, b"other", SHA256)
    assert store.read(KEY) is None
    assert [path for path in root.rglob("*") if path.is_file()] == []


def test_an_object_of_another_size_in_the_way_is_an_error_that_names_it(store: Store, root: Path):
    (root / KEY).parent.mkdir(parents=True)
    (root / KEY).write_bytes(b"half")
    with pytest.raises(FatalError, match=f"`{KEY}` is already in .* with 4 bytes, expected {len(DATA)}"):
        store.create(KEY, DATA, SHA256)
    assert (root / KEY).read_bytes() == b"half"


def test_a_tampered_object_is_never_downloaded(store: Store, root: Path, tmp_path: Path):
    store.create(KEY, DATA, SHA256)
    (root / KEY).write_bytes(DATA.replace(b"package", b"virus!!"))
    target = tmp_path / "targets" / "target"
    with pytest.raises(FatalError, match=f"`{KEY}` in .* has other bytes than promised: expected sha256 {SHA256}"):
        store.download(KEY, target, SHA256)
    assert list(target.parent.iterdir()) == []


def test_a_download_replaces_an_older_file(store: Store, tmp_path: Path):
    target = tmp_path / "target"
    target.write_bytes(b"old")
    store.create(KEY, DATA, SHA256)
    assert store.download(KEY, target, SHA256)
    assert target.read_bytes() == DATA


def test_a_swap_needs_the_version_that_was_read(store: Store):
    key = "pointers/a@stable.json"
    assert not store.swap(key, b"1", "something")
    assert store.swap(key, b"1", None)
    assert not store.swap(key, b"2", None)
    versioned = store.read_versioned(key)
    assert versioned is not None
    data, version = versioned
    assert data == b"1"
    assert store.swap(key, b"2", version)
    assert not store.swap(key, b"3", version)
    assert store.read(key) == b"2"


def test_objects_are_listed_by_prefix_in_order(store: Store, root: Path):
    for key in (
        "tags/a/b@v1.json",
        "tags/a/b@v2.json",
        "tags/a/b/c@v1.json",
        "tags/ab@v1.json",
        "pointers/a@stable.json",
    ):
        store.swap(key, b"12", None)
    (root / "tags" / "a" / ".b@v3.json.x.tmp").write_bytes(b"left by a dead writer")
    entries = list(store.list("tags/a"))
    assert [entry.key for entry in entries] == [
        "tags/a/b/c@v1.json",
        "tags/a/b@v1.json",
        "tags/a/b@v2.json",
        "tags/ab@v1.json",
    ]
    assert {entry.size for entry in entries} == {2}
    assert all(abs(datetime.now(timezone.utc) - entry.modified) < timedelta(minutes=5) for entry in entries)
    assert [entry.key for entry in store.list("tags/a/b@")] == ["tags/a/b@v1.json", "tags/a/b@v2.json"]
    assert len(list(store.list(""))) == 5


def test_a_deleted_object_is_gone(store: Store):
    store.create(KEY, DATA, SHA256)
    store.delete(KEY)
    assert store.read(KEY) is None
    store.delete(KEY)


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../outside", "a//b", "a/../b", "a/./b", ".locks/x", "a\\b"])
def test_what_is_not_a_key_is_refused(store: Store, key):
    with pytest.raises(ValueError, match="not a key"):
        store.read(key)


def test_an_unusable_store_is_an_error_that_names_key_and_store(store: Store, root: Path):
    root.write_bytes(b"a file where the store should be")
    with pytest.raises(FatalError, match=f"`{KEY}` in the store {root.as_uri()}: "):
        store.create(KEY, DATA, SHA256)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("s3://bucket/x", "`s3` is not a kind of store that this version reads"),
        ("/a/path", "`/a/path` is not the URL of a store"),
        ("file://host/path", "does not name a directory of this machine"),
        ("file://", "does not name a directory of this machine"),
    ],
)
def test_a_url_that_names_no_store_is_refused(url, message):
    with pytest.raises(FatalError, match=message):
        open_store(url)


def test_of_many_writers_one_creates(store: Store):
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: store.create(KEY, DATA, SHA256), range(32)))
    assert made.count(True) == 1


COUNT = """\
import sys
from envtag.store import open_store
store = open_store(sys.argv[1])
for _ in range(25):
    while True:
        found = store.read_versioned("pointers/a@stable.json")
        data, version = found if found else (b"0", None)
        if store.swap("pointers/a@stable.json", b"%d" % (int(data) + 1), version):
            break
"""


def test_no_update_is_lost_between_processes(store: Store):
    processes = [subprocess.Popen([sys.executable, "-c", COUNT, store.url]) for _ in range(4)]
    assert [process.wait(60) for process in processes] == [0] * 4
    assert store.read("pointers/a@stable.json") == b"100"


KILLED = """\
import os, signal, sys
from envtag.store import open_store
import envtag.store.local as local

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

setattr(local if sys.argv[2] in vars(local) else os, sys.argv[2], die)
open_store(sys.argv[1]).create(sys.argv[3], sys.argv[4].encode(), sys.argv[5])
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
@pytest.mark.parametrize("step", ["fsync", "link_exclusive", "sync_directory"])
def test_a_writer_killed_at_any_step_leaves_a_whole_object_or_none(store: Store, step):
    digest = hashlib.sha256(b"data").hexdigest()
    done = subprocess.run([sys.executable, "-c", KILLED, store.url, step, KEY, "data", digest], check=False)
    assert done.returncode == -signal.SIGKILL
    assert store.read(KEY) == (b"data" if step == "sync_directory" else None)
    assert [entry.key for entry in store.list("")] == ([KEY] if step == "sync_directory" else [])
    assert store.create(KEY, b"data", digest) == (step != "sync_directory")
    assert store.read(KEY) == b"data"
