from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from envtag.errors import DamagedError, FatalError, UnreachableError
from envtag.names import parse_alias
from envtag.output import Output
from envtag.pods import command, runtime
from envtag.pods.bucket import open_reader
from envtag.pods.cloud import AzureReader, GcsReader, open_cloud
from envtag.replicas import read_replica
from envtag.store import open_store
from support.azure import ACCOUNT
from support.faults import Fault
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


def test_objects_are_read_and_downloaded_as_they_were_written(cloud, tmp_path: Path):
    _, url = cloud
    data = b"0123456789" * 300_000
    sha256 = hashlib.sha256(data).hexdigest()
    open_store(url).create("objects/a b+c.bin", data, sha256)
    reader = open_reader(url)
    assert reader.read("objects/a b+c.bin") == data
    assert reader.read("objects/none") is None
    assert reader.download("objects/a b+c.bin", tmp_path / "x", sha256)
    assert (tmp_path / "x").read_bytes() == data
    assert not reader.download("objects/none", tmp_path / "y", sha256)
    with pytest.raises(DamagedError, match="has other bytes than promised"):
        reader.download("objects/a b+c.bin", tmp_path / "y", "0" * 64)


def test_a_broken_answer_is_taken_up_where_it_broke(cloud):
    server, url = cloud
    data = b"0123456789" * 300_000
    open_store(url).create("x.bin", data, hashlib.sha256(data).hexdigest())
    server.faults += [
        Fault(method="GET", contains="x.bin", times=1, status=503, code="x"),
        Fault(method="GET", contains="x.bin", cut=True),
    ]
    assert open_reader(url).read("x.bin") == data


def test_one_that_was_replaced_meanwhile_is_told(cloud):
    _, url = cloud
    assert open_store(url).swap("x.bin", b"0" * 3_000_000, None)
    reader = open_reader(url)
    with pytest.raises(FatalError, match="was replaced while it was being read"):
        list(reader._blocks("x.bin", 5, "another"))  # type: ignore[attr-defined]


def test_who_may_not_read_is_told_and_who_is_not_answered_too(cloud):
    server, url = cloud
    server.faults.append(Fault(method="GET", contains="x.bin", times=1, status=403, code="AuthorizationFailure"))
    with pytest.raises(FatalError, match=r"cannot read `x\.bin` in .*: the server says 403"):
        open_reader(url).read("x.bin")
    server.faults.append(Fault(method="GET", contains="x.bin", times=99, status=503, code="x"))
    with pytest.raises(UnreachableError, match="the server says 503"):
        open_reader(url).read("x.bin")


def test_credentials_that_cannot_be_had_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(FatalError, match="the credentials for gs://bucket/x cannot be had: FileNotFoundError"):
        open_reader("gs://bucket/x").read("k")
    (tmp_path / "none.json").write_text('{"type": "external_account"}')
    with pytest.raises(FatalError, match="cannot be had: credentials of the type external_account"):
        open_reader("gs://bucket/x").read("k")


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
