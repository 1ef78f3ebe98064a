"""A bucket with environments and with what hydrates them, and nodes that have nothing else."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from envtag.names import parse_alias
from envtag.output import Output
from envtag.pods import command, runtime
from envtag.pods.runtime import Runtime
from envtag.replicas import read_replica
from envtag.store import Store, open_store
from support.pods import REQUEST, Image, Node, prepare_engines
from support.s3 import S3Server
from support.story import HERE, Story, mixed


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """Environments in a bucket, and the nodes' side of it.

    Attributes:
        story: The registry that they are of.
        store: The bucket.
        runtime: What pods of this platform need.
        node: A node of this platform.
        images: Where further images are made.
    """

    story: Story
    store: Store
    runtime: Runtime
    node: Node
    images: Path

    def pinned(self, alias: str) -> str:
        """`REQUEST:LOCK@MANIFEST` of a published alias on this platform."""
        replica = read_replica(self.store, parse_alias(alias))
        assert replica is not None
        return f"{replica.request}:{replica.locks[HERE]}@{replica.manifests[HERE]}"

    def commands(self, alias: str = "", *, late: str = "", cache: str = "", pinned: str = "") -> str:
        """What a pod's shell runs to have an environment, with Metaflow's own functions made short."""
        told = base64.b64encode(json.dumps({"alias": alias or late, "request": REQUEST}).encode()).decode()
        hydration = f"{command.hydration(self.store.url, {HERE: self.runtime.digest})} --name {alias or late}"
        hydration += "" if late else f" --environment {HERE}={pinned or self.pinned(alias)}"
        hydration += f" --cache {cache}" if cache else ""
        parts = [
            command.prelude(self.store.url, self.runtime.bundle, "echo an index is asked"),
            "mkdir -p metaflow",
            "cd metaflow",
            f"{hydration} --identity _TOLD={told}",
        ]
        return f"mflog(){{ echo $1; }}; {' && '.join(parts)}"


@pytest.fixture(scope="session")
def bucket_of_session(s3_of_session: S3Server) -> str:
    """The URL of one bucket for all tests, since what hydrates is large."""
    return f"s3://{s3_of_session.bucket()}/envtag"


@pytest.fixture
def deployed(
    make_story: Callable[..., Story],
    bucket_of_session: str,
    s3: S3Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Deployed:
    """`mlp/base:v1`, `mlp/mix:v1` and `mlp/pure:v1`, and what pods of this platform need, in a bucket."""
    monkeypatch.setenv("ENVTAG_STORE", bucket_of_session)
    store = open_store(bucket_of_session)
    story = make_story(mixed)
    story.call("publish")
    prepare_engines(story.config)
    made = runtime.publish([HERE], store, config=story.config, output=Output())
    node = Node(image=Image.make(tmp_path / "image"), place=tmp_path / "node", environ=s3.variables())
    return Deployed(story=story, store=store, runtime=made[HERE], node=node, images=tmp_path / "images")
