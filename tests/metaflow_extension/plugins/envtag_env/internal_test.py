from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import metaflow  # noqa: F401 - first: it imports its extensions
import pytest

from metaflow_extensions.envtag.plugins.envtag_env import identity, remote
from metaflow_extensions.envtag.plugins.envtag_env.internal import EnvtagInternal
from metaflow_extensions.envtag.plugins.envtag_env.pathspecs import recorded_at
from support.channel import Channels
from support.flows import Flows, named
from support.story import HERE, Story

TRIP = """
import os, sys
from metaflow import FlowSpec, Runner, conda, current, named_env, named_env_base, retry, step

@named_env_base(name="mlp/base:v1")
class TripFlow(FlowSpec):
    @named_env(name="mlp/other:v1")
    @step
    def start(self):
        self.python = list(sys.version_info[:2])
        self.next(self.mid)

    @retry(times=1, minutes_between_retries=0)
    @conda(libraries={"pandas": "1.5.0"})
    @step
    def mid(self):
        import pandas
        if current.retry_count == 0 and not os.environ.get("SPUN"):
            raise ValueError("the first attempt fails")
        print("MID", pandas.__version__, self.python)
        self.next(self.nested)

    @step
    def nested(self):
        assert "envtag" not in sys.modules
        with Runner("inner.py", environment="conda", show_output=False).run() as running:
            assert running.status == "successful", running.stderr
        self.next(self.end)

    @step
    def end(self):
        if os.environ.get("FAIL"):
            raise ValueError("the end fails")

if __name__ == "__main__":
    TripFlow()
"""
INNER = """
from metaflow import FlowSpec, named_env, step

class InnerFlow(FlowSpec):
    @named_env(name="mlp/bare:v1")
    @step
    def start(self):
        import numpy
        assert numpy.__version__ == "1.24.0"
        self.next(self.end)

    @step
    def end(self):
        import os
        assert os.environ["_METAFLOW_ENVTAG"] == ""

if __name__ == "__main__":
    InnerFlow()
"""


class Arguments:
    """The part of Metaflow's arguments of a task's process that is changed."""

    def __init__(self) -> None:
        self.env: dict[str, str] = {}
        self.entrypoint = ["/launcher/python", "flow.py"]


class Environment:
    """An environment whose one step runs in what a test says."""

    host = "/launcher/python"
    pod: ClassVar[dict[str, str]] = {}

    def __init__(self, prepared: identity.Prepared | None) -> None:
        self.found = prepared

    def prepared(self, _: str) -> identity.Prepared | None:
        return self.found


def started(prepared: identity.Prepared | None) -> Arguments:
    deco, arguments = EnvtagInternal(), Arguments()
    step: Any = Environment(prepared)
    deco.step_init(None, None, "train", [], step, None, None)
    deco.runtime_step_cli(arguments, 0, 0, None)
    return arguments


def test_a_step_outside_is_told_so():
    arguments = started(None)
    assert arguments.env == {identity.VARIABLE: "", identity.HOST: "/launcher/python", remote.POD: ""}
    assert arguments.entrypoint == ["/launcher/python", "flow.py"]


def test_the_trampoline_of_a_remote_step_runs_in_the_launchers_python():
    found = identity.Identity(id="a:b", platform="linux-64")
    arguments = started(identity.Prepared(identity=found, remote=True))
    assert arguments.entrypoint == ["/launcher/python", "flow.py"]
    assert identity.decode(arguments.env[identity.VARIABLE]) == found


def test_a_local_step_without_metaflows_code_is_a_bug():
    with pytest.raises(RuntimeError, match="step train"):
        started(identity.Prepared(identity=identity.Identity(id="a:b"), prefix="/p", argv=("/p/bin/python",)))


def test_another_python_retries_a_run_inside_a_step_resume_and_spin(
    make_story: Callable[..., Story],
    all_channels: Channels,
    running_python: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    other = next((minor for minor in sorted(all_channels.pythons, reverse=True) if minor != running_python), None)
    if other is None:
        pytest.skip("the test channel has one Python only")

    def state(story: Story) -> None:
        named(story)
        text = f"channels: [conda-forge]\ndependencies: [python {other}.*, requests]\n"
        story.resolve("mlp/other:v1", environment=text, options=("--platform", HERE))
        story.commit("mlp/other:v1")

    flows = Flows(story=make_story(state), place=tmp_path / "flows")
    flow = flows.write("trip.py", TRIP)
    flows.write("inner.py", INNER)
    flows.run(flow, FAIL="1", check=1)
    monkeypatch.setenv("USERNAME", "another")
    first, metadata = flows.latest("TripFlow"), f"local@{flows.place}"
    mid = recorded_at(f"TripFlow/{first}/mid", metadata)
    (start,) = flows.tasks("TripFlow", "start")
    assert start["python_version"].startswith(f"{other}.")
    assert mid["attempt"] == "1"
    assert mid["envtag_request"] == json.dumps({"conda": {"pandas": "1.5.0"}, "name": "mlp/base:v1"}, sort_keys=True)
    assert flows.tasks("InnerFlow", "start")[0]["envtag_alias"] == "mlp/bare:v1"

    told = flows.call(flow, "resume")
    second = told.out.split("run-id ")[1].split(")")[0]
    assert second != first
    taken_over = flows.tasks("TripFlow", "mid", second)[0]
    assert "envtag_id" not in taken_over  # what it ran in is with its origin
    assert recorded_at(f"TripFlow/{second}/mid", metadata)["envtag_id"] == mid["envtag_id"]
    assert recorded_at("TripFlow", metadata)["envtag_alias"] == "mlp/base:v1"

    told = flows.call(flow, "spin", "mid", SPUN="1")
    assert f"MID 1.5.0 [3, {other.split('.')[1]}]" in told.out
