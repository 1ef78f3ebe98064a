from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from envtag.registry.environment import WorkTreeFiles
from envtag.updating import proposal, words
from envtag.updating.proposal import ChangedFiles, body
from support.story import released


def test_changed_files_are_seen_in_place_of_those_that_are_there(tmp_path):
    (tmp_path / "envs/x").mkdir(parents=True)
    (tmp_path / "envs/x/a").write_bytes(b"old")
    (tmp_path / "envs/x/b").write_bytes(b"b")
    files = ChangedFiles(WorkTreeFiles(tmp_path), {"envs/x/a": b"new", "envs/x/c": b"c", "envs/x/d": None})
    assert [files.read(f"envs/x/{name}") for name in "abcd"] == [b"new", b"b", b"c", None]
    assert files.entries("envs/x") == ["a", "b", "c"]
    assert files.entries("envs") == ["x"]
    assert files.find("a", "envs") == ["envs/x/a"]


def test_a_body_is_never_longer_than_it_may_be(make_story, monkeypatch):
    story = make_story(released)
    monkeypatch.setattr(words, "markdown", lambda _: "- x\n" * 50_000)
    with story.registry() as registry:
        updated = SimpleNamespace(environment=registry.environment("mlp/base"), files=dict)
        text = body(cast("proposal.Updated", updated), story.config)
    assert len(text.encode()) < 25_000
    assert "\n- …\n" in text
