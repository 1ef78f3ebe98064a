from __future__ import annotations

import json
from pathlib import Path

import pytest

from envtag import manifests, resolutions
from envtag.errors import FatalError
from envtag.lock import Lock
from envtag.manifest import Build, Manifest
from envtag.names import Alias
from envtag.package import Package
from envtag.record import TagRecord
from envtag.store import Store, keys, open_store
from envtag.trust import known_tag_path
from envtag.util.canonical import sha256_hex
from support.packages import make_lock

V1 = Alias(name="mlp/base", tag="v1")
SOURCE = Package(
    manager="pypi", name="delta", version="1.0", url="https://files.example.org/delta-1.0.tar.gz", sha256="a" * 64
)
WHEEL = Package(
    manager="pypi",
    name="beta",
    version="2.0",
    url="https://files.example.org/beta-2.0-py3-none-any.whl",
    sha256="b" * 64,
)
BUILDS = {SOURCE.sha256: Build(sha256="c" * 64, filename="delta-1.0-py3-none-any.whl", size=7)}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store((tmp_path / "store").as_uri())


@pytest.fixture
def lock() -> Lock:
    return make_lock([SOURCE, WHEEL], python="3.11", interpreter="uv", platform="linux-64")


def stored(store: Store, manifest: Manifest) -> str:
    store.create(keys.manifest_key(manifest.digest), manifest.to_bytes(), manifest.digest)
    return manifest.digest


def record_of(lock: Lock, digest: str) -> TagRecord:
    return TagRecord(
        name=V1.name, tag=V1.tag, request=lock.request, locks={"linux-64": lock.id}, manifests={"linux-64": digest}
    )


def replicate(store: Store, record: TagRecord, **changes: object) -> None:
    document = {
        "version": 1, "name": record.name, "tag": record.tag, "commit": "d" * 40, "request": record.request,
        "locks": dict(record.locks), "manifests": dict(record.manifests),
    }  # fmt: skip
    store.swap(keys.tag_key(V1), json.dumps({**document, **changes}).encode(), None)


def test_a_manifest_is_read_by_its_digest_and_nothing_else_is_taken_for_it(store: Store, lock: Lock):
    manifest = Manifest(lock=lock, builds=BUILDS)
    assert manifests.read_manifest(store, manifest.digest, "it") is None
    digest = stored(store, manifest)
    assert manifests.read_manifest(store, digest, "it") == manifest
    path = store.local_path(keys.manifest_key(digest))
    assert path is not None
    path.write_bytes(manifest.to_bytes()[:-1])
    with pytest.raises(FatalError, match="the manifest of `x` was tampered with"):
        manifests.read_manifest(store, digest, "`x`")


def test_a_release_is_its_manifest_once_its_replica_agrees(store: Store, lock: Lock, tmp_path: Path):
    record = record_of(lock, stored(store, Manifest(lock=lock, builds=BUILDS)))
    memory = tmp_path / "memory"
    assert manifests.of_release(lock, V1, "d" * 40, record, store, memory=memory).builds == BUILDS
    assert not known_tag_path(memory, store.url, V1).exists()
    replicate(store, record)
    assert manifests.of_release(lock, V1, "d" * 40, record, store, memory=memory).builds == BUILDS
    assert known_tag_path(memory, store.url, V1).is_file()
    with pytest.raises(FatalError, match="is two things: commit"):
        manifests.of_release(lock, V1, "e" * 40, record, store, memory=memory)


def test_a_release_without_manifest_is_its_lock(store: Store, lock: Lock, tmp_path: Path):
    found = manifests.of_release(lock, V1, "d" * 40, record_of(lock, "f" * 64), store, memory=tmp_path / "memory")
    assert found == manifests.alone(lock)


def test_a_manifest_of_another_lock_is_refused(store: Store, lock: Lock, tmp_path: Path):
    other = make_lock([WHEEL], python="3.11", interpreter="uv", platform="linux-64")
    record = record_of(lock, stored(store, Manifest(lock=other)))
    with pytest.raises(FatalError, match=f"is of lock {other.id}, not of {lock.id}"):
        manifests.of_release(lock, V1, "d" * 40, record, store, memory=tmp_path / "memory")


def test_a_lock_without_tag_has_the_builds_that_its_record_names(store: Store, lock: Lock):
    assert manifests.of_lock(lock, store) == manifests.alone(lock)
    manifest = Manifest(lock=lock, builds=BUILDS)
    facts = {"environment": "mlp/base", "commit": "d" * 40, "who": "A Tester <a@example.org>"}
    resolutions.record(store, manifest=manifest, when="2024-12-01T12:00:00Z", **facts)
    assert manifests.of_lock(lock, store).builds == BUILDS
    store.delete(keys.manifest_key(manifest.digest))
    assert manifests.of_lock(lock, store) == manifests.alone(lock)
    other = Manifest(lock=make_lock([WHEEL], python="3.11", interpreter="uv", platform="linux-64"))
    data = other.to_bytes()
    store.create(keys.manifest_key(sha256_hex(data)), data, sha256_hex(data))
    path = store.local_path(keys.request_key(lock.request, "linux-64", lock.id))
    assert path is not None
    path.write_text(path.read_text().replace(manifest.digest, sha256_hex(data)))
    with pytest.raises(FatalError, match=f"is of lock {other.lock.id}, not of {lock.id}"):
        manifests.of_lock(lock, store)


def test_a_lock_without_sources_asks_the_store_nothing(store: Store):
    lock = make_lock([WHEEL], python="3.11", interpreter="uv", platform="linux-64")
    store.swap(keys.request_key(lock.request, "linux-64", lock.id), b"damaged", None)
    assert manifests.of_lock(lock, store) == manifests.alone(lock)
