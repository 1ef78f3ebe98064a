from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from envtag.git import Git
from envtag.git.trees import write_blob, write_commit
from support.opened import BRANCH, NAME, published
from support.story import Story


@pytest.fixture
def story(make_story: Callable[..., Story]) -> Story:
    return make_story(published)


def found(story: Story, *options: str) -> dict[str, str]:
    """Rule to message of what is more than a note."""
    told = story.call("check", "--json", *options, check=None).json
    return {item["rule"]: item["message"] for item in told["findings"] if item["severity"] != "note"}


def pushed(story: Story, files: dict[str, str | None]) -> None:
    """Put files on the branch of the namespace, as anybody who may push can."""
    clone = story.bare.clone(story.place / "theirs")
    clone.git("checkout", "--quiet", BRANCH)
    clone.commit(files)
    clone.git("push", "--quiet", "origin", BRANCH)


def test_what_is_on_the_branch_is_checked_with_all_and_is_well(story: Story):
    assert found(story, "--all") == {}
    assert "1 " in story.call("verify", "--all").err


def test_what_anybody_put_there_is_held_to_the_rules_of_every_environment(story: Story):
    path = f"envs/{NAME}/tags.yml"
    ledger = story.bare.git("show", f"{BRANCH}:{path}")
    pushed(
        story,
        {path: f"{ledger}\n# later\n", f"envs/{NAME}/secret.txt": "token=ghp_0123456789abcdefghijklmnopqrstuvwxyz\n"},
    )
    assert found(story) == {}
    rules = found(story, "--all")
    assert set(rules) >= {"ledger-canonical"}
    assert all(message.startswith(f"on `{BRANCH}`: ") for message in rules.values())


def test_a_tag_of_what_is_not_on_the_branch_is_told(story: Story):
    story.bare.git("update-ref", f"refs/heads/{BRANCH}", write_orphan(story))
    told = found(story, "--all")
    assert f"which is not on `{BRANCH}`" in told["tag-moved"]


def write_orphan(story: Story) -> str:
    """A commit with what the branch holds, and without its history."""
    with Git(story.bare.path) as git:
        tree = git.run("rev-parse", f"{BRANCH}^{{tree}}").text()
        return write_commit(git, tree, [], "again")


def test_opening_and_closing_are_shown_to_who_merges(story: Story):
    path = story.path / "pyproject.toml"
    text = path.read_text("utf-8")
    path.write_text(f"{text}\n[tool.envtag.namespaces.tries]\nopen = true\n", "utf-8")
    assert "this change opens `tries`" in found(story)["namespaces-changed"]
    path.write_text(text.replace("open = true", "open = false"), "utf-8")
    assert "this change closes `scratch`" in found(story)["namespaces-changed"]


def test_an_environment_that_nobody_would_read_is_refused(story: Story):
    path = f"envs/{NAME}/envtag.yml"
    story.commit("misplaced", {path: story.bare.git("show", f"{BRANCH}:{path}")})
    assert story.call("list", "--json").json[0]["tags"] == ["v1"]
    assert f"lives on `{BRANCH}` alone" in found(story, "--all")["namespace-open"]


def test_a_hostile_tree_writes_nothing_elsewhere(story: Story, tmp_path: Path):
    outside = tmp_path / "outside"
    outside.mkdir()
    with Git(story.bare.path) as git:
        blob, link = write_blob(git, b"x"), write_blob(git, str(outside).encode())
        evil = git.run("mktree", stdin=f"100644 blob {blob}\tf\n".encode()).text()
        top = git.run("mktree", stdin=f"120000 blob {link}\tenvs\n040000 tree {evil}\t..\n".encode())
        assert top.returncode == 0, top.stderr
        commit = write_commit(git, top.text(), [], "evil")
    story.bare.git("update-ref", f"refs/heads/{BRANCH}", commit)
    told = story.call("check", "--all", check=None)
    assert told.code == 1
    assert list(outside.iterdir()) == []
    assert not (tmp_path / "f").exists()
