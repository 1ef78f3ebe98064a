from __future__ import annotations

import pytest

from support.argo import Workflow, why_no_argo
from support.remote import Cloud, compiled
from support.story import HERE

FLOW = """
from metaflow import FlowSpec, named_env, named_env_base, step

@named_env_base(name="mlp/base:v1")
class PodFlow(FlowSpec):
    @named_env(name="mlp/base:stable", fetch_at_exec=True)
    @step
    def start(self):
        import numpy
        self.first = numpy.__version__
        self.items = ["a", "b"]
        self.next(self.each, foreach="items")

    @named_env(name="mlp/base:@{TAG}")
    @step
    def each(self):
        import numpy
        self.version = self.input + numpy.__version__
        self.next(self.join)

    @step
    def join(self, inputs):
        import numpy
        self.versions = [item.version for item in inputs] + [numpy.__version__]
        self.next(self.end)

    @named_env(disabled=True)
    @step
    def end(self):
        import boto3, os, shutil, sys
        boto3.client("athena", region_name="eu-west-1")  # as in an image into which Metaflow put all of boto
        print("TOLD", *self.versions, sys.prefix, shutil.which("git"), repr(os.environ.get("_METAFLOW_ENVTAG", "")))

if __name__ == "__main__":
    PodFlow()
"""


def test_a_deployed_flow_runs_in_what_was_pinned_and_in_what_a_pointer_means_now(remote: Cloud):
    reason = why_no_argo()
    if reason is not None:
        pytest.skip(reason)
    flow, ids = remote.flows.write("pod.py", FLOW), remote.ids()
    told = remote.deploy(flow, "argo-workflows", "create", "--only-json", TAG="v2")
    first = Workflow(template=compiled(told), node=remote.node, name="first")
    story = remote.flows.story
    story.path.rename(story.path.with_name("registry-that-is-away"))  # nobody may ask it now
    try:
        first.run()
    finally:
        story.path.with_name("registry-that-is-away").rename(story.path)
    assert list(first.ran) == ["start", "each.0", "each.1", "join", "end"]
    line = next(text for text in first.ran["end"].text().splitlines() if "TOLD" in text)
    assert line.split("TOLD ")[1].split() == [
        "a1.24.0", "b1.24.0", "1.21.5", str(remote.node.image.python.parent), "None", "''"
    ]  # fmt: skip
    recorded = {task: first.recorded("PodFlow", task) for task in first.ran}
    assert {task: item.get("envtag_id") for task, item in recorded.items()} == {
        "start": ids["v1"], "each.0": ids["v2"], "each.1": ids["v2"], "join": ids["v1"], "end": None
    }  # fmt: skip
    assert recorded["start"]["envtag_alias"] == "mlp/base:stable"
    assert recorded["each.1"]["envtag_alias"] == "mlp/base:v2"
    assert {item.get("envtag_platform", HERE) for item in recorded.values()} == {HERE}
    assert recorded["join"]["envtag_request"] == '{"name": "mlp/base:v1"}'

    story.call("alias", "mlp/base:v2", "mlp/base:stable")
    story.commit("stable is v2")
    story.run("publish", **remote.settings)
    second = Workflow(template=compiled(told), node=remote.node, name="second")
    second.run(until="start")
    again = second.recorded("PodFlow", "start")
    assert again["envtag_id"] == ids["v2"]
    assert again["envtag_commit"] == story.repo.git("rev-parse", "HEAD")
