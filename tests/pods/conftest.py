"""A bucket with environments and with what hydrates them, and nodes that have nothing else."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

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

ALIAS = "mlp/mix:v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """An environment in a bucket, and the nodes' side of it.

    Attributes:
        store: The bucket.
        pinned: `REQUEST:LOCK@MANIFEST` of `mlp/mix:v1` on this platform.
        runtime: What pods of this platform need.
        node: A node of this platform.
        images: Where further images are made.
    """

    store: Store
    pinned: str
    runtime: Runtime
    node: Node
    images: Path

    def commands(self, *, cache: str = "") -> str:
        """What a pod's shell runs to have the environment, with Metaflow's own functions made short."""
        told = base64.b64encode(json.dumps({"alias": ALIAS, "request": REQUEST}).encode()).decode()
        hydration = f"{command.hydration(self.store.url, {HERE: self.runtime.digest})} --name {ALIAS}"
        hydration += f" --environment {HERE}={self.pinned}"
        hydration += f" --cache {cache}" if cache else ""
        parts = [
            command.prelude(self.store.url, self.runtime.bundle, "echo an index is asked"),
            "mkdir -p metaflow",
            "cd metaflow",
            f"{hydration} --identity _TOLD={told}",
        ]
        return f"mflog(){{ echo $1; }}; {' && '.join(parts)}"


@pytest.fixture
def beside(monkeypatch: pytest.MonkeyPatch):
    """A server beside the machine: `answers` maps method and path to a body, `asked` has what came."""
    found: dict[str, Any] = {"answers": {}, "asked": []}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            length = int(self.headers.get("Content-Length") or 0)
            found["asked"].append((self.command, self.path, dict(self.headers), self.rfile.read(length)))
            body = found["answers"].get(f"{self.command} {self.path}")
            self.send_response(200 if body is not None else 404)
            self.end_headers()
            self.wfile.write(body or b"")

        do_PUT = do_POST = do_GET  # noqa: N815 - the names that http.server calls

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    found["url"] = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED", raising=False)
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def made_of_session() -> dict[str, tuple[str, Runtime]]:
    """What is in the one bucket of all tests, by its URL: what hydrates is large."""
    return {}


@pytest.fixture
def deployed(
    request: pytest.FixtureRequest,
    made_of_session: dict[str, tuple[str, Runtime]],
    s3: S3Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Deployed:
    """`mlp/mix:v1` and what pods of this platform need, in a bucket."""
    if not made_of_session:
        url = f"s3://{s3.bucket()}/envtag"
        monkeypatch.setenv("ENVTAG_STORE", url)
        story: Story = request.getfixturevalue("make_story")(mixed)
        story.call("publish")
        prepare_engines(story.config)
        replica = read_replica(open_store(url), parse_alias(ALIAS))
        assert replica is not None
        pinned = f"{replica.request}:{replica.locks[HERE]}@{replica.manifests[HERE]}"
        runtimes = runtime.publish([HERE], open_store(url), config=story.config, output=Output())
        made_of_session[url] = (pinned, runtimes[HERE])
    ((url, (pinned, hydrating)),) = made_of_session.items()
    node = Node(image=Image.make(tmp_path / "image"), place=tmp_path / "node", environ=s3.variables())
    return Deployed(store=open_store(url), pinned=pinned, runtime=hydrating, node=node, images=tmp_path / "images")
