from __future__ import annotations

import pytest

from support.story import HERE, MINOR, Story, mixed


def crossed(story: Story) -> None:
    """State: `mixed`, and `mlp/zeta` whose PyPI packages need what conda brings."""
    mixed(story)
    pip = "- pip:\n  - zeta  # needs torchish\n"
    text = f"channels: [conda-forge]\ndependencies:\n- python {MINOR}.*\n- numpyish\n- beta\n{pip}"
    story.resolve("mlp/zeta", environment=text, options=("--platform", HERE))
    story.commit("mlp/zeta")


@pytest.fixture
def story(make_story):
    return make_story(crossed)


def test_every_chain_is_shown_with_the_words_of_each_requirement(story):
    told = story.call("why", "mlp/base", "beta").out
    assert told == f"beta 2.0 (conda) on {HERE}:\n  alpha 1.0 [alpha ==1.0] → beta 2.0 [beta]\n"
    told = story.call("why", "mlp/pure", "Beta").out
    assert told == f"beta 2.0 (pypi) on {HERE}:\n  alpha 2.0 [alpha] → beta 2.0 [beta>=2]\n"


def test_chains_go_from_pypi_to_conda_and_on(story):
    told = story.call("why", "mlp/zeta", "numpyish").out.splitlines()
    assert told[0] == f"numpyish 2.0 (conda) on {HERE}:"
    assert "  numpyish 2.0 [numpyish]" in told
    assert "  zeta 2.0 [zeta] → numpyish 2.0 [numpyish>=2]" in told


def test_json_holds_every_chain(story):
    document = story.call("why", "mlp/zeta", "pypi:torchish", "--json").json
    assert (document["alias"], document["platform"], document["names_only"]) == ("mlp/zeta:latest", HERE, 0)
    [package] = document["packages"]
    assert package["chains"] == [
        [
            {"manager": "pypi", "name": "zeta", "version": "2.0", "requirement": "zeta"},
            {"manager": "pypi", "name": "torchish", "version": "2.0", "requirement": "torchish"},
        ]
    ]


def test_without_a_network_names_are_told(story):
    for path in story.config.directories.dists.rglob("*.requires.json"):
        path.unlink()
    told = story.call("why", "mlp/pure", "beta", "--offline")
    assert "→ beta 2.0 [beta]" in told.out
    assert "of 2 PyPI packages the requirements are known by name only" in told.err


def test_another_platform_can_be_asked_about(story):
    assert "on osx-arm64" in story.call("why", "mlp/base:v1", "beta", "--platform", "osx-arm64").out
    assert "is not locked for `win-64`" in story.call("why", "mlp/base", "beta", "--platform", "win-64", check=1).err


def test_a_package_that_is_not_there_is_told(story):
    told = story.call("why", "mlp/base", "betta", check=1)
    assert "`mlp/base:latest` has no `betta`" in told.err
    assert "did you mean `beta`?" in told.err
    assert "has no `pypi:beta`" in story.call("why", "mlp/base", "pypi:beta", check=1).err


def test_what_a_base_brings_is_told_as_its(make_story):
    story = make_story(crossed)
    story.resolve("data/child", requirements="click-like\n", options=("--using", "mlp/base", "--platform", HERE))
    told = story.call("why", "data/child", "beta").out
    assert "alpha 1.0 [of base mlp/base] → beta 2.0 [beta]" in told
