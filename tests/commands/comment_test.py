from __future__ import annotations

import json

import pytest

from envtag.commands.comment import comment
from envtag.errors import FatalError
from envtag.output import Output
from support.publishing import lock
from support.pulls import BOT, pulls_server
from support.story import released
from support.workflow import SLUG, TOKEN


@pytest.fixture
def pulls():
    with pulls_server() as running:
        yield running


@pytest.fixture
def commented(make_story, pulls, tmp_path, capsys):
    """A pull request that adds `mlp/new`, and the command that comments on it; what it said."""
    story = make_story(released)
    repo = story.repo
    repo.git("checkout", "--quiet", "-b", "branch")
    lock(story, "v1", name="mlp/new")
    head = repo.commit(message="another")
    repo.git("push", "--quiet", "origin", "HEAD:refs/pull/3/head")
    repo.git("checkout", "--quiet", "main")
    pulls.open(3, "branch", head)
    event = tmp_path / "event.json"

    def call(**changes):
        started = {"head_sha": head, "head_branch": "branch", "head_repository": {"full_name": SLUG}, **changes}
        event.write_text(json.dumps({"workflow_run": started}))
        environ = {
            "GITHUB_API_URL": pulls.url, "GITHUB_TOKEN": TOKEN, "GITHUB_REPOSITORY": SLUG,
            "GITHUB_EVENT_PATH": str(event),
        }  # fmt: skip
        with story.registry() as registry:
            assert comment(findings=None, registry=registry, config=story.config, environ=environ, output=Output()) == 0
        return capsys.readouterr().err

    call.story = story
    return call


def test_there_is_one_comment_and_it_is_kept_up_to_date(commented, pulls):
    assert commented() == "wrote the comment on pull request 3\n"
    (first,) = pulls.said(3)
    assert "`mlp/new`" in first
    assert commented() == "kept the comment on pull request 3\n"
    pulls.comments[0]["body"] = "<!-- envtag diff -->\nold"
    assert commented() == "renewed the comment on pull request 3\n"
    assert pulls.said(3) == [first]


def test_the_comment_of_somebody_else_is_left_alone(commented, pulls):
    for login, body in (("stranger", "<!-- envtag diff -->\nx"), (BOT, "of another tool"), (None, "x")):
        user = {"login": login} if login else None
        pulls.comments.append({"id": len(pulls.comments), "number": 3, "user": user, "body": body})
    assert commented().startswith("wrote")
    assert pulls.said(3)[:3] == ["<!-- envtag diff -->\nx", "of another tool", "x"]


def test_a_run_that_is_of_no_open_pull_request_says_nothing(commented, pulls):
    for changes in (
        {"head_sha": "a" * 40},
        {"head_branch": "other"},
        {"head_repository": {"full_name": "stranger/fork"}},
        {"head_repository": None},
    ):
        assert "no open pull request" in commented(**changes)
    assert pulls.comments == []


def test_a_pull_request_that_moved_on_meanwhile_is_left_to_its_next_run(commented, pulls):
    pulls.open(3, "branch", "b" * 40)
    with pytest.raises(FatalError, match="has moved on"):
        commented(head_sha="b" * 40)


@pytest.mark.parametrize("head", ["", "HEAD", "--upload-pack=x", "a" * 39])
def test_an_event_without_a_commit_is_refused(commented, head):
    with pytest.raises(FatalError, match="not about another run"):
        commented(head_sha=head)


def test_nothing_is_checked_out(commented):
    before = commented.story.status()
    commented()
    assert commented.story.status() == before
    assert commented.story.repo.git("rev-parse", "--abbrev-ref", "HEAD") == "main"
