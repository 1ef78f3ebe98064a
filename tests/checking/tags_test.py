from __future__ import annotations

import threading

import pytest

from envtag.checking import tags
from envtag.checking.tags import Tag, read_tags
from support.story import Story


def read(story: Story, *names: str):
    with story.registry() as registry:
        return read_tags(registry, names, registry.git.commit_of("origin/main"))


@pytest.mark.parametrize("many", [0, 200])
def test_tags_are_those_here_and_there(registry: Story, many: int, monkeypatch):
    monkeypatch.setattr(tags, "_MANY", many)
    sha = registry.bare.git("rev-parse", "mlp/base@v1")
    assert read(registry, "mlp/base").of("mlp/base") == {"v1": Tag(tag="v1", there=sha)}
    registry.repo.git("tag", "mlp/base@v2", "topic")
    found = read(registry, "mlp/base")
    assert dict(found.of("mlp/base"))["v2"] == Tag(tag="v2", here=registry.repo.git("rev-parse", "topic"))
    assert (found.is_published("mlp/base", "v1"), found.is_published("mlp/base", "v3")) == (True, False)
    assert found.of("mlp/other") == {}


def test_no_other_tag_of_the_remote_travels_and_none_here_changes(registry: Story):
    registry.bare.git("tag", "--annotate", "--message", "x", "mlp/other@v1", "main")
    read(registry, "mlp/base")
    refs = registry.repo.git("for-each-ref", "--format=%(refname)").splitlines()
    assert "refs/envtag/there/mlp/base@v1" in refs
    assert not [ref for ref in refs if ref.startswith("refs/tags/") or "other" in ref]


def test_a_tag_that_is_gone_from_the_remote_is_not_remembered(registry: Story):
    read(registry, "mlp/base")
    registry.bare.git("tag", "--delete", "mlp/base@v1")
    assert read(registry, "mlp/base").of("mlp/base") == {}


def test_a_tag_outside_of_the_default_branch_is_not_merged(registry: Story):
    commit = registry.repo.commit({"envs/x.md": "x"})
    registry.repo.git("tag", "mlp/base@v2", commit)
    found = read(registry, "mlp/base").of("mlp/base")
    assert (found["v1"].merged, found["v2"].merged) == (True, False)


def test_without_an_answer_nothing_is_known_to_be_unpublished(registry: Story):
    registry.repo.git("remote", "set-url", "origin", (registry.place / "gone.git").as_uri())
    found = read(registry, "mlp/base")
    assert found.is_published("mlp/base", "v1") is None
    assert "cannot be asked for its tags" in found.problem


def test_without_a_remote_what_is_here_is_all(registry: Story):
    registry.repo.git("remote", "remove", "origin")
    found = read(registry, "mlp/base")
    assert (found.is_published("mlp/base", "v1"), found.problem) == (False, "")


def test_malformed_names_have_no_tags_and_nobody_is_asked(registry: Story):
    registry.repo.git("remote", "set-url", "origin", (registry.place / "gone.git").as_uri())
    assert read(registry, "MLP/*", "--upload-pack=x").problem == ""


def test_two_checks_at_once_do_not_disturb_each_other(registry: Story):
    problems: list[str] = []
    threads = [threading.Thread(target=lambda: problems.append(read(registry, "mlp/base").problem)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == [""] * 4
