from __future__ import annotations

import json

import pytest

from envtag.names import Alias
from envtag.record import TagRecord
from envtag.replicas import Replicas
from envtag.store import keys, open_store
from support.checks import edit_text, found, only, rules
from support.story import Story

ALIAS = Alias(name="mlp/base", tag="v1")


@pytest.fixture
def replicated(touched: Story):
    """`touched` and a store that has the replica of `mlp/base:v1`."""
    store = open_store((touched.place / "store").as_uri())
    commit = touched.bare.git("rev-parse", f"{ALIAS.ref}^{{commit}}")
    record = TagRecord.parse(touched.bare.git("cat-file", "tag", ALIAS.ref).partition("\n\n")[2] + "\n", "tag")
    Replicas(store=store, git=None, output=None).release(ALIAS, commit, record)  # type: ignore[arg-type]  # unused
    return touched, store


def tampered(store, **fields: object) -> None:
    key = keys.tag_key(ALIAS)
    document = json.loads(store.read(key))
    path = next(path for path in _files(store) if path.name == key.rpartition("/")[2])
    path.chmod(0o644)
    path.write_text(json.dumps({**document, **fields}, sort_keys=True, separators=(",", ":")))


def _files(store):
    from pathlib import Path
    from urllib.parse import urlsplit

    return Path(urlsplit(store.url).path).rglob("*.json")


def test_a_replica_that_says_the_same_is_fine(replicated):
    story, store = replicated
    assert found(story, store=store) == ()
    assert found(story, store=open_store((story.place / "empty").as_uri())) == ()


def test_a_replica_that_says_something_else_is_an_error(replicated):
    story, store = replicated
    tampered(store, commit="0" * 40)
    finding = only(found(story, store=store), "replica-matches-tag")
    assert "is two things" in finding.message
    assert finding.line == 3
    assert found(story) == ()


def test_a_replica_without_its_tag_is_held_to_the_line(replicated):
    story, store = replicated
    story.bare.git("update-ref", "-d", ALIAS.ref)
    assert rules(found(story, store=store)) == []
    document = json.loads(store.read(keys.tag_key(ALIAS)))
    tampered(store, locks=dict.fromkeys(document["locks"], "0" * 40))
    assert rules(found(story, store=store)) == ["replica-matches-tag"]


def test_a_damaged_replica_is_an_error(replicated):
    story, store = replicated
    tampered(store, version=9)
    assert rules(found(story, store=store)) == ["replica-matches-tag"]
    edit_text(story, "envs/mlp/base/tags.yml", "version: 1", "version: 9")
    assert rules(found(story, store=store)) == ["file-malformed"]
