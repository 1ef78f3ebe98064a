from __future__ import annotations

import pytest

from support.story import HERE, mixed


@pytest.fixture
def story(make_story):
    return make_story(mixed)


def test_a_tree_begins_with_what_is_asked_for(story):
    assert story.call("tree", "mlp/pure").out == "alpha 2.0 [alpha]\n└── beta 2.0 [beta>=2]\n"
    lines = story.call("tree", "mlp/base").out.splitlines()
    assert "alpha 1.0 [alpha ==1.0]" in lines
    assert any(line.startswith("├── beta 2.0 [beta]") for line in lines)


def test_what_was_shown_before_is_marked(make_story):
    story = make_story()
    spec = "channels: [conda-forge]\ndependencies: [alpha, beta]\n"
    story.resolve("x", environment=spec, options=("--platform", HERE))
    assert "beta 2.0 [beta] (*)" in story.call("tree", "x").out.splitlines()


def test_a_depth_bounds_it(story):
    assert story.call("tree", "mlp/pure", "--depth", "0").out == "alpha 2.0 [alpha]\n"


def test_it_can_be_turned_around(story):
    assert story.call("tree", "mlp/pure", "--invert", "beta").out == "beta 2.0\n└── alpha 2.0 [beta>=2]\n"
    assert "has no `gamma`" in story.call("tree", "mlp/pure", "--invert", "gamma", check=1).err


def test_json_holds_the_whole_graph(story):
    document = story.call("tree", "mlp/pure", "--json").json
    assert (document["alias"], document["platform"]) == ("mlp/pure:latest", HERE)
    assert document["roots"] == [{"manager": "pypi", "name": "alpha", "requirement": "alpha"}]
    assert [(package["name"], package["edges"]) for package in document["packages"]] == [
        ("alpha", [{"manager": "pypi", "name": "beta", "requirement": "beta>=2"}]),
        ("beta", []),
    ]
    document = story.call("tree", "mlp/pure", "--json", "--invert", "beta").json
    assert document["packages"][1]["edges"] == [{"manager": "pypi", "name": "alpha", "requirement": "beta>=2"}]
