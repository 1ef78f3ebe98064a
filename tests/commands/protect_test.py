from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from envtag.commands.protect import protect
from envtag.errors import FatalError
from envtag.github import connect
from envtag.output import Output
from envtag.rulesets import default_branch, immutable_tags
from support.github import ADMIN, READER, GitHub, github_server

ACTIONS = {"name": "envtag", "app": {"id": 15368, "slug": "github-actions"}}


@pytest.fixture
def github() -> Iterator[GitHub]:
    with github_server() as server:
        server.checks.append(ACTIONS)
        yield server


def run(github: GitHub, *, token: str = ADMIN, apply: bool = False, as_json: bool = False) -> int:
    return protect(connect("team/envs", github.environ(token)), apply=apply, as_json=as_json, output=Output())


def test_what_is_missing_is_said_and_nothing_is_written(github, capsys):
    assert run(github) == 1
    shown = capsys.readouterr().out
    assert "ruleset `envtag: immutable tags` of `team/envs`: there is none" in shown
    assert "ruleset `envtag: default branch` of `team/envs`: there is none" in shown
    assert "hint: `envtag protect --github team/envs --apply`" in shown
    assert github.written() == []


def test_it_is_made_once(github, capsys):
    assert run(github, apply=True) == 0
    assert capsys.readouterr().err == "created `envtag: immutable tags`\ncreated `envtag: default branch`\n"
    before = json.dumps(github.rulesets)
    assert run(github, apply=True) == 0
    assert capsys.readouterr().err == (
        "`envtag: immutable tags` is as it must be\n`envtag: default branch` is as it must be\n"
    )
    assert json.dumps(github.rulesets) == before
    assert run(github) == 0


def test_branches_of_open_namespaces_are_guarded_once_the_default_branch_declares_one(github, capsys):
    github.project = "[tool.envtag.namespaces.scratch]\nopen = true\n"
    github.add(immutable_tags())
    github.add(default_branch())
    assert run(github) == 1
    assert "ruleset `envtag: open namespaces` of `team/envs`: there is none" in capsys.readouterr().out
    assert run(github, apply=True) == 0
    assert "created `envtag: open namespaces`" in capsys.readouterr().err
    assert github.rulesets[max(github.rulesets)]["conditions"] == {
        "ref_name": {"include": ["refs/heads/envtag/open/**/*"], "exclude": []}
    }


def test_what_is_weaker_is_said_and_made_right(github, capsys):
    number = github.add(immutable_tags(), rules=[{"type": "deletion"}, {"type": "non_fast_forward"}])
    github.add(default_branch())
    assert run(github) == 1
    assert "it has no rule `update`" in capsys.readouterr().out
    assert run(github, apply=True) == 0
    assert "changed `envtag: immutable tags`: it has no rule `update`\n" in capsys.readouterr().err
    assert [rule["type"] for rule in github.rulesets[number]["rules"]] == ["update", "deletion", "non_fast_forward"]
    assert github.written() == [f"PUT /repos/team/envs/rulesets/{number}"]


def test_rulesets_of_others_are_never_touched(github):
    theirs = github.add(immutable_tags(), name="theirs", enforcement="disabled")
    parents = github.add(immutable_tags(), source_type="Organization", enforcement="disabled")
    before = json.dumps([github.rulesets[theirs], github.rulesets[parents]])
    github.plan.append(("POST /", 201, {}, {}))  # the organisation's name is no obstacle at GitHub
    run(github, apply=True)
    assert json.dumps([github.rulesets[theirs], github.rulesets[parents]]) == before
    assert all(text.startswith("POST ") for text in github.written())


def test_what_the_organisation_holds_needs_no_ruleset_of_ours(github, capsys):
    github.add(immutable_tags(), name="all tags", source_type="Organization", source="team")
    github.add(default_branch())
    assert run(github, apply=True) == 0
    assert github.written() == []
    shown = capsys.readouterr().out
    assert "`all tags` of `team` is active for `team/envs`" in shown
    assert "who may bypass `all tags` of `team` cannot be seen" in shown


def test_a_bypass_is_said_and_taken_away(github, capsys):
    number = github.add(immutable_tags())
    github.rulesets[number]["bypass_actors"] = [
        {"actor_type": "RepositoryRole", "actor_id": 5, "bypass_mode": "exempt"}
    ]
    github.add(default_branch())
    assert run(github) == 1
    assert "can be bypassed by RepositoryRole 5 (exempt)" in capsys.readouterr().out
    assert run(github, apply=True) == 0
    assert "nobody may bypass it now" in capsys.readouterr().err
    assert github.rulesets[number]["bypass_actors"] == []


def test_a_bypass_that_cannot_be_seen_is_not_none(github, capsys):
    github.add(immutable_tags())
    github.add(default_branch())
    assert run(github, token=READER) == 0
    shown = capsys.readouterr().out
    assert "warning: who may bypass `envtag: immutable tags` cannot be seen by this token" in shown
    assert "nobody may bypass" not in shown


def test_who_may_not_write_is_told_and_nothing_changes(github):
    with pytest.raises(
        FatalError, match="cannot create the ruleset `envtag: immutable tags` of `team/envs`: the token may"
    ):
        run(github, token=READER, apply=True)
    assert github.rulesets == {}


def test_who_is_second_at_the_same_time_finds_the_work_done(github, capsys):
    listed = {"id": 41, "name": "other", "target": "push"}
    github.add(immutable_tags())
    github.add(default_branch())
    github.plan.append(("GET /repos/team/envs/rulesets", 200, {}, [listed]))  # as it was before the first one wrote
    assert run(github, apply=True) == 0
    assert len(github.rulesets) == 2
    assert "is as it must be" in capsys.readouterr().err


def test_a_refusal_that_is_no_race_is_an_error(github):
    github.plan.append(("POST /", 422, {}, {"message": "Validation Failed", "errors": ["Invalid rule"]}))
    with pytest.raises(FatalError, match="Validation Failed; Invalid rule"):
        run(github, apply=True)


def test_the_check_is_of_the_app_that_reports_it(github):
    github.checks[:] = [{"name": "envtag", "app": {"id": 77, "slug": "github-actions"}}]
    assert run(github, apply=True) == 0
    checks = github.rulesets[42]["rules"][3]["parameters"]["required_status_checks"]
    assert checks == [{"context": "envtag", "integration_id": 77}]
    github.checks[:] = []
    assert run(github) == 1
    github.actions = 77
    assert run(github) == 0


def test_a_check_that_was_never_reported_is_pointed_out(github, capsys):
    github.checks.clear()
    run(github, apply=True)
    assert "no check `envtag` was seen on `main` yet" in capsys.readouterr().err


def test_a_private_repository_on_a_free_plan_is_told_so(github):
    github.private, github.paid = True, False
    with pytest.raises(FatalError, match="the plan of this private repository's owner has no rulesets"):
        run(github)


def test_json_has_every_finding(github, capsys):
    assert run(github, as_json=True) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] is False
    assert {item["rule"] for item in document["findings"]} == {"tags-guarded", "branch-guarded"}
