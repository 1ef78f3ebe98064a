from __future__ import annotations

import json

import pytest

from support.flows import Flows
from support.named import environment, use_index
from support.story import HERE, MINOR, Story

FLOW = """
from metaflow import FlowSpec, conda, named_env, step

class CliFlow(FlowSpec):
    @named_env(name="team/base:v1")
    @step
    def start(self):
        self.next(self.train)

    @conda(libraries={"beta": "2.0"})
    @named_env(name="team/base:v1")
    @step
    def train(self):
        self.next(self.end)

    @step
    def end(self):
        pass

if __name__ == "__main__":
    CliFlow()
"""
RUNNER = """
import json, sys
from metaflow import Runner
with Runner("cli_flow.py", environment="conda") as runner:
    shown = runner.environment().show("start")
    resolved = runner.environment().resolve("start", "end", alias=["team/one:v1"])
    try:
        runner.environment().resolve("nowhere")
    except RuntimeError as error:
        refused = str(error)
print(json.dumps([shown, resolved, refused]))
"""


def based(story: Story) -> None:
    """State: `team/base:v1`, published nowhere."""
    use_index(story)
    environment(story, f"channels: [conda-forge]\ndependencies:\n- python {MINOR}.*\n- alpha 1.0\n", "team/base:v1")
    story.commit("team/base:v1")


@pytest.fixture
def flows(make_story, tmp_path) -> Flows:
    return Flows(story=make_story(based), place=tmp_path / "work")


def test_the_environments_of_a_flow_are_shown_resolved_and_named(flows):
    flow = flows.write("cli_flow.py", FLOW)
    shown = flows.call(flow, "environment", "show", "--json").json["steps"]
    base = flows.story.call("show", "team/base:v1", "--json").json[0]
    assert shown["start"]["id"] == f"{base['request']}:{base['lock']}"
    assert shown["start"]["platform"] == HERE
    assert shown["train"]["id"] != shown["start"]["id"]
    assert shown["end"] is None
    told = flows.call(flow, "environment", "show").out
    assert "end: the Python that runs the flow" in told
    assert not base["present_at"]  # nothing was made

    words = ("environment", "resolve", "--alias", "team/myflow:v2")
    told = flows.call(flow, *words, "--dry-run").out
    assert "would name team/myflow/start:v2" in told
    assert flows.story.status() == ""
    told = flows.call(flow, *words).out
    assert "the steps run in 2 environments, so that each has the step in its name" in told
    named = flows.story.call("show", "team/myflow/start:v2", "team/myflow/train:v2", "--json").json
    assert [f"{shown[step]['id'].partition(':')[2]}" for step in ("start", "train")] == [item["lock"] for item in named]
    flows.call(flow, *words)  # the same again

    told = flows.call(flow, "environment", "resolve", "train", "--alias", "team/myflow/start:v2", check=1)
    assert "Alias already exists: `team/myflow/start:v2`" in told.out + told.err
    assert "Traceback" not in told.out + told.err
    told = flows.call(flow, "environment", "show", options=(), check=1)
    assert "requires --environment=conda" in told.out + told.err


def test_the_runner_has_the_same_commands(flows):
    flows.write("cli_flow.py", FLOW)
    program = flows.write("run.py", RUNNER)
    told = flows.call(program, options=())
    shown, resolved, refused = json.loads(told.out.splitlines()[-1])
    full_id = shown["start"]["id"]
    assert resolved["aliases"] == {full_id: ["team/one:v1"]}
    assert resolved["steps"]["end"] is None
    assert "`nowhere` is not a step of CliFlow: it has start, train, end" in refused
    assert flows.story.call("show", "team/one:v1", "--json").json[0]["lock"] == full_id.partition(":")[2]
