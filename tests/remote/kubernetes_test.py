from __future__ import annotations

from support.kubernetes import fake_kubernetes
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


def test_a_step_in_a_pod_and_one_here_run_each_in_its_environment(remote: Cloud, tmp_path):
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
