from __future__ import annotations

from datetime import timedelta

import pytest

from envtag.build_record import BuildRecord, Provenance
from envtag.collection import Roots, Survey, survey
from envtag.errors import FatalError
from envtag.manifest import Build, Manifest
from envtag.pods.runtime import Part, Runtime
from envtag.resolutions import Resolution
from envtag.store import keys
from envtag.util.canonical import sha256_hex
from support.model import CONTENTS, ModelStore, Schedule, key_of, manifest_of, put

KEEP = timedelta(days=2)
SOURCE = "5" * 64


@pytest.fixture
def store() -> ModelStore:
    return ModelStore(Schedule(0))


def look(store: ModelStore, roots: Roots | None = None) -> Survey:
    return survey(store, roots or Roots(), now=store.schedule.now, keep=KEEP)


def needed(found: Survey) -> set[str]:
    return {item.key for item in found.items if item.needed}


def rooted(*manifests: Manifest, name: str = "a/b") -> Roots:
    roots = Roots()
    for manifest in manifests:
        roots.manifests[manifest.digest].add(name)
    return roots


def request(store: ModelStore, manifest: Manifest, environment: str) -> str:
    lock = manifest.lock
    made = Resolution(
        request=lock.request, platform=lock.platform, lock=lock.id, manifest=manifest.digest, environment=environment,
        commit="c" * 40, who="A <a@x>", when="2026-01-01T00:00:00Z",
    )  # fmt: skip
    key = keys.request_key(lock.request, lock.platform, lock.id)
    store.swap(key, made.to_bytes(), None)
    return key


def test_what_a_root_reaches_is_needed_and_the_rest_is_not(store: ModelStore):
    kept, other = put(store, 0, 1), put(store, 1, 2)
    store.later(days=3)
    found = look(store, rooted(kept))
    assert needed(found) == {keys.manifest_key(kept.digest), key_of(0), key_of(1)}
    assert [item.key.split("/")[0] for item in found.items] == ["manifests"] * 2 + ["objects"] * 3
    assert found.named[keys.manifest_key(other.digest)] == {key_of(1), key_of(2)}


def test_what_flows_solved_is_needed_for_long(store: ModelStore):
    request(store, put(store, 0), "flows/train")
    request(store, put(store, 1), "team/train")
    store.later(days=300)
    assert needed(look(store)) >= {key_of(0)}
    assert key_of(1) not in needed(look(store))
    store.later(days=100)
    assert needed(look(store)) == set()


def test_what_pods_begin_with_is_needed(store: ModelStore):
    names = ("b.zip", "r.zip", "e-1-py3-none-any.whl")
    bundle, rest, engine = (Part(filename=name, sha256=sha256_hex(name.encode()), size=1) for name in names)
    for part in (bundle, rest, engine):
        store.create(part.key, part.filename.encode(), part.sha256)
    runtime = Runtime(platform="linux-64", bundle=bundle, rest=rest, engines=(engine,))
    store.create(keys.runtime_key(runtime.digest), runtime.to_bytes(), runtime.digest)
    store.later(days=3)
    assert needed(look(store)) == {bundle.key, rest.key, engine.key}


def test_what_is_young_is_needed_and_so_is_what_it_reaches(store: ModelStore):
    put(store, 0)
    store.later(days=3)
    young = manifest_of(0)
    store.delete(keys.manifest_key(young.digest))
    put(store, 0, 1)
    store.later(days=1)
    assert {key_of(0), key_of(1)} <= needed(look(store))
    store.later(days=2)
    assert needed(look(store)) == set()


def test_a_recent_request_keeps_its_manifest(store: ModelStore):
    manifest = put(store, 0)
    store.later(days=3)
    key = request(store, manifest, "a/b")
    found = look(store)
    assert needed(found) == {keys.manifest_key(manifest.digest), key_of(0)}
    assert found.requests == ()
    store.later(days=3)
    found = look(store)
    assert needed(found) == set()
    assert [(entry.key, digest) for entry, digest in found.requests] == [(key, manifest.digest)]


def test_bytes_are_of_the_environments_that_need_them_or_used_to(store: ModelStore):
    one, two, old = put(store, 0, 1), put(store, 1, 2), put(store, 3)
    request(store, old, "a/old")
    store.create(key_of(4), CONTENTS[4], sha256_hex(CONTENTS[4]))
    store.later(days=3)
    roots = rooted(one)
    roots.manifests[two.digest].add("a/c")
    names = {item.key: set(item.names) for item in look(store, roots).items}
    assert [names[key_of(number)] for number in range(5)] == [{"a/b"}, {"a/b", "a/c"}, {"a/c"}, {"a/old"}, set()]


def test_a_line_of_a_ledger_that_is_not_released_keeps_the_manifests_of_its_locks(store: ModelStore):
    manifest = put(store, 0)
    store.later(days=3)
    roots = Roots()
    roots.locks[manifest.lock.id].add("a/b")
    assert key_of(0) in needed(look(store, roots))


@pytest.mark.parametrize("data", [b"", b"{}", b"other"])
def test_a_damaged_manifest_that_is_needed_stops_it(store: ModelStore, data: bytes):
    manifest = put(store, 0)
    key = keys.manifest_key(manifest.digest)
    store.later(days=3)
    store.objects[key] = store.objects[key]._replace(data=data)
    with pytest.raises(FatalError, match="the manifest is damaged") as error:
        look(store, rooted(manifest))
    assert "nothing was deleted" in error.value.hint
    assert needed(look(store)) == set()


def test_a_manifest_of_another_version_stops_it(store: ModelStore):
    data = b'{"version":2}\n'
    store.create(keys.manifest_key(sha256_hex(data)), data, sha256_hex(data))
    store.later(days=3)
    with pytest.raises(FatalError, match="not a manifest of version 1"):
        look(store)


def test_a_missing_manifest_stops_it_since_nothing_says_what_it_needs(store: ModelStore):
    manifest = manifest_of(0)
    roots = rooted(manifest)
    roots.here[manifest.digest] = "`tags/a/b@v1.json`"
    with pytest.raises(FatalError, match=r"is not in model:///, and `tags/a/b@v1\.json` needs it"):
        look(store, roots)


def test_a_release_that_is_half_there_stops_it_and_one_of_another_store_does_not(store: ModelStore):
    there, missing = put(store, 0), manifest_of(1)
    roots = rooted(there, missing)
    roots.releases.extend([("a/b:v1", (there.digest, missing.digest)), ("a/b:v2", ("d" * 64,))])
    with pytest.raises(FatalError, match="`a/b:v1` needs it"):
        look(store, roots)
    roots.releases[0] = ("a/b:v1", (there.digest,))
    found = look(store, roots)
    assert (found.published, found.elsewhere) == (1, ("a/b:v2",))


def test_a_damaged_record_of_a_request_stops_it(store: ModelStore):
    key = request(store, put(store, 0), "a/b")
    store.objects[key] = store.objects[key]._replace(data=b"{")
    with pytest.raises(FatalError, match="not JSON"):
        look(store)


@pytest.mark.parametrize("reached", [True, False])
def test_a_build_is_kept_with_its_wheel_while_its_source_is_needed(store: ModelStore, reached: bool):
    source = key_of(0)
    wheel = Build(sha256=sha256_hex(CONTENTS[1]), filename="p0-1-py3-none-any.whl", size=len(CONTENTS[1]))
    record = BuildRecord(
        name="p0", version="1", sha256=sha256_hex(CONTENTS[0]), url="https://index.example/p0-1.tar.gz", wheel=wheel,
        platform="linux-64", python="3.11",
        made=Provenance(platform="linux-64", python="3.11.7", libc="", backend="x", requires=(), tools={}),
    )  # fmt: skip
    manifest = put(store, 0)
    store.create(key_of(1), CONTENTS[1], sha256_hex(CONTENTS[1]))
    key = keys.build_key(sha256_hex(CONTENTS[0]), "linux-64", "3.11")
    store.swap(key, record.to_bytes(), None)
    store.later(days=3)
    found = look(store, rooted(manifest) if reached else None)
    assert ({key, key_of(1), source} <= needed(found)) is reached
    assert found.named[key] == {key_of(1)}
