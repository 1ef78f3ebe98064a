from __future__ import annotations

from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.names import parse_alias
from envtag.output import Output
from envtag.pods import command, runtime
from envtag.pods.bucket import open_reader
from envtag.pods.cloud import AzureReader, GcsReader, open_cloud
from envtag.replicas import read_replica
from envtag.store import open_store
from support.azure import ACCOUNT
from support.pods import Image, Node, prepare_engines
from support.story import HERE, mixed

ALIAS = "mlp/mix:v1"


@pytest.fixture(params=["gs", "az"])
def cloud(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    """A running server of Google's or Azure's kind, and the URL of a store there."""
    monkeypatch.setattr("envtag.pods.reading.pause", lambda _: None)
    if request.param == "gs":
        server = request.getfixturevalue("gcs")
        return server, f"gs://{server.bucket()}/envtag"
    server = request.getfixturevalue("azure")
    return server, f"az://{ACCOUNT}/{server.container()}/envtag"


def test_each_has_its_reader():
    assert isinstance(open_reader("gs://bucket/x"), GcsReader)
    assert isinstance(open_reader("az://account/container/x"), AzureReader)
    with pytest.raises(FatalError, match="is not an absolute URL"):
        open_cloud("gs://")


def test_a_pod_has_its_environment_from_the_bucket(cloud, make_story, tmp_path: Path, monkeypatch):
    server, url = cloud
    monkeypatch.setenv("ENVTAG_STORE", url)
    story = make_story(mixed)
    story.call("publish", "mlp/mix")
    prepare_engines(story.config)
    replica = read_replica(open_store(url), parse_alias(ALIAS))
    assert replica is not None
    made = runtime.publish([HERE], open_store(url), config=story.config, output=Output())[HERE]
    node = Node(image=Image.make(tmp_path / "image"), place=tmp_path / "node", environ=server.variables())
    pinned = f"{replica.request}:{replica.locks[HERE]}@{replica.manifests[HERE]}"
    parts = [
        command.prelude(url, made.bundle, "echo what Metaflow needs"),
        f"{command.hydration(url, {HERE: made.digest})} --name {ALIAS} --environment {HERE}={pinned}",
        ".envtag/python -c 'import numpyish, torchish; print(torchish.__file__)'",
    ]
    done = node.shell("pod", " && ".join(parts))
    assert done.text().splitlines()[0] == "what Metaflow needs"
    assert done.text().splitlines()[-1].startswith(str(node.container("pod") / ".envtag" / "home" / "envs"))
