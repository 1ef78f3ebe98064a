from __future__ import annotations

from pathlib import Path

import pytest

from support.airflow import Dag, why_no_airflow
from support.remote import Cloud

FLOW = """
from metaflow import FlowSpec, named_env, step

class SkyFlow(FlowSpec):
    @named_env(name="mlp/base:v1")
    @step
    def start(self):
        import numpy
        self.first = numpy.__version__
        self.next(self.end)

    @named_env(name="mlp/base:stable", fetch_at_exec=True)
    @step
    def end(self):
        import numpy
        print("TOLD", self.first, numpy.__version__)

if __name__ == "__main__":
    SkyFlow()
"""


def test_a_dag_runs_in_what_was_pinned_and_in_what_a_pointer_means_now(remote: Cloud, tmp_path: Path):
    reason = why_no_airflow()
    if reason is not None:
        pytest.skip(reason)
    flow, ids = remote.flows.write("sky.py", FLOW), remote.ids()
    remote.deploy(flow, "airflow", "create", str(tmp_path / "dag.py"))
    story = remote.flows.story
    story.call("alias", "mlp/base:v2", "mlp/base:stable")
    story.commit("stable is v2")
    story.run("publish", check=0, cwd=None, **remote.settings)
    dag = Dag.read(tmp_path / "dag.py", remote.node, "scheduled")
    dag.run()
    line = next(text for text in dag.ran["end"].text().splitlines() if "TOLD" in text)
    assert line.split("TOLD ")[1].split() == ["1.21.5", "1.24.0"]
    assert [dag.recorded("SkyFlow", task)["envtag_id"] for task in ("start", "end")] == [ids["v1"], ids["v2"]]
