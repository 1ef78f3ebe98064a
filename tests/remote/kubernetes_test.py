from __future__ import annotations

from support.kubernetes import fake_kubernetes
from support.metadata import metadata_service
from support.remote import Cloud

FLOW = """
from metaflow import FlowSpec, kubernetes, named_env, named_env_base, step

@named_env_base(name="mlp/base:v1")
class ClusterFlow(FlowSpec):
    @kubernetes
    @step
    def start(self):
        import numpy, sys
        self.versions = [numpy.__version__]
        self.prefix = sys.prefix
        self.next(self.end)

    @named_env(name="mlp/base:@{TAG}")
    @step
    def end(self):
        import numpy
        print("TOLD", *self.versions, numpy.__version__, self.prefix)

if __name__ == "__main__":
    ClusterFlow()
"""

LATE_FLOW = """
from metaflow import FlowSpec, environment, kubernetes, named_env, step
import os

class LateFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.look)

    @named_env(pathspec="ClusterFlow/@{OF}/start", fetch_at_exec=True)
    @environment(vars={name: os.environ.get(name, "") for name in os.environ.get("TOLD", "").split()})
    @kubernetes
    @step
    def look(self):
        import numpy
        self.version = numpy.__version__
        self.next(self.end)

    @step
    def end(self):
        print("TOLD", self.version)

if __name__ == "__main__":
    LateFlow()
"""


def test_a_step_in_a_pod_runs_in_its_environment_or_in_that_of_an_earlier_step(remote: Cloud, tmp_path):
    flow, ids = remote.flows.write("cluster.py", FLOW), remote.ids()
    variables = fake_kubernetes(tmp_path / "kubernetes", remote.node)
    told = remote.deploy(flow, "run", TAG="v2", **variables)
    line = next(text for text in told.out.splitlines() if "TOLD" in text)
    words = line.split("TOLD ")[1].split()
    assert words[:2] == ["1.21.5", "1.24.0"]
    assert words[2].startswith(remote.settings["METAFLOW_CONDA_NAMED_ENV_NODE_CACHE"])
    (start,) = remote.flows.tasks("ClusterFlow", "start")
    (end,) = remote.flows.tasks("ClusterFlow", "end")
    assert (start["envtag_id"], end["envtag_id"]) == (ids["v1"], ids["v2"])
    assert start["envtag_alias"] == "mlp/base:v1"

    late = remote.flows.write("late.py", LATE_FLOW)
    with metadata_service(remote.flows.place / ".metaflow") as url:
        pod = {"METAFLOW_DEFAULT_METADATA": "service", "METAFLOW_SERVICE_URL": url}
        pod["OF"] = remote.flows.latest("ClusterFlow")
        options = ("--environment=conda", "--datastore=s3", "--metadata=local")
        given = {**remote.settings, **variables, **pod, "TOLD": " ".join(pod)}
        told = remote.flows.call(late, "run", options=options, **given)
    assert "TOLD 1.21.5" in told.out
    (look,) = remote.flows.tasks("LateFlow", "look")
    assert look["envtag_id"] == ids["v1"]
