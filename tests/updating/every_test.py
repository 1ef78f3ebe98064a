from __future__ import annotations

import pytest

from support.story import HERE, MINOR, Story


def several(story: Story) -> None:
    """State: two environments with something newer, one without, and one that has no solution."""
    for name in ("one", "two"):
        story.resolve(name, requirements="beta<2\nalpha<2\n", options=("--platform", HERE, "--python", MINOR))
        (story.path / f"envs/{name}/requirements.txt").write_text("beta\nalpha\n")
        story.call("update", name)
    for name in ("fresh", "broken"):
        story.resolve(name, requirements="torchish\n", options=("--platform", HERE, "--python", MINOR))
    (story.path / "envs/broken/requirements.txt").write_text("torchish\nnumpyish>9\n")
    story.commit("several")


@pytest.fixture
def story(make_story):
    return make_story(several)


def branches(story: Story) -> list[str]:
    return story.repo.git("for-each-ref", "--format=%(refname:short)", "refs/heads/envtag/").split()


def test_each_environment_gets_a_branch_and_one_that_fails_stops_no_other(story, tmp_path):
    bodies = tmp_path / "bodies"
    told = story.call("update", "--every", "--json", "--pr-body", str(bodies), check=1)
    states = {name: item["state"] for name, item in told.json.items()}
    assert states == {"broken": "failed", "fresh": "fresh", "one": "proposed", "two": "proposed"}
    assert "numpyish" in told.json["broken"]["error"] + str(told.json["broken"]["detail"])
    assert told.json["one"]["branch"] == "envtag/update/one"
    assert branches(story) == ["envtag/update/one", "envtag/update/two"]
    assert story.status() == ""
    assert story.repo.git("diff", "--name-only", "main", "envtag/update/one") == f"envs/one/{HERE}-lock.yml"
    assert "alpha 1.0 → 2.0" in story.repo.git("log", "-1", "--format=%B", "envtag/update/one")
    assert sorted(path.relative_to(bodies).as_posix() for path in bodies.rglob("*.md")) == [
        "envtag/update/one.md", "envtag/update/two.md",
    ]  # fmt: skip
    before = story.repo.git("rev-parse", "envtag/update/one")
    told = story.call("update", "--every", check=1)
    assert "one: envtag/update/one has it already" in told.out
    assert "broken: failed: no set of PyPI packages" in told.out
    assert story.repo.git("rev-parse", "envtag/update/one") == before


def test_a_dry_run_makes_no_branch_and_a_bound_in_time_holds(story):
    told = story.call("update", "--every", "--dry-run", check=1)
    assert "one on " in told.out
    assert branches(story) == []
    told = story.call("update", "--every", "--exclude-newer", "2024-06-01", check=1)
    assert "one: nothing is newer" in told.out
    assert branches(story) == []


def test_every_takes_no_names(story):
    assert "`--every` takes no NAME" in story.call("update", "one", "--every", check=2).err
    assert "Missing argument" in story.call("update", check=2).err
