from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from envtag.builds import Builds
from envtag.errors import FatalError
from envtag.manifest import Build, parse
from envtag.output import Output
from envtag.publication import Report
from envtag.publication.manifests import Manifests, python_seen
from envtag.registry import Environment
from envtag.store import Store, keys, open_store
from envtag.tombstones import Tombstones, tombstone
from envtag.util.canonical import sha256_hex
from support.publishing import NAME, first
from support.story import HERE, MINOR, Story


@pytest.fixture
def store(cold_client: Any) -> Store:
    return open_store(cold_client.config.directories.default_store.as_uri())


@contextmanager
def manifests(story: Story, store: Store) -> Iterator[tuple[Manifests, Environment]]:
    with story.registry() as registry:
        made = Manifests(
            store=store, git=registry.git, config=story.config, output=Output(), tombstones=Tombstones(store=store)
        )
        yield made, registry.environment(NAME, "HEAD")


def test_who_published_when_is_of_the_commit(make_story: Callable[..., Story], store: Store):
    story = make_story(first)
    with manifests(story, store) as (made, environment):
        digest = made.record(environment, environment.lock(HERE), Report())
    (entry,) = store.list(keys.REQUESTS)
    told = json.loads(store.read(entry.key) or b"")
    assert told["manifest"] == digest
    assert told["commit"] == story.repo.git("rev-parse", "HEAD")
    assert told["who"] == story.repo.git("log", "-1", "--format=%an <%ae>")
    assert told["when"].endswith("Z")


def test_a_lock_is_recorded_once_a_run(make_story: Callable[..., Story], store: Store, monkeypatch: Any):
    with manifests(make_story(first), store) as (made, environment):
        lock = environment.lock(HERE)
        digest = made.record(environment, lock, Report())
        monkeypatch.setattr("envtag.resolutions.record", None)
        assert made.record(environment, lock, Report()) == digest


def test_the_first_of_two_machines_decides(make_story: Callable[..., Story], store: Store, monkeypatch: Any):
    story = make_story(first)
    with manifests(story, store) as (made, environment):
        digest = made.record(environment, environment.lock(HERE), Report())
    monkeypatch.setattr("envtag.publication.manifests.python_seen", lambda _: "3.99.0")
    with manifests(story, store) as (made, environment):
        assert made.record(environment, environment.lock(HERE), Report()) == digest


def test_a_lost_manifest_comes_back_as_it_was_or_not_at_all(
    make_story: Callable[..., Story], store: Store, monkeypatch: Any
):
    story = make_story(first)
    with manifests(story, store) as (made, environment):
        lock = environment.lock(HERE)
        digest = made.record(environment, lock, Report()) or ""
        assert made.missing([digest, "f" * 64]) == {"f" * 64}
        before = store.read(keys.manifest_key(digest))
        store.delete(keys.manifest_key(digest))
        monkeypatch.setattr("envtag.publication.manifests.python_seen", lambda _: "3.99.0")
        made.refill(environment, lock, digest, Report())
        assert store.read(keys.manifest_key(digest)) == before
        with pytest.raises(FatalError, match="where the tag names ffffffffffff"):
            made.refill(environment, lock, "f" * 64, Report())


def test_builds_are_named_and_those_made_now_are_told(make_story: Callable[..., Story], store: Store, monkeypatch: Any):
    data = b"a wheel"
    build = Build(sha256=sha256_hex(data), filename="delta-1.0-py3-none-any.whl", size=len(data))
    report = Report()
    story = make_story()
    story.resolve(f"{NAME}:v1", requirements="delta\n", options=("--platform", HERE, "--python", MINOR))
    story.commit()
    with manifests(story, store) as (made, environment):
        lock = environment.lock(HERE)
        source = next(package for package in lock.packages if package.is_source)
        asked = []

        def provide(_: Any, **options: Any) -> Builds:
            asked.append(options)
            if options.get("build", True):
                return Builds(found={source.sha256: build})
            return Builds(waiting=(source,))

        monkeypatch.setattr("envtag.publication.manifests.provide_builds", provide)
        digest = made.record(environment, lock, report) or ""
    assert report.built == ["delta-1.0-py3-none-any.whl"]
    assert parse(store.read(keys.manifest_key(digest)) or b"", "x").builds == {source.sha256: build}
    assert asked[1]["index_url"] == story.index_url


def test_a_manifest_that_was_just_deleted_is_written_again(
    make_story: Callable[..., Story], store: Store, monkeypatch: Any
):
    story = make_story(first)
    with manifests(story, store) as (made, environment):
        lock = environment.lock(HERE)
        key = keys.manifest_key(made.record(environment, lock, Report()) or "")
    store.swap(keys.tombstone_key(key), tombstone(key, "marked"), None)
    with manifests(story, store) as (made, environment):
        made.tombstones.load()
        real = made.tombstones.revive

        def late(key: str) -> bool:
            store.delete(key)
            store.delete(keys.tombstone_key(key))
            monkeypatch.setattr(Tombstones, "revive", lambda _, key: real(key))
            return False

        monkeypatch.setattr(Tombstones, "revive", lambda _, key: late(key))
        made.record(environment, lock, Report())
    assert store.size(key) is not None


def test_a_manifest_that_is_deleted_again_and_again_is_told(
    make_story: Callable[..., Story], store: Store, monkeypatch: Any
):
    monkeypatch.setattr(Tombstones, "revive", lambda *_: False)
    with (
        manifests(make_story(first), store) as (made, environment),
        pytest.raises(FatalError, match="is being deleted"),
    ):
        made.record(environment, environment.lock(HERE), Report())


def test_the_python_of_a_foreign_platform_is_not_known_here(make_story: Callable[..., Story]):
    story = make_story()
    options = ("--platform", "osx-arm64", "--platform", HERE, "--python", MINOR)
    story.resolve("pure:v1", requirements="beta\n", options=options)
    with story.registry() as registry:
        environment = registry.environment("pure")
        assert python_seen(environment.lock("osx-arm64")) == ""
        assert python_seen(environment.lock(HERE)).startswith(f"{MINOR}.")
