from __future__ import annotations

import pytest

from envtag.chronicle import chronicle
from support.repository import GitRepo
from support.story import Story

_ENV = "version: 1\nspec: [requirements.txt]\nplatforms: [linux-64]\n"


def ledger(*tags: str, **pointers: str) -> str:
    lines = ["version: 1", "releases:"]
    lines += [f"- {{tag: {tag}, request: {'a' * 40}, locks: {{linux-64: {'b' * 40}}}}}" for tag in tags]
    lines += ["pointers:", *(f"  {name}: {tag}" for name, tag in pointers.items())] if pointers else []
    return "\n".join(lines) + "\n"


@pytest.fixture
def repo(story: Story) -> GitRepo:
    story.repo.commit(
        {"envs/x/envtag.yml": _ENV, "envs/x/tags.yml": ledger("v1")}, "Release v1 (#7)\n\nReviewed-by: Ann"
    )
    return story.repo


def events(story: Story) -> list[tuple[object, ...]]:
    with story.registry() as registry:
        return [
            (event.kind, event.tag, event.before, event.after, event.pull_request, event.reviewers)
            for event in chronicle("x", registry)
        ]


def test_releases_and_moves_are_told_the_newest_first(story: Story, repo: GitRepo):
    repo.commit({"envs/x/tags.yml": ledger("v1", "v2", stable="v1")}, "more")
    repo.commit({"envs/x/tags.yml": ledger("v1", "v2", stable="v2")}, "move")
    repo.commit({"envs/x/tags.yml": "half merged"}, "broken")
    repo.commit({"envs/x/tags.yml": ledger("v1", "v2")}, "gone")
    found = events(story)
    assert found[-4:] == [
        ("pointed", "stable", "v1", "v2", 0, ()),
        ("pointed", "stable", "", "v1", 0, ()),
        ("released", "v2", "", "", 0, ()),
        ("released", "v1", "", "", 7, ("Ann",)),
    ]


def test_the_merge_that_brought_it_says_which_pull_request_it_was(story: Story, repo: GitRepo):
    repo.git("checkout", "--quiet", "-b", "work")
    mine = repo.commit({"envs/x/tags.yml": ledger("v1", "v2")}, "v2\n\nAcked-by: Bob <b@example.org>")
    repo.git("checkout", "--quiet", "main")
    repo.commit({"other": "1"}, "meanwhile")
    message = "Merge pull request #12 from x/work\n\nRelease\n\nApproved-by: Cid <c@example.org>"
    repo.git("merge", "--quiet", "--no-ff", "-m", message, "work")
    merge = repo.git("rev-parse", "HEAD")
    repo.commit({"other": "2"}, "later")
    with story.registry() as registry:
        event = chronicle("x", registry)[0]
    assert (event.tag, event.commit, event.merged, event.pull_request) == ("v2", mine, merge, 12)
    assert event.reviewers == ("Cid <c@example.org>", "Bob <b@example.org>")
    assert event.date.endswith("Z")


def test_what_is_not_committed_did_not_happen_yet(story: Story, repo: GitRepo):
    (repo.path / "envs/x/tags.yml").write_text(ledger("v1", "v9"))
    assert [event[1] for event in events(story)] == ["v1"]
