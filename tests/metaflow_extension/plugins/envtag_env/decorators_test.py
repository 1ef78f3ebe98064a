from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from support.flows import Flows
from support.story import Story

BARE = """
from metaflow import FlowSpec, step, {names}

{flow}
class BareFlow(FlowSpec):
    {step}
    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self):
        pass

if __name__ == "__main__":
    BareFlow()
"""


@pytest.fixture
def flows(story: Story, tmp_path: Path) -> Flows:
    return Flows(story=story, place=tmp_path / "flows")


@pytest.fixture
def refused(flows: Flows) -> Callable[..., str]:
    """What is told of a flow that does not start, on one line of Metaflow's own."""

    def refuse(flow: str = "", step: str = "", *, environment: str = "--environment=conda") -> str:
        names = {text[1:].partition("(")[0] for text in (*flow.split("\n"), step) if text.startswith("@")}
        path = flows.write("bare.py", BARE.format(names=", ".join(sorted(names)), flow=flow, step=step))
        told = flows.call(path, "run", options=[environment] if environment else [], check=1)
        assert "Traceback" not in told.err + told.out
        return told.err

    return refuse


def test_a_named_environment_needs_the_environment_conda(refused: Callable[..., str]):
    told = refused(step='@named_env(name="team/x")', environment="")
    assert "@named_env on step `start` requires --environment=conda" in told
    assert "@named_env_base requires --environment=conda" in refused('@named_env_base(name="team/x")', environment="")


def test_a_named_flow_defines_nothing(refused: Callable[..., str]):
    told = refused('@conda_base(libraries={"pandas": "1.5.0"})\n@named_env_base(name="team/env")')
    assert "Conflicting decorators: @named_env_base cannot be combined with @conda_base at the flow level" in told


def test_a_name_and_a_pathspec_exclude_each_other(refused: Callable[..., str]):
    told = refused(step='@named_env(name="team/env", pathspec="F/1/s")')
    assert "step `start`: `name` and `pathspec` of a named environment exclude each other" in told
