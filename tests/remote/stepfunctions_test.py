from __future__ import annotations

import json

from support.remote import Cloud, compiled
from support.s3 import S3Server
from support.stepfunctions import Execution, batch_settings

#: What AWS Batch takes for all that a job overrides.
LIMIT = 8192
#: What is left for settings and decorators of other people, who have more of them.
ROOM = 700
FLOW = """
from metaflow import FlowSpec, named_env, step

class StateFlow(FlowSpec):
    @named_env(name="mlp/base:v1")
    @step
    def start(self):
        import numpy
        self.first = numpy.__version__
        self.next(self.end)

    @named_env(name="mlp/base:v2")
    @step
    def end(self):
        import numpy
        print("TOLD", self.first, numpy.__version__)

if __name__ == "__main__":
    StateFlow()
"""


def test_a_state_machine_runs_in_what_was_pinned(remote: Cloud, s3: S3Server):
    flow, ids = remote.flows.write("state.py", FLOW), remote.ids()
    machine = compiled(remote.deploy(flow, "step-functions", "create", "--only-json", **batch_settings(s3)))
    for state in machine["States"].values():
        given = state["Parameters"]["ContainerOverrides"]
        assert len(json.dumps(given, separators=(",", ":"))) < LIMIT - ROOM
        assert "pip install" not in given["Command"][-1]
    execution = Execution(machine=machine, node=remote.node, name="nightly")
    execution.run()
    line = next(text for text in execution.ran["end"].text().splitlines() if "TOLD" in text)
    assert line.split("TOLD ")[1].split() == ["1.21.5", "1.24.0"]
    assert [execution.recorded("StateFlow", state)["envtag_id"] for state in ("start", "end")] == [ids["v1"], ids["v2"]]
