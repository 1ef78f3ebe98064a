from __future__ import annotations

from collections.abc import Iterator

import pytest

from envtag.doctoring.protection import judged, protection
from envtag.errors import FatalError
from envtag.findings import Finding
from envtag.github import connect
from envtag.rulesets import Ruleset, default_branch, immutable_tags, needed
from support.github import ADMIN, READER, GitHub, github_server


@pytest.fixture
def github() -> Iterator[GitHub]:
    with github_server() as server:
        yield server


def asked(github: GitHub, token: str = ADMIN) -> list[Finding]:
    return protection(connect("team/envs", github.environ(token)))


def said(found: list[Finding], severity: str) -> list[str]:
    return [item.message for item in found if item.severity == severity]


def test_what_is_well_is_notes_alone(github):
    github.add(immutable_tags())
    github.add(default_branch())
    found = asked(github)
    assert said(found, "error") == said(found, "warning") == []
    assert said(found, "note") == [
        "`team/envs` is public; its default branch is `main`",
        "`envtag: immutable tags` is active for `team/envs`",
        "nobody may bypass `envtag: immutable tags`",
        "`envtag: default branch` is active for `team/envs`",
        "nobody may bypass `envtag: default branch`",
        "GitHub understands CODEOWNERS of `team/envs`",
    ]


def test_what_a_token_cannot_see_is_a_warning_and_not_an_answer(github):
    github.add(immutable_tags())
    github.add(default_branch())
    found = asked(github, READER)
    assert len([text for text in said(found, "warning") if "cannot be seen by this token" in text]) == 2


def test_what_is_missing_is_errors_with_a_hint(github):
    found = asked(github)
    assert {item.rule for item in found if item.severity == "error"} == {"tags-guarded", "branch-guarded"}
    assert {item.hint for item in found if item.severity == "error"} == {"`envtag protect --github team/envs --apply`"}


def test_rulesets_that_share_the_work_are_named_together(github):
    for rule in immutable_tags()["rules"]:
        github.add(immutable_tags(), name=rule["type"], rules=[rule])
    assert "`update` and `deletion` and `non_fast_forward` are active for `team/envs`" in said(asked(github), "note")


def test_a_bypass_of_the_organisations_ruleset_is_its_owners_business():
    actors = [{"actor_type": "OrganizationAdmin", "actor_id": 1}]
    document = {"id": 1, **immutable_tags(), "source_type": "Organization", "source": "team", "bypass_actors": actors}
    findings = judged("team/envs", [Ruleset.parse(document)], needed(1, ()))
    (found,) = (item for item in findings if item.rule == "ruleset-bypass")
    assert found.severity == "error"
    assert "can be bypassed by OrganizationAdmin 1 (always)" in found.message
    assert found.hint == "ask who administers `team`"


def test_tags_that_nobody_can_make_are_a_warning(github):
    github.add(immutable_tags(), name="closed", rules=[{"type": "creation"}])
    assert "`closed` lets nobody make a tag, so nothing can be released" in said(asked(github), "warning")


def test_a_private_repository_on_a_free_plan_is_one_error_about_its_tags(github):
    github.private, github.paid = True, False
    found = asked(github)
    assert [item.rule for item in found if item.severity == "error"] == ["tags-guarded"]
    assert "has no rulesets" in said(found, "error")[0]
    assert found[0].message == "`team/envs` is private; its default branch is `main`"


def test_a_repository_that_cannot_be_seen_is_one_error(github):
    github.private = True
    (found,) = asked(github, "")
    assert (found.rule, found.severity) == ("github", "error")


def test_another_refusal_is_not_mistaken_for_a_plan(github):
    github.plan.append(("GET /repos/team/envs/rulesets", 403, {}, {"message": "no"}))
    with pytest.raises(FatalError, match="the token may not"):
        asked(github)


def test_code_owners_that_are_missing_broken_or_hidden_are_said(github):
    github.owner_errors = None
    assert "`team/envs` has no CODEOWNERS on its default branch" in said(asked(github), "warning")
    github.owner_errors = [{"path": "CODEOWNERS", "line": 2, "kind": "Unknown owner", "source": "/envs/ @nobody"}]
    assert "GitHub passes over CODEOWNERS:2: Unknown owner: /envs/ @nobody" in said(asked(github), "error")
    github.plan.append(("codeowners", 403, {}, {"message": "no"}))
    assert any("CODEOWNERS" in text for text in said(asked(github), "warning"))
