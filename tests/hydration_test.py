from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from envtag import lock as locks
from envtag.config import Config, Directories
from envtag.errors import FatalError
from envtag.hydration import checked_lock, present, provide
from envtag.lookup import Found, find
from envtag.output import Output
from envtag.prefix.marker import is_whole
from envtag.store import Store, keys, open_store
from support.packages import conda_package
from support.story import HERE, Story

NAME = "mlp/tz"


def published(story: Story) -> None:
    """State: `mlp/tz:v1` with two small conda packages; pushed, not published."""
    text = "channels: [conda-forge]\ndependencies: [prefixed, tzish]\n"
    story.resolve(f"{NAME}:v1", environment=text, options=("--platform", HERE))
    story.commit("v1")


@pytest.fixture
def tz(make_story: Callable[..., Story]) -> Story:
    story = make_story(published)
    story.call("publish")
    return story


@pytest.fixture
def store(tz: Story) -> Store:
    return open_store(tz.config.directories.default_store.as_uri())


@contextmanager
def finding(story: Story, reference: str = f"{NAME}:v1") -> Iterator[Found]:
    with story.registry() as registry:
        yield find(reference, registry, story.config, {})


def made(story: Story, found: Found, store: Store | None, *, offline: bool = True) -> Path:
    return provide(found, config=story.config, store=store, offline=offline, output=Output())


def without_caches(story: Story, place: Path) -> Config:
    """The settings of a machine that has nothing yet."""
    return replace(story.config, directories=Directories(data=place / "data", cache=place / "cache"))


def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The locks that are parsed from now on."""
    seen: list[str] = []
    real = locks.read

    def read(data: bytes, where: str) -> locks.Lock:
        seen.append(where)
        return real(data, where)

    monkeypatch.setattr(locks, "read", read)
    return seen


def overwrite(store: Store, key: str, data: bytes) -> None:
    path = store.local_path(key)
    assert path is not None
    path.write_bytes(data)


def test_it_is_not_there_until_it_was_provided_and_then_no_lock_is_read(
    tz: Story, store: Store, monkeypatch: pytest.MonkeyPatch
):
    with finding(tz) as found:
        assert present(found, HERE, tz.config) is None
        path = made(tz, found, store)
        assert path.parent == tz.config.directories.environments
        assert is_whole(path, found.lock_id(HERE))
    seen = parsed(monkeypatch)
    with finding(tz) as found:
        assert present(found, HERE, tz.config) == path
        assert made(tz, found, None) == path
    assert seen == []


def test_a_lock_without_a_tag_is_parsed_once_for_its_bytes(tz: Story, store: Store, monkeypatch: pytest.MonkeyPatch):
    seen = parsed(monkeypatch)
    with finding(tz, NAME) as found:
        path = made(tz, found, store)
    assert len(seen) == 1
    for _ in range(2):
        with finding(tz, NAME) as found:
            assert made(tz, found, None) == path
    assert len(seen) == 1
    file = tz.path / "envs" / NAME / f"{HERE}-lock.yml"
    file.write_bytes(file.read_bytes() + b"# a comment\n")
    with finding(tz, NAME) as found:
        assert made(tz, found, None) == path
    assert len(seen) == 2


@pytest.mark.parametrize("reference", [f"{NAME}:v1", NAME])
def test_a_platform_that_it_is_not_locked_for_is_named_with_those_that_it_is(
    story: Story, reference: str, monkeypatch: pytest.MonkeyPatch
):
    other = "osx-arm64" if HERE != "osx-arm64" else "linux-64"
    text = "channels: [conda-forge]\ndependencies: [tzish]\n"
    story.resolve(f"{NAME}:v1", environment=text, options=("--platform", other))
    story.commit("for another platform")
    story.call("publish")
    with finding(story, reference) as found, pytest.raises(FatalError) as caught:
        made(story, found, None)
    assert caught.value.message == f"`{found.alias}` is not locked for `{HERE}`"
    assert f"platforms available: `{other}`" in caught.value.hint


def test_a_stored_package_with_other_bytes_is_named_and_nothing_is_made(tz: Story, store: Store, conda_channel: Path):
    package = conda_package(conda_channel, "tzish")
    key = keys.object_key(package.sha256, package.extension)
    whole = store.read(key)
    assert whole is not None
    overwrite(store, key, whole[:-1] + bytes([whole[-1] ^ 1]))
    cold = without_caches(tz, tz.place)
    with finding(tz) as found:
        with pytest.raises(FatalError) as caught:
            provide(found, config=cold, store=store, offline=True, output=Output())
        assert "tzish" in caught.value.message
        assert "has other bytes than its lock says" in caught.value.message
        assert f"`{key}` in the store {store.url}" in caught.value.message
        assert [path for path in cold.directories.environments.iterdir() if path.is_dir()] == []
        overwrite(store, key, whole)
        assert provide(found, config=cold, store=store, offline=True, output=Output()).is_dir()


def test_a_manifest_with_other_bytes_is_refused_and_named(tz: Story, store: Store):
    with finding(tz) as found:
        assert found.record is not None
        key = keys.manifest_key(found.record.manifests[HERE])
        document = json.loads(store.read(key) or b"")
        document["packages"].pop()
        overwrite(store, key, json.dumps(document).encode())
        with pytest.raises(FatalError) as caught:
            made(tz, found, store)
    assert f"{store.url}/{key}: the manifest of `{NAME}:v1` was tampered with" in caught.value.message


def test_a_manifest_of_another_lock_is_refused(tz: Story, store: Store):
    text = "channels: [conda-forge]\ndependencies: [tzish]\n"
    tz.resolve("mlp/other:v1", environment=text, options=("--platform", HERE))
    tz.commit("another")
    tz.call("publish")
    with tz.registry() as registry:
        found, other = (find(name, registry, tz.config, {}) for name in (f"{NAME}:v1", "mlp/other:v1"))
        assert found.released is not None
        assert other.record is not None
        record = replace(found.released.record, manifests=other.record.manifests)
        false = replace(found, released=replace(found.released, record=record))
        with pytest.raises(FatalError) as caught:
            checked_lock(false, HERE, store)
    assert f"is of lock {other.lock_id(HERE)}, not of {found.lock_id(HERE)}" in caught.value.message


def test_a_lock_whose_manifest_cannot_be_had_is_the_one_in_git(tz: Story, store: Store):
    with finding(tz) as found:
        lock = found.lock(HERE)
        assert checked_lock(found, HERE, None).id == lock.id
        assert found.record is not None
        store.delete(keys.manifest_key(found.record.manifests[HERE]))
        assert checked_lock(found, HERE, store).id == lock.id


def test_a_tag_that_moved_is_refused_in_every_clone_of_this_client(tz: Story, store: Store, tmp_path: Path):
    with finding(tz) as found:
        was = found.lock_id(HERE)
    tz.repo.git("reset", "--quiet", "--hard", "HEAD~1")
    for repo in (tz.repo, tz.bare):
        repo.git("tag", "--delete", f"{NAME}@v1")
    text = "channels: [conda-forge]\ndependencies: [tzish]\n"
    tz.resolve(f"{NAME}:v1", environment=text, options=("--platform", HERE))
    tz.repo.commit(message="another v1")
    tz.repo.git("push", "--quiet", "--force", "origin", "main")
    store.delete(f"tags/{NAME}@v1.json")
    tz.call("publish")
    clone = tz.bare.clone(tmp_path / "clone")
    told = tz.run("run", f"{NAME}:v1", "--", "prefixed", check=1, cwd=clone.path)
    assert f"error: {NAME}:v1 changed on {HERE}: it was lock {was} here, now it is " in told.err
    assert "an immutable tag never changes" in told.err
    told = tz.run("--registry", tz.bare.url, "run", f"{NAME}:v1", "--", "prefixed", check=1, cwd=tmp_path)
    assert f"{NAME}:v1 changed on {HERE}" in told.err
    fresh = tz.run(
        "run", f"{NAME}:v1", "--", "true", cwd=clone.path, ENVTAG_HOME=str(tmp_path / "other"), ENVTAG_STORE=store.url
    )
    assert fresh.code == 0


def test_a_lock_that_the_tag_did_not_release_is_refused(tz: Story, store: Store):
    file = f"envs/{NAME}/{HERE}-lock.yml"
    text = "channels: [conda-forge]\ndependencies: [tzish]\n"
    tz.resolve("mlp/other", environment=text, options=("--platform", HERE))
    other = (tz.path / "envs" / "mlp" / "other" / f"{HERE}-lock.yml").read_bytes()
    tz.repo.git("tag", "--delete", f"{NAME}@v1")
    forged = tz.repo.commit({file: other}, "another lock under the same ledger")
    message = tz.bare.git("for-each-ref", "--format=%(contents)", f"refs/tags/{NAME}@v1")
    tz.repo.git("tag", "--annotate", "--file=-", "--cleanup=verbatim", f"{NAME}@v1", forged, stdin=message.encode())
    with finding(tz) as found, pytest.raises(FatalError) as caught:
        made(tz, found, store)
    assert f"`{NAME}:v1`: the lock for {HERE} has id" in caught.value.message
    assert "do not use it" in caught.value.hint


def test_offline_without_the_packages_says_which_and_where(tz: Story, tmp_path: Path):
    cold = without_caches(tz, tmp_path)
    empty = open_store((tmp_path / "empty").as_uri())
    with finding(tz) as found, pytest.raises(FatalError) as caught:
        provide(found, config=cold, store=empty, offline=True, output=Output())
    assert "tzish" in caught.value.message
    assert f"not in the store {empty.url}, and this is offline" in caught.value.message
    assert [path.name for path in cold.directories.environments.iterdir()] == [f".{found.lock_id(HERE)}.lock"]
