from __future__ import annotations

from collections.abc import Iterator

import pytest

from envtag.errors import FatalError
from envtag.github import RefusedError, Repository, connect
from envtag.rulesets import immutable_tags
from support.github import ADMIN, READER, GitHub, github_server

ACTIONS = {"id": 15368, "slug": "github-actions"}


@pytest.fixture
def github() -> Iterator[GitHub]:
    with github_server() as server:
        yield server


def repository(github: GitHub, token: str = ADMIN) -> Repository:
    return connect("team/envs", github.environ(token))


@pytest.mark.parametrize("slug", ["", "team", "team/envs/x", "team/..", "team/.", "te am/envs", "-a/b", "a/b?c", "a/é"])
def test_only_names_of_repositories_are_asked_for(slug):
    with pytest.raises(FatalError, match="is not a repository on GitHub"):
        connect(slug, {})


def test_it_is_described(github):
    github.private = True
    described = repository(github).describe()
    assert (described.default_branch, described.private) == ("main", True)


def test_each_ruleset_is_read_by_its_id_since_the_list_holds_summaries(github):
    first, second = github.add(immutable_tags()), github.add(immutable_tags(), name="other", source_type="Organization")
    github.add({"name": "files", "target": "push", "enforcement": "active"})
    found = repository(github).rulesets()
    assert [(item.number, item.name) for item in found] == [(first, "envtag: immutable tags"), (second, "other")]
    assert [len(item.rules) for item in found] == [3, 3]


def test_who_may_bypass_is_hidden_from_who_may_not_change_it(github):
    github.add(immutable_tags())
    assert [item.bypass for item in repository(github).rulesets()] == ["none"]
    assert [item.bypass for item in repository(github, READER).rulesets()] == ["hidden"]


def test_a_ruleset_is_made_and_changed(github):
    repository(github).create(immutable_tags())
    (made,) = repository(github).rulesets()
    repository(github).update(made.number, {**immutable_tags(), "enforcement": "disabled"})
    assert repository(github).rulesets()[0].enforcement == "disabled"


def test_a_second_ruleset_of_one_name_is_refused(github):
    repository(github).create(immutable_tags())
    with pytest.raises(RefusedError, match="Name must be unique") as caught:
        repository(github).create(immutable_tags())
    assert caught.value.status == 422


def test_ci_cannot_be_a_bypass_actor(github):
    actor = {"actor_type": "Integration", "actor_id": 15368, "bypass_mode": "always"}
    with pytest.raises(RefusedError, match="must be part of the ruleset source or owner organization"):
        repository(github).create({**immutable_tags(), "bypass_actors": [actor]})


def test_the_app_of_a_check_is_the_one_that_reported_it(github):
    assert repository(github).check_app("main", "envtag") is None
    github.checks += [
        {"name": "envtag", "app": {"id": 1, "slug": "mallory"}},
        {"name": "tests", "app": {"id": 2, "slug": "github-actions"}},
        {"name": "envtag", "app": ACTIONS},
    ]
    assert repository(github).check_app("main", "envtag") == 15368


def test_an_empty_repository_has_no_checks(github):
    github.plan.append(("check-runs", 422, {}, {"message": "No commit found for SHA: main"}))
    assert repository(github).check_app("main", "envtag") is None
    github.plan.append(("check-runs", 401, {}, {"message": "Bad credentials"}))
    with pytest.raises(RefusedError):
        repository(github).check_app("main", "envtag")


def test_github_actions_is_another_app_on_a_server_of_ones_own(github):
    github.actions = 9
    assert repository(github).actions_app() == 9
    assert connect("team/envs", {}).actions_app() == 15368


def test_lines_of_code_owners_that_are_passed_over_are_named(github):
    github.owner_errors = [
        {"line": 3, "kind": "Unknown owner", "source": "/envs/ @nobody\n", "path": ".github/CODEOWNERS"}
    ]
    assert repository(github).code_owner_errors() == (".github/CODEOWNERS:3: Unknown owner: /envs/ @nobody",)
    github.owner_errors = []
    assert repository(github).code_owner_errors() == ()
    github.owner_errors = None
    assert repository(github).code_owner_errors() is None
    github.plan.append(("codeowners", 403, {}, {"message": "no"}))
    with pytest.raises(RefusedError):
        repository(github).code_owner_errors()


@pytest.mark.parametrize("body", [[], {}, "x", {"default_branch": "main", "check_runs": [3], "errors": [3]}, [3]])
def test_json_of_another_shape_is_said(github, body):
    github.plan += [("GET /", 200, {}, body)] * 5
    asked = repository(github)
    questions = (asked.rulesets, asked.actions_app)
    for question in questions:
        if not (question == asked.rulesets and body == []):
            with pytest.raises(FatalError, match="does not answer as GitHub does"):
                question()
    if not isinstance(body, dict) or "errors" in body:
        with pytest.raises(FatalError, match="does not answer as GitHub does"):
            asked.code_owner_errors()
        with pytest.raises(FatalError, match="does not answer as GitHub does"):
            asked.check_app("main", "envtag")
