from __future__ import annotations

import pytest

from support.repository import GitRepo
from support.story import MINOR, Story, mixed, released


def two_tags(story: Story) -> None:
    """State: `released` and published, and `mlp/base:v2` that is not."""
    released(story)
    story.tag("mlp/base", "v1")
    story.resolve("mlp/base:v2", environment=f"channels: [conda-forge]\ndependencies:\n- python {MINOR}.*\n- beta\n")
    story.commit("mlp/base:v2")


@pytest.fixture
def base(make_story):
    return make_story(two_tags)


def ledger(story: Story) -> list[str]:
    return story.files("mlp/base")["tags.yml"].splitlines()


def test_a_pointer_is_one_line_of_the_ledger(base):
    told = base.call("alias", "mlp/base:v1", "mlp/base:stable")
    assert told.out == "mlp/base:stable → mlp/base:v1\n"
    assert "next: `git add envs/mlp/base/tags.yml && git commit`" in told.err
    assert ledger(base)[-2:] == ["pointers:", "  stable: v1"]
    assert base.status() == " M envs/mlp/base/tags.yml"


def test_moving_a_pointer_changes_that_line_only(base):
    base.call("alias", "mlp/base:v1", "mlp/base:stable")
    base.commit("promote")
    told = base.call("alias", "mlp/base:v2", "mlp/base:stable")
    assert told.out == "mlp/base:stable → mlp/base:v2 (was v1)\n"
    assert "1 insertion(+), 1 deletion(-)" in base.repo.git("diff", "--stat")


def test_a_pointer_can_follow_another_once(base):
    base.call("alias", "mlp/base:v2", "mlp/base:candidate")
    base.call("alias", "mlp/base:candidate", "mlp/base:stable")
    assert ledger(base)[-2:] == ["  candidate: v2", "  stable: v2"]


def test_the_same_pointer_again_writes_nothing(base):
    base.call("alias", "mlp/base:v1", "mlp/base:stable")
    before = ledger(base)
    told = base.call("alias", "mlp/base:v1", "mlp/base:stable")
    assert "`mlp/base:stable` is `mlp/base:v1` already, nothing to do" in told.err
    assert told.out == ""
    assert ledger(base) == before


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("mlp/base:v1", "mlp/base:v9", "`mlp/base` has other locks by now"),
        ("mlp/base:v9", "mlp/base:stable", "`mlp/base` has no tag `v9`"),
        ("mlp/base", "mlp/base:stable", "`mlp/base:latest` is not a release"),
        ("mlp/base:candidate", "mlp/base:stable", "`mlp/base` has no `candidate`"),
        ("mlp/bas:v1", "mlp/base:stable", "did you mean `mlp/base`?"),
        ("mlp/base:v1", "mlp/Base:stable", "mlp/Base"),
        ("mlp/base:v1@sha256:" + "0" * 64, "mlp/base:stable", "sha256"),
    ],
)
def test_what_cannot_be_pointed_is_refused(base, source, target, expected):
    told = base.call("alias", source, target, check=1)
    assert expected in told.err
    assert "hint: " in told.err
    assert base.status() == ""


def test_an_unpublished_release_whose_locks_are_gone_is_refused(make_story):
    story = make_story(released)
    story.resolve("mlp/base:v2", environment=f"channels: [conda-forge]\ndependencies:\n- python {MINOR}.*\n- beta\n")
    told = story.call("alias", "mlp/base:v1", "mlp/base:stable", check=1)
    assert "`mlp/base:v1` is in the ledger but was never published, and its locks have changed since" in told.err


def test_a_release_of_another_environment_is_refused(make_story):
    story = make_story(mixed)
    told = story.call("alias", "mlp/mix:v1", "mlp/base:stable", check=1)
    assert "`mlp/mix:v1` is another environment than `mlp/base`" in told.err
    assert story.status() == ""


def test_a_full_id_names_the_release_too(base):
    item = base.call("show", "mlp/base:v2", "--json").json[0]
    base.call("alias", f"{item['request']}:{item['lock']}", "mlp/base:candidate")
    assert ledger(base)[-1] == "  candidate: v2"


def test_a_release_that_this_clone_has_not_merged_is_refused(base, tmp_path):
    clone = GitRepo(base.bare.path).clone(tmp_path / "behind")
    clone.git("reset", "--quiet", "--hard", "HEAD~1")
    base.tag("mlp/base", "v2")
    told = base.run("--registry", str(clone.path), "alias", "mlp/base:v2", "mlp/base:stable", check=1)
    assert "`v2` is not released" in told.err
    assert clone.git("status", "--porcelain") == ""


def test_a_registry_without_a_work_tree_is_refused(base):
    told = base.run("--registry", str(base.bare.path), "alias", "mlp/base:v1", "mlp/base:stable", check=1)
    assert "has no work tree" in told.err


def test_another_name_is_written_and_what_to_do_next_is_said(base):
    told = base.call("alias", "mlp/base:v2", "team/copy:v1")
    item = base.call("show", "mlp/base:v2", "--json").json[0]
    assert told.out == f"team/copy:v1 → {item['request']}:{item['lock']}\n"
    assert "wrote envs/team/copy, with every package of `mlp/base:v2`; nothing was solved" in told.err
    assert "next: `git add envs/team/copy && git commit`" in told.err
    assert base.call("show", "team/copy:v1", "--json").json[0]["lock"] == item["lock"]
    told = base.call("alias", "mlp/base:v2", "team/copy:v1")
    assert "`team/copy:v1` is `mlp/base:v2` already, nothing to do" in told.err
    assert told.out == ""


def test_several_names_are_each_legal_before_the_first_is_written(base):
    told = base.call("environment", "alias", "mlp/base:v2", "--alias", "team/a:v1", "--alias", "team/B", check=1)
    assert "team/B" in told.err
    assert base.status() == ""
    base.call("environment", "alias", "mlp/base:v2", "--alias", "team/a:v1", "--alias", "mlp/base:candidate")
    assert base.call("show", "team/a:v1", "--json").json[0]["lock"]
    assert ledger(base)[-1] == "  candidate: v2"
