from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.manifest import Manifest
from envtag.resolutions import Resolution, find, is_current, parse, record
from envtag.store import Store, keys, open_store
from support.locks import SAMPLE

KEY = keys.request_key(SAMPLE.request, SAMPLE.platform, SAMPLE.id)
MINE = Manifest(lock=SAMPLE, python_seen="3.11.7")
THEIRS = Manifest(lock=SAMPLE, python_seen="3.11.9")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store((tmp_path / "store").as_uri())


def write(store: Store, manifest: Manifest = MINE, who: str = "Ada <ada@example.org>", when: str = "2026-01-01") -> str:
    return record(store, manifest=manifest, environment="mlp/base", commit="c" * 40, who=who, when=when)


def test_what_is_recorded_is_found_and_its_manifest_is_stored(store: Store):
    digest = write(store)
    assert digest == MINE.digest
    assert store.read(keys.manifest_key(digest)) == MINE.to_bytes()
    (item,) = find(store, SAMPLE.request)
    assert item == Resolution(
        request=SAMPLE.request,
        platform=SAMPLE.platform,
        lock=SAMPLE.id,
        manifest=digest,
        environment="mlp/base",
        commit="c" * 40,
        who="Ada <ada@example.org>",
        when="2026-01-01",
    )


def test_the_first_writer_decides_which_manifest_all_use(store: Store):
    first = write(store, THEIRS)
    assert write(store, MINE, who="Bob <bob@example.org>") == first
    assert store.size(keys.manifest_key(MINE.digest)) is None
    (item,) = find(store, SAMPLE.request)
    assert item.who == "Ada <ada@example.org>"


def test_of_many_writers_at_once_all_are_told_the_same_manifest(store: Store):
    manifests = [Manifest(lock=SAMPLE, python_seen=f"3.11.{patch}") for patch in range(12)]
    with ThreadPoolExecutor(12) as threads:
        digests = set(threads.map(lambda manifest: write(store, manifest), manifests))
    assert len(digests) == 1
    assert store.size(keys.manifest_key(digests.pop())) is not None


def test_a_recorded_manifest_that_is_gone_is_stored_again_by_who_makes_the_same(store: Store):
    first = write(store)
    store.delete(keys.manifest_key(first))
    assert write(store, who="Bob <bob@example.org>") == first
    assert store.size(keys.manifest_key(first)) is not None
    assert find(store, SAMPLE.request)[0].who == "Ada <ada@example.org>"


def test_a_recorded_manifest_that_is_gone_is_replaced_by_who_makes_another(store: Store):
    store.delete(keys.manifest_key(write(store, THEIRS)))
    assert write(store, MINE) == MINE.digest
    assert find(store, SAMPLE.request)[0].manifest == MINE.digest


def test_a_manifest_of_another_lock_behind_a_record_is_an_error(store: Store):
    other = Manifest(lock=SAMPLE._replace(packages=SAMPLE.packages[:1]))
    store.create(keys.manifest_key(other.digest), other.to_bytes(), other.digest)
    write(store)
    document = json.loads(store.read(KEY) or b"")
    found = store.read_versioned(KEY)
    assert found is not None
    store.swap(KEY, json.dumps({**document, "manifest": other.digest}).encode(), found[1])
    with pytest.raises(FatalError, match=f"is not of lock {SAMPLE.id}, which the record of `mlp/base` says"):
        write(store)


def test_an_edited_manifest_behind_a_record_is_an_error(store: Store, tmp_path: Path):
    digest = write(store)
    path = tmp_path / "store" / keys.manifest_key(digest)
    path.write_bytes(path.read_bytes().replace(b"numpy", b"nunpy"))
    with pytest.raises(FatalError, match=f"{keys.manifest_key(digest)}.* has other bytes than its name promises"):
        write(store)


def test_resolutions_are_found_by_platform_the_newest_first(store: Store):
    mac = SAMPLE._replace(platform="osx-arm64")
    newer = SAMPLE._replace(packages=SAMPLE.packages[:2])
    write(store, when="2026-01-01T00:00:00Z")
    write(store, Manifest(lock=mac), when="2026-01-02T00:00:00Z")
    write(store, Manifest(lock=newer), when="2026-01-03T00:00:00Z")
    assert [item.when[:10] for item in find(store, SAMPLE.request)] == ["2026-01-03", "2026-01-02", "2026-01-01"]
    assert [item.lock for item in find(store, SAMPLE.request, "linux-64")] == [newer.id, SAMPLE.id]
    assert [item.platform for item in find(store, SAMPLE.request, "osx-arm64")] == ["osx-arm64"]
    assert find(store, SAMPLE.request, "win-64") == []
    assert find(store, "f" * 40) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "not a record of version 1"),
        ({"extra": 1}, "unknown, missing or malformed: `extra`"),
        ({"who": None}, "unknown, missing or malformed: `who`"),
        ({"lock": "f" * 40}, f"is the record of `{SAMPLE.request}:{'f' * 40}`"),
        ({"manifest": "../../x"}, "`manifest` is no sha256"),
    ],
)
def test_a_malformed_record_is_an_error_that_names_its_key(store: Store, change, message):
    write(store)
    document = json.loads(store.read(KEY) or b"")
    with pytest.raises(FatalError, match=f"`{KEY}` in .*{message}"):
        parse(json.dumps({**document, **change}).encode(), KEY, store.url)


def test_what_is_no_json_is_an_error_that_names_its_key():
    with pytest.raises(FatalError, match=f"`{KEY}` in s3://b: not JSON"):
        parse(b"{", KEY, "s3://b")


def test_the_newest_resolution_is_what_a_request_is_resolved_to_today(store: Store):
    assert is_current(store, SAMPLE.request, SAMPLE.platform, SAMPLE.id)
    write(store, when="2026-01-01")
    assert is_current(store, SAMPLE.request, SAMPLE.platform, SAMPLE.id)
    assert not is_current(store, SAMPLE.request, SAMPLE.platform, "0" * 40)
