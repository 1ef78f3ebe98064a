from __future__ import annotations

import pytest

from support.story import HERE, MINOR, Story

BASE = "channels: [conda-forge]\ndependencies: [python {minor}.*, {alpha}]\n"


def family(story: Story) -> None:
    """State: `mlp/base` with two releases; one environment on the first, one on the second, one on `latest`."""

    def base(tag: str, alpha: str) -> None:
        text = BASE.format(minor=MINOR, alpha=alpha)
        story.resolve(f"mlp/base:{tag}", environment=text, options=("--platform", HERE))
        story.commit(tag)

    def child(name: str, reference: str) -> None:
        options = ("--using", reference, "--platform", HERE)
        story.resolve(name, requirements="click-like\n", options=options)
        story.commit(name)

    base("v1", "alpha 1.0")
    story.tag("mlp/base", "v1")
    child("data/old", "mlp/base:v1")
    child("data/moving", "mlp/base")
    base("v2", "alpha 2.0")
    story.tag("mlp/base", "v2")
    child("data/new", "mlp/base:v2")


@pytest.fixture
def story(make_story):
    return make_story(family)


def test_children_of_an_older_base_are_told(story):
    told = story.call("outdated", "--bases", check=1)
    assert [line.split() for line in told.out.splitlines()[1:]] == [
        ["data/moving", "base", "mlp/base", "moved", "since", "it", "was", "locked"],
        ["data/old", "base", "mlp/base:v1", "mlp/base:v2"],
    ]
    assert "2 of 4 environments outdated" in told.err
    assert story.call("outdated", "--bases", "data/new").out == ""
    document = story.call("outdated", "--bases", "--json", check=1).json
    assert document["data/old"]["base"] == {"base": "mlp/base:v1", "newest": "mlp/base:v2", "behind": 1}
    assert document["data/moving"]["base"]["behind"] == 0
    assert document["data/new"] == {"base": None}


def test_a_base_by_its_digest_or_id_is_known_too(story):
    show = story.call("show", "mlp/base:v1", "--json").json[0]
    for reference in (f"{show['request']}:{show['lock']}", f"mlp/base:v1@{_digest(story)}"):
        options = ("--using", reference, "--platform", HERE)
        story.resolve("data/by-id", requirements="click-like\n", options=options)
        document = story.call("outdated", "data/by-id", "--bases", "--json", check=1).json
        assert document["data/by-id"]["base"]["newest"] == "mlp/base:v2"


def _digest(story: Story) -> str:
    digest: str = story.call("show", "mlp/base:v1", "--json").json[0]["digest"]
    return digest


def test_packages_that_the_spec_lets_be_newer_are_told_and_a_base_bounds_them(story):
    story.resolve("x", requirements="beta<2\n", options=("--platform", HERE, "--python", MINOR))
    (story.path / "envs/x/requirements.txt").write_text("beta\n")
    story.call("update", "x")
    told = story.call("outdated", "x", check=1)
    assert told.out.splitlines()[1].split() == ["x", HERE, "beta", "1.0", "2.0"]
    document = story.call("outdated", "x", "--json", check=1).json
    assert document["x"]["packages"] == {HERE: [{"manager": "pypi", "name": "beta", "from": "1.0", "to": "2.0"}]}
    assert "nothing newer goes with the specs of 1 environment" in story.call("outdated", "data/new").err
    assert "has no environment `none`" in story.call("outdated", "none", check=1).err
