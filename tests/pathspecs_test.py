from __future__ import annotations

import sys

import pytest

from envtag.errors import FatalError
from envtag.names import parse_pathspec
from envtag.pathspecs import recorded
from support.flows import Flows
from support.named import environment, use_index
from support.story import MINOR, Story

FLOW = """
from metaflow import FlowSpec, Parameter, named_env, named_env_base, step

@named_env_base(name="team/roll:@{ROLL}")
class RollFlow(FlowSpec):
    fails = Parameter("fails", default=False)

    @step
    def start(self):
        self.parts = [1, 2]
        self.next(self.part, foreach="parts")

    @step
    def part(self):
        self.next(self.join)

    @named_env(disabled=True)
    @step
    def join(self, inputs):
        if inputs[0].fails:
            raise RuntimeError("as it was asked")
        self.next(self.finish)

    @step(end=True)
    def finish(self):
        pass

if __name__ == "__main__":
    RollFlow()
"""
FIRST = f"channels: [conda-forge]\ndependencies:\n- python {MINOR}.*\n- beta 1.0\n"
SECOND = FIRST.replace("beta 1.0", "beta 2.0")


def rolling(story: Story) -> None:
    """State: `team/roll` with `v1`, which `latest` is too."""
    use_index(story)
    environment(story, FIRST, "team/roll:v1")
    story.commit("team/roll:v1")
    story.tag("team/roll", "v1")


@pytest.fixture
def flows(make_story, tmp_path) -> Flows:
    return Flows(story=make_story(rolling), place=tmp_path / "work")


def lock_of(flows: Flows, named: str, check: int = 0):
    registry = ("--registry", str(flows.story.path))
    told = flows.story.run(*registry, "show", named, "--json", cwd=flows.place, check=check, USERNAME="other")
    return told.json[0]["lock"] if check == 0 else told.err


def test_the_environment_of_a_step_is_what_it_had_whatever_became_of_its_alias(flows):
    flow = flows.write("roll_flow.py", FLOW)
    first = lock_of(flows, "team/roll:v1")
    flows.run(flow, ROLL="latest")
    run = flows.latest("RollFlow")
    environment(flows.story, SECOND, "team/roll")
    flows.story.commit("team/roll moves")
    assert lock_of(flows, "team/roll") != first
    for pathspec in (f"RollFlow/{run}/part", f"RollFlow/{run}", "RollFlow"):
        assert lock_of(flows, f"step:{pathspec}") == first
    assert "recorded no environment" in lock_of(flows, f"step:RollFlow/{run}/join", check=1)
    assert "cannot be found" in lock_of(flows, "step:RollFlow/17/start", check=1)

    flows.run(flow, "--fails", "True", ROLL="v1", check=1)
    failed = flows.latest("RollFlow")
    assert lock_of(flows, f"step:RollFlow/{failed}/start") == first
    assert "has not reached its end step" in lock_of(flows, f"step:RollFlow/{failed}", check=1)
    assert lock_of(flows, "step:RollFlow") == first  # of the run that reached its end

    words = ("environment", "alias", "--pathspec", "RollFlow", "--alias", "team/kept:v1")
    told = flows.story.run("--registry", str(flows.story.path), *words, cwd=flows.place, USERNAME="other")
    assert "team/kept:v1 → " in told.out
    assert lock_of(flows, "team/kept:v1") == first


def test_without_metaflow_it_is_said_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "metaflow.exception", None)
    with pytest.raises(FatalError, match="which is not installed here") as caught:
        recorded(parse_pathspec("F/1/start"))
    assert caught.value.hint == "`pip install 'envtag[metaflow]'`"
