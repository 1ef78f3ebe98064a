from __future__ import annotations

import hashlib
import os
import time
import zipfile
from pathlib import Path

import pytest

from envtag.errors import DamagedError, FatalError
from envtag.pods import tools
from envtag.pods.runtime import Part
from envtag.store import Store, open_store
from envtag.util.parallel import in_parallel


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store((tmp_path / "store").as_uri())


@pytest.fixture
def part(store: Store, tmp_path: Path) -> Part:
    path = tmp_path / "tool-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("tool/__init__.py", "")
        wheel.writestr("tool-1.0.data/scripts/tool", "#!/bin/sh\necho ran\n")
    data = path.read_bytes()
    found = Part(filename=path.name, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
    store.create(found.key, data, found.sha256)
    return found


def test_it_is_unpacked_under_its_hash_and_its_programs_run(part: Part, store: Store, tmp_path: Path):
    found = tools.provide(part, store, tmp_path / "engines")
    assert found == tmp_path / "engines" / part.sha256
    assert os.access(found / "bin" / "tool", os.X_OK)
    assert (found / "tool" / "__init__.py").is_file()
    assert {path.name for path in found.parent.iterdir()} == {part.sha256, f".{part.sha256}.lock"}


def test_what_is_there_is_not_fetched(part: Part, store: Store, tmp_path: Path):
    found = tools.provide(part, store, tmp_path / "engines")
    store.delete(part.key)
    assert tools.provide(part, store, tmp_path / "engines") == found


def test_one_that_the_store_lacks_is_named(part: Part, store: Store, tmp_path: Path):
    store.delete(part.key)
    with pytest.raises(FatalError, match=r"`tool-1.0-py3-none-any.whl` is not in"):
        tools.provide(part, store, tmp_path / "engines")
    assert [path.name for path in (tmp_path / "engines").iterdir()] == [f".{part.sha256}.lock"]


def test_one_with_other_bytes_leaves_nothing(part: Part, store: Store, tmp_path: Path):
    store.delete(part.key)
    store.create(part.key, b"other", hashlib.sha256(b"other").hexdigest())
    with pytest.raises(DamagedError):
        tools.provide(part, store, tmp_path / "engines")
    assert [path.name for path in (tmp_path / "engines").iterdir()] == [f".{part.sha256}.lock"]


def test_what_a_killed_process_left_is_cleaned_up(part: Part, store: Store, tmp_path: Path):
    left = tmp_path / "engines" / f".{part.sha256}.tmp"
    (left / "unpacked").mkdir(parents=True)
    found = tools.provide(part, store, tmp_path / "engines")
    assert (found / "bin" / "tool").is_file()
    assert not left.exists()


def test_whoever_is_first_does_it_for_all(part: Part, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    real, done = tools.unpack, []

    def slow(archive: Path, target: Path) -> None:
        done.append(target)
        time.sleep(0.1)
        real(archive, target)

    monkeypatch.setattr(tools, "unpack", slow)
    found = in_parallel(lambda _: tools.provide(part, store, tmp_path / "engines"), range(4))
    assert set(found) == {tmp_path / "engines" / part.sha256}
    assert len(done) == 1
