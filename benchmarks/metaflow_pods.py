"""A pod's way to its environment: from a bare Python and a bucket, to the Python that a step runs in."""

from __future__ import annotations

import json
import shutil
import sys
from itertools import count as counter

from benchmarks.bucket import running_bucket
from benchmarks.measure import Machine, Row, medians
from benchmarks.reading_store import LIBRARIES, STORE, WHEELS, publish

from envtag.platforms import current_platform
from support.pods import Image, Node

COLD_MS = 3000
CACHED_MS = 1000
_ALIAS = "team/mixed:v1"
#: Prints what pods run, and what they are to have.
_DEPLOY = """
import json, sys
from envtag import config
from envtag.names import parse_alias
from envtag.output import Output
from envtag.pods.deployment import deployed
from envtag.replicas import read_replica
from envtag.store import open_store
platform, alias, store = sys.argv[1], sys.argv[2], open_store(sys.argv[3])
replica = read_replica(store, parse_alias(alias))
pinned = f"{replica.request}:{replica.locks[platform]}@{replica.manifests[platform]}"
pod = deployed([platform], store, config=config.load(), output=Output(quiet=True))
print(json.dumps({**pod, "pinned": pinned}))
"""


def rows(machine: Machine, count: int) -> list[Row]:
    """Hydrate in a pod that has nothing, and in one whose node has the environment already."""
    place, platform = machine.root / "pods", current_platform()
    place.mkdir()
    with running_bucket(machine) as environ:
        environ["ENVTAG_STORE"] = STORE
        publish(machine, place, environ)
        told = json.loads(machine.run([sys.executable, "-c", _DEPLOY, platform, _ALIAS, STORE], env=environ))
        node = Node(image=Image.make(place / "image"), place=place / "node", environ=environ)
        hydration = f"{told['hydration']} --environment {platform}={told['pinned']} --name {_ALIAS}"
        prelude = told["prelude"].replace("@DEFAULT@", "exit 1")
        text = f"mflog(){{ :; }}; {prelude} && mkdir metaflow && cd metaflow && {hydration}"
        fresh = counter()

        def pod(*, cache: str = "") -> None:
            name = f"pod-{next(fresh)}"
            node.shell(
                name, f"{text}{cache} && ../.envtag/python -c pass"
            )  # not removed yet: that slows ext4 for a while

        shared = f" --cache {place / 'cache'}"
        cold, cached, bare = medians(
            count, pod, lambda: pod(cache=shared), lambda: machine.run([sys.executable, "-c", "import boto3"])
        )
    shutil.rmtree(place)
    packages = LIBRARIES + WHEELS + 1
    against = "python, import boto3"
    return [
        Row(
            what=f"pod: {packages} packages from a bucket, cold", seconds=cold, against=against, baseline=bare,
            bound=COLD_MS, unit="ms",
        ),
        Row(
            what="pod: the same on a node that has them", seconds=cached, against=against, baseline=bare,
            bound=CACHED_MS, unit="ms",
        ),
    ]  # fmt: skip
