from __future__ import annotations

import pytest

from support.story import HERE, Story, released

OTHER = "osx-arm64"


def one(story: Story) -> None:
    """State: `released`, its tag there, and `latest` moved on."""
    released(story)
    story.tag("mlp/base", "v1")
    path = story.path / "envs/mlp/base/environment.yml"
    path.write_text(path.read_text().replace("alpha 1.0", "alpha 2.0"))
    story.call("lock", "mlp/base")
    story.commit("latest")


def test_a_release_is_locked_for_more_platforms_under_a_new_tag(make_story):
    story = make_story(one)
    before = story.repo.git("show", f"HEAD~1:envs/mlp/base/{HERE}-lock.yml")
    told = story.call(
        "resolve", "--from", "mlp/base:v1", "--platform", "win-64", "--alias", "mlp/base:v1-win", "--json"
    )
    assert set(told.json["platforms"]) == {HERE, OTHER, "win-64"}
    files = story.files("mlp/base")
    assert files[f"{HERE}-lock.yml"].rstrip() == before
    assert "alpha 1.0  # not 2" in files["environment.yml"]
    assert f"platforms: [{HERE}, {OTHER}, win-64]" in files["envtag.yml"]
    ledger = files["tags.yml"].splitlines()
    assert [line.split(",")[0] for line in ledger if "tag:" in line] == ["- {tag: v1", "- {tag: v1-win"]


def test_without_an_alias_it_is_the_environment_itself_as_long_as_that_is_the_same(make_story):
    story = make_story(released)
    before = story.files("mlp/base")
    story.call("resolve", "--from", "mlp/base:v1", "--platform", "win-64")
    after = story.files("mlp/base")
    assert {name for name in after if after[name] != before.get(name)} == {"envtag.yml", "win-64-lock.yml"}
    assert story.call("lock", "--check").code == 0
    story.call("resolve", "--from", "mlp/base", "--platform", "linux-aarch64", "--alias", "mlp/other")
    assert "linux-aarch64-lock.yml" in story.files("mlp/other")


def test_what_moved_on_since_needs_a_name(make_story):
    story = make_story(one)
    told = story.call("resolve", "--from", "mlp/base:v1", "--platform", "win-64", check=1)
    assert "`mlp/base` has moved on since `mlp/base:v1`" in told.err
    assert story.status() == ""


def test_locks_that_are_not_of_the_spec_are_not_widened(make_story):
    story = make_story(released)
    path = story.path / "envs/mlp/base/environment.yml"
    path.write_text(path.read_text().replace("alpha 1.0", "alpha 2.0"))
    told = story.call("resolve", "--from", "mlp/base", "--platform", "win-64", check=1)
    assert "the locks of `mlp/base` are not of its spec today" in told.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--from", "mlp/base"], "`--from` is for more platforms: add `--platform`"),
        (["--from", "mlp/base", "--platform", "win-64", "--python", "3.12"], "`--from` takes the request as it is"),
        (["--from", "mlp/base", "--platform", "win-64", "--using", "x"], "`--from` takes the request as it is"),
    ],
)
def test_from_takes_a_request_as_it_is(make_story, arguments, words):
    assert words in make_story(released).call("resolve", *arguments, check=2).err
