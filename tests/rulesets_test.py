from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from envtag.rulesets import (
    ACTIONS_APP,
    Ruleset,
    closed_creation,
    compare,
    default_branch,
    immutable_tags,
    needed,
    open_namespaces,
    own_ruleset,
    strengthened,
    who,
)
from support.github import mistakes
from support.source import ROOT

WANTED = {
    "immutable-tags.json": immutable_tags(),
    "default-branch.json": default_branch(),
    "open-namespaces.json": open_namespaces(),
}


def there(document: dict[str, Any], **changes: Any) -> Ruleset:
    return Ruleset.parse({"id": 7, **copy.deepcopy(document), **changes})


def problems(document: dict[str, Any], **changes: Any) -> tuple[str, ...]:
    return compare(document, [there(document, **changes)]).problems


@pytest.mark.parametrize("name", WANTED)
def test_the_files_of_this_repository_are_what_the_tool_applies(name: str):
    assert json.loads((ROOT / ".github/rulesets" / name).read_text("utf-8")) == WANTED[name]


def test_there_is_no_other_file():
    assert sorted(path.name for path in (ROOT / ".github/rulesets").iterdir()) == sorted(WANTED)


@pytest.mark.parametrize("name", WANTED)
def test_they_have_the_shape_that_github_publishes(name: str):
    assert mistakes(WANTED[name]) == []


def test_a_shape_that_github_refuses_is_found():
    wrong = immutable_tags() | {"rules": [{"type": "updates"}], "enforcement": "on"}
    assert mistakes(wrong) == ["Invalid enforcement", "Invalid rule 'updates'"]


@pytest.mark.parametrize("document", WANTED.values(), ids=list(WANTED))
def test_what_is_as_it_must_be_has_no_problems(document):
    verdict = compare(document, [there(document)])
    assert verdict.problems == ()
    assert verdict.bypass == "none"
    assert verdict.own is not None


def test_nothing_at_all_lacks_every_rule():
    verdict = compare(immutable_tags(), [])
    assert verdict.own is None
    assert verdict.problems == (
        "there is none, and nothing else has the rules `update`, `deletion`, `non_fast_forward`",
    )


def test_tags_that_may_move_forward_are_found():
    rules = [{"type": "deletion"}, {"type": "non_fast_forward"}]
    assert problems(immutable_tags(), rules=rules) == ("it has no rule `update`",)


@pytest.mark.parametrize("pattern", ["refs/tags/*", "refs/tags/**", "refs/tags/**/*@*", "refs/tags/v*"])
def test_a_pattern_that_stops_at_a_slash_or_leaves_tags_out_is_found(pattern):
    found = problems(immutable_tags(), conditions={"ref_name": {"include": [pattern], "exclude": []}})
    assert found[0] == f"it is about `{pattern}`, which is not every ref that `refs/tags/**/*` matches"


def test_all_tags_are_all_tags():
    assert problems(immutable_tags(), conditions={"ref_name": {"include": ["~ALL"], "exclude": []}}) == ()


def test_an_exempted_tag_is_found():
    condition = {"ref_name": {"include": ["~ALL"], "exclude": ["refs/tags/**/*@latest"]}}
    assert problems(immutable_tags(), conditions=condition)[0] == "it exempts `refs/tags/**/*@latest`"


@pytest.mark.parametrize("enforcement", ["disabled", "evaluate"])
def test_a_ruleset_that_is_switched_off_holds_nothing(enforcement):
    assert problems(immutable_tags(), enforcement=enforcement) == (f"it is `{enforcement}`, and not `active`",)


def test_a_ruleset_of_that_name_for_branches_guards_no_tag():
    assert problems(immutable_tags(), target="branch")[0] == "it is about `branch`, and not about `tag`"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("required_approving_review_count", 0), ("require_code_owner_review", False),
        ("dismiss_stale_reviews_on_push", False), ("require_last_push_approval", None),
    ],
)  # fmt: skip
def test_each_weaker_parameter_of_reviews_is_found(name, value):
    document = default_branch()
    document["rules"][2]["parameters"][name] = value
    (found,) = compare(default_branch(), [there(document)]).problems
    assert found.startswith(f"`pull_request.{name}` is ")


def test_stricter_parameters_and_more_rules_are_fine():
    document = default_branch()
    document["rules"][2]["parameters"] |= {"required_approving_review_count": 3, "allowed_merge_methods": ["squash"]}
    document["rules"][3]["parameters"]["required_status_checks"].append({"context": "tests"})
    document["rules"].append({"type": "required_signatures"})
    assert compare(default_branch(), [there(document)]).problems == ()


@pytest.mark.parametrize(
    ("check", "words"),
    [({"context": "envtag"}, "`envtag` of anybody"), ({"context": "envtag", "integration_id": 99}, "of App 99")],
)
def test_a_check_that_anybody_or_another_app_may_report_is_found(check, words):
    document = default_branch()
    document["rules"][3]["parameters"]["required_status_checks"] = [check]
    (found,) = compare(default_branch(), [there(document)]).problems
    assert words in found
    assert f"must be `envtag` of App {ACTIONS_APP}" in found


def test_rules_of_several_rulesets_add_up():
    parts = [
        there(immutable_tags(), id=n, name=f"part {n}", rules=[rule])
        for n, rule in enumerate(immutable_tags()["rules"])
    ]
    verdict = compare(immutable_tags(), parts)
    assert verdict.problems == ()
    assert len(verdict.holders) == 3
    assert compare(immutable_tags(), parts[1:]).problems == ("there is none, and nothing else has the rule `update`",)


def test_a_ruleset_of_the_organisation_holds_too_and_is_not_ours():
    theirs = there(immutable_tags(), source_type="Organization", source="team")
    verdict = compare(immutable_tags(), [theirs])
    assert verdict.problems == ()
    assert verdict.own is None
    assert own_ruleset(immutable_tags(), [theirs]) is None
    assert theirs.shown == "`envtag: immutable tags` of `team`"


@pytest.mark.parametrize(
    ("changes", "bypass"),
    [
        ({"bypass_actors": []}, "none"),
        ({"bypass_actors": [{"actor_type": "RepositoryRole", "actor_id": 5, "bypass_mode": "exempt"}]}, "some"),
        ({"bypass_actors": None}, "hidden"),
        ({"bypass_actors": None, "current_user_can_bypass": "never"}, "hidden"),
        ({"bypass_actors": None, "current_user_can_bypass": "exempt"}, "some"),
    ],
)
def test_who_may_bypass_is_nobody_somebody_or_not_to_be_seen(changes, bypass):
    assert compare(immutable_tags(), [there(immutable_tags(), **changes)]).bypass == bypass


def test_a_ruleset_without_bypass_is_what_holds_beside_one_with():
    weak = there(immutable_tags(), id=1, name="other", bypass_actors=[{"actor_type": "Team", "actor_id": 3}])
    verdict = compare(immutable_tags(), [weak, there(immutable_tags())])
    assert verdict.bypass == "none"


def test_actors_are_named_with_their_mode():
    actors = [{"actor_type": "RepositoryRole", "actor_id": 5, "bypass_mode": "exempt"}, {"actor_type": "DeployKey"}]
    assert who(actors) == "RepositoryRole 5 (exempt), DeployKey (always)"


def test_strengthening_keeps_what_is_stricter_and_takes_bypass_and_exemptions_away():
    document = default_branch()
    document["enforcement"] = "evaluate"
    document["conditions"]["ref_name"]["exclude"] = ["refs/heads/main"]
    document["bypass_actors"] = [{"actor_type": "OrganizationAdmin", "actor_id": 1}]
    document["rules"][2]["parameters"] |= {"required_approving_review_count": 2, "require_code_owner_review": False}
    document["rules"][3]["parameters"]["required_status_checks"] = [{"context": "tests"}, {"context": "envtag"}]
    document["rules"] = [*document["rules"][1:], {"type": "required_signatures"}]
    made = strengthened(default_branch(), there(document))
    assert mistakes(made) == []
    assert compare(default_branch(), [there(made)]).problems == ()
    assert made["bypass_actors"] == []
    reviews, checks = made["rules"][2]["parameters"], made["rules"][3]["parameters"]
    assert reviews["required_approving_review_count"] == 2
    assert checks["required_status_checks"] == [
        {"context": "envtag", "integration_id": ACTIONS_APP},
        {"context": "tests"},
    ]
    assert made["rules"][-1] == {"type": "required_signatures"}


def test_strengthening_what_is_as_it_must_be_changes_nothing():
    for document in WANTED.values():
        assert strengthened(document, there(document)) == document


def test_tags_that_nobody_can_make_are_found():
    rules = [*immutable_tags()["rules"], {"type": "creation"}]
    closed = there(immutable_tags(), rules=rules)
    assert closed_creation([closed]) is closed
    app = [{"actor_type": "Integration", "actor_id": 1}]
    assert closed_creation([there(immutable_tags()), there(immutable_tags(), rules=rules, bypass_actors=app)]) is None


def test_branches_of_open_namespaces_are_guarded_where_there_are_any():
    assert [item["name"] for item in needed(1, ())] == ["envtag: immutable tags", "envtag: default branch"]
    assert needed(1, ("scratch",))[2:] == (open_namespaces(),)
    assert problems(open_namespaces(), conditions={"ref_name": {"include": ["~ALL"], "exclude": []}}) == ()
    of_main = {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}}
    assert (
        problems(open_namespaces(), conditions=of_main)
        == (
            "it is about `~DEFAULT_BRANCH`, which is not every ref that `refs/heads/envtag/open/**/*` matches",
            "it has no rule `deletion`",
        )[:1]
    )
