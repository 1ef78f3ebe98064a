"""A registry whose environments are in a bucket, and flows whose steps run on other machines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.flows import Flows
from support.pods import Image, Node, prepare_engines
from support.s3 import S3Server
from support.story import HERE, MINOR, Story, Told


def cloud(story: Story) -> None:
    """State: `mlp/base:v1` and `v2`, with what Metaflow needs for S3, differ in numpy; `stable` is at `v1`."""
    for tag, numpy in (("v1", "1.21.5"), ("v2", "1.24.0")):
        text = f"channels: [conda-forge]\ndependencies: [python {MINOR}.*, requests, boto3, numpy {numpy}]\n"
        story.resolve(f"mlp/base:{tag}", environment=text, options=("--platform", HERE))
        if tag == "v1":
            story.call("alias", "mlp/base:v1", "mlp/base:stable")
        story.commit(tag)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """A bucket for everything, a person who deploys, and a node.

    Attributes:
        flows: The person's directory with flows.
        node: Where steps run.
        settings: Metaflow's and envtag's settings.
        url: The bucket's URL.
    """

    flows: Flows
    node: Node
    settings: Mapping[str, str]
    url: str

    @classmethod
    def make(cls, story: Story, s3: S3Server, place: Path, url: str, cache: Path) -> Cloud:
        """A registry in the state `cloud`, published to a bucket; a node that has nothing but a Python.

        Args:
            story: The registry.
            s3: The bucket's server.
            place: A directory of the test's.
            url: The bucket's URL.
            cache: What the pods of the node share.
        """
        settings = {
            **s3.variables(),
            "ENVTAG_STORE": f"{url}/envtag",
            "METAFLOW_DATASTORE_SYSROOT_S3": f"{url}/metaflow",
            "METAFLOW_S3_ENDPOINT_URL": s3.url,
            "METAFLOW_CONDA_NAMED_ENV_NODE_CACHE": str(cache),
        }
        story.run("publish", check=0, cwd=None, **settings)
        prepare_engines(story.config, cache.with_name(f"{cache.name}-runtimes"))
        environ = {name: value for name, value in settings.items() if name.startswith("AWS_")}
        node = Node(image=Image.make(place / "image"), place=place / "node", environ=environ)
        return cls(flows=Flows(story=story, place=place / "flows"), node=node, settings=settings, url=url)

    def deploy(self, flow: Path, *arguments: str, check: int | None = 0, **variables: str) -> Told:
        """Run `python FLOW --environment=conda --datastore=s3 ARGUMENTS…`."""
        options = ("--environment=conda", "--datastore=s3")
        return self.flows.call(flow, *arguments, options=options, check=check, **self.settings, **variables)

    def ids(self) -> dict[str, str]:
        """Tag of `mlp/base` to its full id here."""
        with self.flows.story.registry() as registry:
            releases = registry.environment("mlp/base").ledger.releases
            return {item.tag: f"{item.request}:{item.locks[HERE]}" for item in releases}


def compiled(told: Told) -> Any:
    """The JSON that a scheduler's `create --only-json` prints."""
    return json.loads(told.out[told.out.index("{") :])
