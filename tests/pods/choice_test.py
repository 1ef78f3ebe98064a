from __future__ import annotations

from collections.abc import Callable

import pytest

from envtag.errors import DamagedError, FatalError
from envtag.names import parse_alias
from envtag.pods import choice
from envtag.pods.choice import choose
from envtag.replicas import read_replica
from envtag.store import Store, keys, open_store
from support.story import HERE, Story, mixed

PINNED = f"{'a' * 40}:{'b' * 40}@{'c' * 64}"


@pytest.fixture
def story(make_story: Callable[..., Story]) -> Story:
    """`mixed`, published to a directory."""
    found = make_story(mixed)
    found.call("publish")
    return found


@pytest.fixture
def store(story: Story) -> Store:
    return open_store(story.config.directories.default_store.as_uri())


def test_the_lock_of_this_platform_is_taken_as_it_was_pinned(store: Store, story: Story):
    found = choose({HERE: PINNED, "osx-arm64": "x"}, "mlp/base:v1", store, story.config)
    assert (found.request, found.lock, found.digest, found.commit) == ("a" * 40, "b" * 40, "c" * 64, "")
    assert found.identity() == {"id": f"{'a' * 40}:{'b' * 40}", "platform": HERE, "manifest": "c" * 64}


def test_another_platform_is_refused_with_those_that_are_pinned(store: Store, story: Story, monkeypatch):
    monkeypatch.setattr(choice, "current_platform", lambda: "linux-aarch64")
    with pytest.raises(FatalError) as caught:
        choose({"linux-64": PINNED, "osx-arm64": PINNED}, "mlp/base:v1", store, story.config)
    assert (
        caught.value.message == "this node is `linux-aarch64`, and `mlp/base:v1` is pinned for `linux-64`, `osx-arm64`"
    )


def test_a_node_takes_the_lock_of_its_own_kind(store: Store, story: Story, monkeypatch):
    monkeypatch.setattr(choice, "current_platform", lambda: "linux-aarch64")
    arm = PINNED.replace("b", "d")
    assert choose({"linux-64": PINNED, "linux-aarch64": arm}, "x", store, story.config).lock == "d" * 40


@pytest.mark.parametrize("text", ["", "x", PINNED + "\n", PINNED[:-1], f"{'a' * 40}@{'c' * 64}"])
def test_what_is_no_pin_is_refused(store: Store, story: Story, text: str):
    with pytest.raises(FatalError, match="is not `REQUEST:LOCK@MANIFEST`"):
        choose({HERE: text}, "", store, story.config)


@pytest.mark.parametrize("tag", ["v1", "latest"])
def test_a_name_is_what_the_store_says_now(store: Store, story: Story, tag: str, monkeypatch):
    monkeypatch.setenv("TAG", tag)
    found = choose({}, "mlp/base:@{TAG}", store, story.config)
    replica = read_replica(store, parse_alias(f"mlp/base:{tag}"))
    assert replica is not None
    assert (found.lock, found.digest, found.commit) == (replica.locks[HERE], replica.manifests[HERE], replica.commit)
    assert found.label == f"`mlp/base:{tag}` ({found.request}:{found.lock})"
    assert found.manifest(store).lock.request == found.request
    by_id = choose({}, f"{found.request}:{found.lock}", store, story.config)
    assert (by_id.digest, by_id.name) == (found.digest, "")


def test_a_name_that_the_store_does_not_know_is_refused(store: Store, story: Story):
    with pytest.raises(FatalError, match="is where a step that fetches at execution looks"):
        choose({}, "mlp/none:v1", store, story.config)


def test_a_manifest_that_is_not_there_is_named(store: Store, story: Story):
    with pytest.raises(FatalError, match=r"is not there, and it is the manifest of `mlp/base:v1`"):
        choose({HERE: PINNED}, "mlp/base:v1", store, story.config).manifest(store)


def test_a_manifest_of_another_lock_or_with_other_bytes_is_refused(store: Store, story: Story):
    found = choose({}, "mlp/base:v1", store, story.config)
    other = choose({HERE: f"{'a' * 40}:{'b' * 40}@{found.digest}"}, "mlp/base:v1", store, story.config)
    with pytest.raises(FatalError, match=f"not of `mlp/base:v1` .* for {HERE}"):
        other.manifest(store)
    key = keys.manifest_key(found.digest)
    path = store.local_path(key)
    assert path is not None
    path.chmod(0o644)
    path.write_bytes(b"{}")
    with pytest.raises(DamagedError, match="has other bytes than its name promises"):
        found.manifest(store)
