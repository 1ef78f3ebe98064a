from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from support.flows import Flows
from support.story import HERE, MINOR, Story

FIRST = """
from metaflow import FlowSpec, step, named_env, named_env_base

@named_env_base(name="mlp/base:v1")
class FirstFlow(FlowSpec):
    @step
    def start(self):
        import numpy, os, sys
        self.version = numpy.__version__
        self.prefix = sys.prefix
        self.first = os.environ["PATH"].split(os.pathsep)[0]
        self.next(self.end)

    @named_env(disabled=True)
    @step
    def end(self):
        import os, sys
        print("TOLD", self.version, self.prefix, self.first, sys.prefix, repr(os.environ["_METAFLOW_ENVTAG"]))

if __name__ == "__main__":
    FirstFlow()
"""


def named(story: Story) -> None:
    """State: `mlp/base:v1` with numpy and what Metaflow needs, from conda."""
    text = f"channels: [conda-forge]\ndependencies: [python {MINOR}.*, requests, numpy 1.21.5]\n"
    story.resolve("mlp/base:v1", environment=text, options=("--platform", HERE))
    story.commit("mlp/base:v1")


def test_a_step_runs_in_what_it_names_and_records_it(make_story: Callable[..., Story], tmp_path: Path):
    story = make_story(named)
    flows = Flows(story=story, place=tmp_path / "flows")
    told = flows.run(flows.write("first.py", FIRST))
    with story.registry() as registry:
        lock = registry.environment("mlp/base").lock(HERE)
    prefix = story.config.directories.environments / lock.id
    words = next(line for line in told.out.splitlines() if "TOLD" in line).split("TOLD ")[1].split()
    assert words[:3] == ["1.21.5", str(prefix), str(prefix / "bin")]
    assert words[3] != str(prefix)
    assert words[4] == "''"
    (start,) = flows.tasks("FirstFlow", "start")
    assert start["envtag_id"] == f"{lock.request}:{lock.id}"
    assert start["envtag_alias"] == "mlp/base:v1"
    assert start["envtag_platform"] == HERE
    assert start["envtag_request"] == '{"name": "mlp/base:v1"}'
    (end,) = flows.tasks("FirstFlow", "end")
    assert not [field for field in end if field.startswith("envtag")]
