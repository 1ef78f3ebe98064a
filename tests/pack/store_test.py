from __future__ import annotations

from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.pack.reading import open_pack
from envtag.pack.store import PackStore, open_as_store
from envtag.store.keys import object_key
from support.packs import Sample, sample


@pytest.fixture
def found(tmp_path: Path) -> Sample:
    return sample(tmp_path / "archives", "linux-64")


@pytest.fixture
def store(tmp_path: Path, found: Sample) -> PackStore:
    found.pack(tmp_path / "x.tar")
    return open_as_store(open_pack(tmp_path / "x.tar"))


def test_each_archive_is_there_under_its_key(store: PackStore, found: Sample, tmp_path: Path):
    counted: list[int] = []
    for package in found.manifest.archives():
        key = object_key(package.sha256, package.extension)
        original = found.archives[package.sha256].read_bytes()
        assert store.download(key, tmp_path / "out" / "file", package.sha256, counted.append)
        assert (tmp_path / "out" / "file").read_bytes() == original
        assert (store.read(key), store.size(key), store.local_path(key)) == (original, len(original), None)
        assert store.read_versioned(key) == (original, "")
    assert sum(counted) == sum(path.stat().st_size for path in found.archives.values())
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["file"]


def test_nothing_else_is_there(store: PackStore, tmp_path: Path):
    key = object_key("0" * 64, "conda")
    assert not store.download(key, tmp_path / "out", "0" * 64)
    assert (store.read(key), store.size(key), store.read_versioned(key)) == (None, None, None)


def test_what_is_there_is_listed(store: PackStore, found: Sample):
    wanted = sorted(object_key(item.sha256, item.extension) for item in found.manifest.archives())
    assert [entry.key for entry in store.list("objects/")] == wanted
    assert list(store.list("tags/")) == []
    assert store.url.endswith("/x.tar")


def test_a_file_that_changed_since_it_was_checked_gives_nothing(store: PackStore, found: Sample, tmp_path: Path):
    package = found.manifest.archives()[0]
    key = object_key(package.sha256, package.extension)
    data = bytearray((tmp_path / "x.tar").read_bytes())
    data[store.file.members[store.names[key]].offset] ^= 1
    (tmp_path / "x.tar").write_bytes(data)
    with pytest.raises(FatalError, match="changed while it was read"):
        store.download(key, tmp_path / "out" / "file", package.sha256)
    assert list((tmp_path / "out").iterdir()) == []


def test_nothing_is_written(store: PackStore):
    with pytest.raises(FatalError, match="nothing is written"):
        store.create("k", b"x", "0" * 64)
    with pytest.raises(FatalError, match="nothing is written"):
        store.swap("k", b"x", None)
    with pytest.raises(FatalError, match="nothing is written"):
        store.delete("k")
