from __future__ import annotations

import pytest

from envtag.prefix.marker import Marker, environment_path, write
from support.story import HERE, Story, mixed


def several(story: Story) -> None:
    """State: `mixed`, a second tag and a pointer, and `mlp2/other` with `latest` alone."""
    mixed(story)
    files = story.files("mlp/base")
    platforms = ("--platform", HERE, "--platform", "osx-arm64")
    story.resolve("mlp/base:v2", environment=files["environment.yml"], options=platforms)
    story.call("alias", "mlp/base:v1", "mlp/base:stable")
    story.resolve("mlp2/other", environment=files["environment.yml"], options=platforms)
    story.commit("several")


@pytest.fixture
def story(make_story):
    return make_story(several)


def names(told) -> list[str]:
    return [line.split()[0] for line in told.out.splitlines()[1:]]


def test_every_environment_is_a_line(story):
    lines = story.call("list").out.splitlines()
    assert lines[0].split() == ["name", "tags", "pointers", "platforms", "on", "this", "machine"]
    rows = {line.split("  ")[0].strip(): " ".join(line.split()) for line in lines[1:]}
    assert rows["mlp/base"] == f"mlp/base v1 v2 stable=v1 {HERE} osx-arm64 -"
    assert rows["mlp2/other"] == f"mlp2/other - - {HERE} osx-arm64 -"
    assert list(rows) == ["mlp/base", "mlp/mix", "mlp/pure", "mlp2/other"]


def test_a_prefix_is_whole_segments(story):
    assert names(story.call("list", "mlp")) == ["mlp/base", "mlp/mix", "mlp/pure"]
    assert names(story.call("list", "mlp/")) == ["mlp/base", "mlp/mix", "mlp/pure"]
    assert names(story.call("list", "mlp/mix")) == ["mlp/mix"]


def test_nothing_below_a_prefix_is_exit_code_1(story):
    for prefix in ("ml", "mlp/b", "data"):
        told = story.call("list", prefix, check=1)
        assert told.out == ""
        assert f"no environments below `{prefix}` in `{story.path}`" in told.err
    assert story.call("list", "data", "--json", check=1).json == []


def test_json_has_the_same_facts(story):
    told = story.call("list", "mlp/base", "--json").json
    assert told == [
        {
            "name": "mlp/base",
            "tags": ["v1", "v2"],
            "pointers": {"stable": "v1"},
            "platforms": [HERE, "osx-arm64"],
            "present": [],
            "open_branch": None,
        }
    ]
    assert {item["name"] for item in story.call("list", "--json").json} == {
        "mlp/base", "mlp/mix", "mlp/pure", "mlp2/other",
    }  # fmt: skip


def test_what_is_on_this_machine_is_listed_by_its_tags(story):
    shown = story.call("show", "mlp/base:v1", "--json").json[0]
    path = environment_path(story.config, shown["lock"])
    path.mkdir(parents=True)
    marker = Marker(
        lock=shown["lock"], request=shown["request"], platform=HERE, interpreter="conda", python=shown["python"]
    )
    write(path, marker)
    present = {item["name"]: item["present"] for item in story.call("list", "--json").json}
    assert present == {"mlp/base": ["v1", "v2"], "mlp/mix": [], "mlp/pure": [], "mlp2/other": []}


def test_an_empty_registry_is_no_error(make_story):
    story = make_story()
    assert "no environments in" in story.call("list").err
    assert story.call("list", "--json").json == []


def test_a_bare_repository_and_a_url_list_their_default_branch(story):
    for where in (str(story.bare.path), story.bare.url):
        told = story.run("--registry", where, "list", "mlp", cwd=story.place)
        assert names(told) == ["mlp/base", "mlp/mix", "mlp/pure"]


def test_environments_are_listed_by_tag_package_and_user(story):
    assert names(story.call("list", "--tag", "stable")) == ["mlp/base"]
    assert names(story.call("list", "--tag", "v1")) == ["mlp/base", "mlp/mix", "mlp/pure"]
    assert names(story.call("list", "--tag", "latest", "mlp2")) == ["mlp2/other"]
    assert names(story.call("list", "--package", "torchish")) == ["mlp/mix"]
    assert names(story.call("list", "--package", "alpha<2")) == ["mlp/base", "mlp2/other"]
    assert names(story.call("list", "--package", "pypi:alpha")) == ["mlp/pure"]
    assert names(story.call("list", "--user", "a tester", "mlp2")) == ["mlp2/other"]
    told = story.call("list", "--package", "numpy", "--user", "nobody", check=1)
    assert "no environments with the package `numpy` resolved by `nobody` in" in told.err
    assert "`numpy=` does not name a package" in story.call("list", "--package", "numpy=", check=1).err
