from __future__ import annotations

import json

import pytest

from envtag.errors import FatalError
from envtag.store import keys
from envtag.tombstones import State, Tombstones, parse_state, tombstone
from support.model import ModelStore, Schedule

KEY = keys.object_key("ab" * 32, "whl")
NAME = keys.tombstone_key(KEY)


@pytest.fixture
def store() -> ModelStore:
    return ModelStore(Schedule(0))


def publisher(store: ModelStore) -> Tombstones:
    def pause(seconds: float) -> None:
        store.later(seconds=seconds)

    made = Tombstones(store=store, clock=store.schedule.clock, pause=pause)
    made.load()
    return made


def state(store: ModelStore) -> str:
    return str(json.loads(store.objects[NAME].data)["state"])


def test_a_tombstone_says_of_what_it_is_and_no_two_are_the_same():
    data = tombstone(KEY, "marked")
    assert parse_state(data, KEY, "here") == "marked"
    assert data != tombstone(KEY, "marked")
    assert {"version": 1, "key": KEY, "state": "marked"}.items() <= json.loads(data).items()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{", "is not JSON"),
        (b"[]", "version 1"),
        (b'{"version":2}', "version 1"),
        (tombstone("other", "marked"), "is no tombstone of"),
        (tombstone(KEY, "marked").replace(b"marked", b"risen"), "is no tombstone of"),
    ],
    ids=["no json", "no table", "version", "other key", "unknown state"],
)
def test_what_is_no_tombstone_is_refused(data: bytes, words: str):
    with pytest.raises(FatalError, match=words):
        parse_state(data, KEY, "here")


def test_without_a_tombstone_nothing_is_in_the_way_and_nothing_is_asked(store: ModelStore, monkeypatch):
    asked = publisher(store)
    monkeypatch.setattr(store, "read_versioned", None)
    assert asked.revive(KEY)
    assert store.objects == {}


def test_a_mark_is_taken_back(store: ModelStore):
    store.swap(NAME, tombstone(KEY, "marked"), None)
    asked = publisher(store)
    assert asked.revive(KEY)
    assert state(store) == "revived"
    before = store.objects[NAME]
    assert asked.revive(KEY)
    assert store.objects[NAME] == before


def test_what_was_deleted_since_is_written_anew(store: ModelStore):
    store.swap(NAME, tombstone(KEY, "marked"), None)
    asked = publisher(store)
    store.delete(NAME)
    assert not asked.revive(KEY)


def test_what_is_being_deleted_is_waited_for(store: ModelStore, monkeypatch):
    store.swap(NAME, tombstone(KEY, "deleting"), None)
    asked = publisher(store)
    asked.pause = lambda _: store.delete(NAME)
    assert not asked.revive(KEY)


def test_what_stays_half_deleted_is_told_with_what_to_do(store: ModelStore):
    store.swap(NAME, tombstone(KEY, "deleting"), None)
    with pytest.raises(FatalError, match="is being deleted by a gc that was killed") as error:
        publisher(store).revive(KEY)
    assert "envtag gc" in error.value.hint


def test_a_lost_swap_is_tried_again_on_what_is_there_then(store: ModelStore, monkeypatch):
    store.swap(NAME, tombstone(KEY, "marked"), None)
    asked = publisher(store)
    real = store.swap

    def beaten(key: str, data: bytes, expected: str | None) -> bool:
        monkeypatch.setattr(store, "swap", real)
        store.delete(NAME)  # a collector was first
        return False

    monkeypatch.setattr(store, "swap", beaten)
    assert not asked.revive(KEY)


@pytest.mark.parametrize(("late", "fine"), [("marked", True), ("revived", True), ("deleting", False)])
def test_confirming_takes_back_marks_that_came_late(store: ModelStore, late: State, fine: bool):
    asked = publisher(store)
    assert asked.revive(KEY)
    store.swap(NAME, tombstone(KEY, late), None)
    if fine:
        asked.confirm()
        assert state(store) == "revived"
    else:
        asked.pause = lambda _: store.delete(NAME)
        with pytest.raises(FatalError, match="was deleted from model:/// by a gc while this publication used it"):
            asked.confirm()


def test_after_a_long_time_what_was_asked_for_must_still_be_there(store: ModelStore):
    asked = publisher(store)
    assert asked.revive(KEY)
    asked.confirm()  # at once: the object may be on its way
    store.later(days=10)
    assert asked.revive(keys.object_key("cd" * 32, "whl"))  # lists anew, and forgets nothing by that
    with pytest.raises(FatalError, match="was deleted from model"):
        asked.confirm()


def test_an_old_list_is_read_again(store: ModelStore):
    asked = publisher(store)
    store.swap(NAME, tombstone(KEY, "marked"), None)
    store.later(days=2)
    assert asked.revive(KEY)
    assert state(store) == "revived"
