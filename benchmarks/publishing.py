"""Publishing a large environment to a bucket, against boto3 alone with the same files and threads."""

from __future__ import annotations

import json
import random
import statistics
import sys
import time
from itertools import count as counter
from pathlib import Path

from benchmarks.bucket import BUCKET, running_bucket
from benchmarks.measure import Machine, Row

from envtag.publication.upload import THREADS
from support.conda_package import ChannelBuilder

PACKAGES = 300
BYTES = 1 << 20
MEMORY_MB = 150
_NAME = "team/big"
_BARE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import boto3
from botocore.config import Config
threads, bucket, prefix, *names = sys.argv[1:]
client = boto3.client("s3", config=Config(max_pool_connections=int(threads)))
def put(name):
    with open(name, "rb") as body:
        client.put_object(Bucket=bucket, Key=f"{prefix}/{Path(name).name}", Body=body)
with ThreadPoolExecutor(int(threads)) as pool:
    list(pool.map(put, names))
"""
#: Runs a command, and prints its highest resident memory in MB.
_PEAK = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
sys.exit(code)
"""


def rows(machine: Machine, count: int) -> list[Row]:
    """Publish 300 packages to an empty bucket, and again with two new ones; time and memory."""
    channel = ChannelBuilder(machine.root / "big-channel")
    archives = [_package(channel, number, "1.0") for number in range(PACKAGES)]
    channel.index()
    registry = machine.root / "big-registry"
    with running_bucket(machine) as environ:
        machine.run(["envtag", "init", registry, "--store", f"s3://{BUCKET}/first"], env=environ)
        _resolve(machine, registry, channel, "v1", ["1.0"] * PACKAGES)
        prefix = counter()
        machine.run([sys.executable, "-c", _BARE, str(THREADS), BUCKET, "warm", *archives[:THREADS]], env=environ)

        def publish() -> None:
            place = {**environ, "ENVTAG_STORE": f"s3://{BUCKET}/{next(prefix)}"}
            machine.run(["envtag", "-q", "publish", _NAME], cwd=registry, env=place)

        def bare() -> None:
            command = [sys.executable, "-c", _BARE, str(THREADS), BUCKET, f"bare-{next(prefix)}", *archives]
            machine.run(command, env=environ)

        published, alone = _times(machine, registry, count, publish, bare)
        peak = machine.run([sys.executable, "-c", _PEAK, "envtag", "-q", "publish", _NAME], cwd=registry, env=environ)
        _package(channel, 0, "2.0")
        _package(channel, 1, "2.0")
        channel.index()
        _resolve(machine, registry, channel, "v2", ["2.0"] * 2 + ["1.0"] * (PACKAGES - 2))
        start = time.perf_counter()
        again = machine.run(["envtag", "-q", "publish", "--json", _NAME], cwd=registry, env=environ)
        changed = time.perf_counter() - start
    told = json.loads(again)
    if told["uploaded"] != 2:
        raise SystemExit(f"benchmark: {told['uploaded']} packages were stored for two that changed")
    return [
        Row(
            what=f"publish {PACKAGES} packages of 1 MB", seconds=published, against="boto3 alone", baseline=alone,
            bound=1 / 0.9,
        ),
        Row(what="publish 2 changed of 300", seconds=changed, against="", baseline=0, bound=2000, unit="ms"),
        Row(
            what="memory of that (MB)", seconds=float(peak) / 1000, against="", baseline=0, bound=MEMORY_MB, unit="ms"
        ),
    ]  # fmt: skip


def _times(machine: Machine, registry: Path, count: int, publish, bare) -> list[float]:
    """Median times of both, in turns; each publication finds neither tag nor objects."""
    times: list[list[float]] = [[], []]
    for _ in range(count):
        machine.run(["git", "tag", "--delete", f"{_NAME}@v1"], cwd=registry) if times[0] else None
        for number, work in enumerate((publish, bare)):
            start = time.perf_counter()
            work()
            times[number].append(time.perf_counter() - start)
    machine.run(["git", "tag", "--delete", f"{_NAME}@v1"], cwd=registry)
    return [statistics.median(found) for found in times]


def _package(channel: ChannelBuilder, number: int, version: str) -> Path:
    data = random.Random(f"{number} {version}").randbytes(BYTES)
    (made,) = channel.package(f"part-{number}", version, files={f"share/part-{number}": data}, noarch="generic")
    return made


def _resolve(machine: Machine, registry: Path, channel: ChannelBuilder, tag: str, versions: list[str]) -> None:
    spec = machine.root / "big.yml"
    lines = (f"- part-{number} {version}\n" for number, version in enumerate(versions))
    spec.write_text("dependencies:\n" + "".join(lines), "utf-8")
    options = ["--channel", channel.path.as_uri(), "--alias", f"{_NAME}:{tag}"]
    machine.run(["envtag", "resolve", "-f", spec, *options], cwd=registry)
    machine.run(["git", "add", "--all"], cwd=registry)
    machine.run(["git", "commit", "--quiet", "-m", tag], cwd=registry)
