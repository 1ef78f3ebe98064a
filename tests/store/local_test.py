from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
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


def test_reading_does_not_make_a_store(store: Store, root: Path, tmp_path: Path):
    assert not store.download(KEY, tmp_path / "target", SHA256)
    assert store.read(KEY) is None
    store.delete(KEY)
    assert not root.exists()


def test_an_object_is_a_file_that_others_can_read_in_place(store: Store, root: Path):
    assert store.local_path(KEY) is None
    store.create(KEY, DATA, SHA256)
    assert store.local_path(KEY) == root / KEY
    assert (root / KEY).read_bytes() == DATA
    assert (root / KEY).stat().st_mode & 0o777 == 0o644


def test_of_refused_bytes_no_file_is_left(store: Store, root: Path):
    with pytest.raises(FatalError, match=f"`{KEY}` has sha256 .*, expected {SHA256}"):
        store.create(KEY, b"other", SHA256)
    assert store.read(KEY) is None
    assert [path for path in root.rglob("*") if path.is_file()] == []


def test_what_a_dead_writer_left_is_not_listed(store: Store, root: Path):
    store.swap("tags/a/b@v1.json", b"12", None)
    (root / "tags" / "a" / ".b@v3.json.x.tmp").write_bytes(b"left by a dead writer")
    assert [entry.key for entry in store.list("tags/a")] == ["tags/a/b@v1.json"]


def test_an_unusable_store_is_an_error_that_names_key_and_store(store: Store, root: Path):
    root.write_bytes(b"a file where the store should be")
    with pytest.raises(FatalError, match=f"`{KEY}` in the store {root.as_uri()}: "):
        store.create(KEY, DATA, SHA256)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://host/x", "`ftp` is not a kind of store that this version reads"),
        ("/a/path", "`/a/path` is not the URL of a store"),
        ("file://host/path", "does not name a directory of this machine"),
        ("file://", "does not name a directory of this machine"),
    ],
)
def test_a_url_that_names_no_store_is_refused(url, message):
    with pytest.raises(FatalError, match=message):
        open_store(url)


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
