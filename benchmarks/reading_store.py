"""Creating an environment from a bucket on a machine that has nothing, against the bare steps with the same files."""

from __future__ import annotations

import json
import random
import shutil
import sys
from itertools import count as counter
from pathlib import Path

from benchmarks.bucket import BUCKET, running_bucket
from benchmarks.measure import Machine, Row, medians

from envtag.platforms import current_platform
from support.conda_package import ChannelBuilder, installed_files, record_of
from support.index import Index
from support.interpreter import find_interpreters, stage_interpreter
from support.wheels import OLD, make_wheel

LIBRARIES = 40
WHEELS = 30
FILES = 100
BYTES = 400_000  # of each package, that compress no further
MEMORY_MB = 150
_NAME = "team/mixed"
STORE = f"s3://{BUCKET}/read"
#: Sixteen downloads at a time, then rattler and uv with what came, both with empty caches.
_BARE = """
import asyncio, json, subprocess, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import boto3
from botocore.config import Config
plan, place = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
client = boto3.client("s3", config=Config(max_pool_connections=16))
(place / "archives").mkdir(parents=True)
def get(item):
    body = client.get_object(Bucket=plan["bucket"], Key=item["key"])["Body"]
    with open(place / "archives" / item["file"], "wb") as stream:
        for block in body.iter_chunks(1 << 20):
            stream.write(block)
with ThreadPoolExecutor(16) as pool:
    list(pool.map(get, plan["items"]))
from rattler import BuildString, PackageRecord, RepoDataRecord, install
records = []
for item in plan["items"]:
    if item["manager"] == "conda":
        record = PackageRecord(name=item["name"], version=item["version"], build=BuildString(item["build"]),
            build_number=0, subdir=item["subdir"], depends=item["depends"], sha256=bytes.fromhex(item["sha256"]))
        url = (place / "archives" / item["file"]).as_uri()
        records.append(RepoDataRecord(record, item["file"], url, "https://conda.example.org/bench"))
asyncio.run(install(records, place / "prefix", cache_dir=place / "cache", show_progress=False))
import uv
wheels = [str(place / "archives" / item["file"]) for item in plan["items"] if item["manager"] == "pypi"]
subprocess.run([uv.find_uv_bin(), "pip", "install", "-q", "--no-config", "--cache-dir", str(place / "uv"), "--python",
    str(place / "prefix" / "bin" / "python"), "--break-system-packages", "--no-deps", "--no-index", "--offline",
    "--link-mode", "hardlink", *wheels], check=True)
"""
#: Runs a command, and prints its highest resident memory, and that of its own children, in MB.
_PEAK = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
sys.exit(code)
"""


def rows(machine: Machine, count: int) -> list[Row]:
    """Create an environment of conda packages and wheels, cold; time and memory."""
    place = machine.root / "mixed"
    place.mkdir()
    with running_bucket(machine) as environ:
        environ["ENVTAG_STORE"] = STORE
        registry = publish(machine, place, environ)
        plan = place / "plan.json"
        shown = machine.run(["envtag", "show", f"{_NAME}:v1", "--json"], cwd=registry, env=environ)
        plan.write_text(
            json.dumps({"bucket": BUCKET, "items": [_item(item) for item in json.loads(shown)[0]["packages"]]})
        )
        fresh = counter()

        def create() -> None:
            home = place / f"home-{next(fresh)}"
            command = ["envtag", "-q", "create", f"{_NAME}:v1", "--offline"]
            machine.run(command, cwd=registry, env={**environ, "ENVTAG_HOME": str(home)})
            shutil.rmtree(home)

        def bare() -> None:
            target = place / f"bare-{next(fresh)}"
            machine.run([sys.executable, "-c", _BARE, plan, target], env=environ)
            shutil.rmtree(target)

        created, alone = medians(count, create, bare)
        command = [sys.executable, "-c", _PEAK, "envtag", "-q", "create", f"{_NAME}:v1", "--offline"]
        peak = machine.run(command, cwd=registry, env={**environ, "ENVTAG_HOME": str(place / "home-peak")})
    shutil.rmtree(place)
    return [
        Row(
            what=f"create {LIBRARIES + WHEELS + 1} packages from a bucket, cold", seconds=created,
            against="boto3, rattler, uv alone", baseline=alone, bound=1.25,
        ),
        Row(what="memory of it (MB)", seconds=float(peak) / 1000, against="", baseline=0, bound=MEMORY_MB, unit="ms"),
    ]  # fmt: skip


def publish(machine: Machine, place: Path, environ: dict[str, str]) -> Path:
    """A registry with the environment, published; what it was made of is gone."""
    channel, wheels = _channel(place / "channel"), _wheels(place / "index")
    index = Index(place / "index")
    registry = place / "registry"
    machine.run(["envtag", "init", registry, "--store", STORE])
    spec = place / "environment.yml"
    conda = "".join(f"- {name}\n" for name in ["python", *(f"library-{number}" for number in range(LIBRARIES))])
    spec.write_text(f"dependencies:\n{conda}- pip:\n" + "".join(f"  - {name}\n" for name in wheels), "utf-8")
    options = ["--channel", channel.as_uri(), "--index-url", index.url, "--alias", f"{_NAME}:v1"]
    machine.run(["envtag", "resolve", "-f", spec, *options], cwd=registry)
    machine.run(["git", "add", "--all"], cwd=registry)
    machine.run(["git", "commit", "--quiet", "-m", "v1"], cwd=registry)
    machine.run(["envtag", "publish", _NAME], cwd=registry, env=environ)
    index.stop()
    shutil.rmtree(channel)
    shutil.rmtree(place / "index")
    return registry


def _item(package: dict[str, str]) -> dict[str, object]:
    file = package["url"].rpartition("/")[2]
    extension = next(ending for ending in ("conda", "tar.bz2", "whl") if file.endswith(ending))
    sha256 = package["sha256"]
    return {
        "key": f"read/objects/sha256/{sha256[:2]}/{sha256}.{extension}",
        "file": file,
        "subdir": package["url"].split("/")[-2],
        "depends": [],
        **{key: package[key] for key in ("manager", "name", "version", "build", "sha256")},
    }


def _wheels(path: Path) -> list[str]:
    """Wheels of many files in a directory of an index; their names."""
    path.mkdir()
    names = [f"wheel-{number}" for number in range(WHEELS)]
    for name in names:
        module = name.replace("-", "_")
        files: dict[str, str | bytes] = {f"{module}_parts/m{n}.py": f"x = {n}\n".encode() * 200 for n in range(FILES)}
        files[f"{module}_parts/data.bin"] = random.Random(name).randbytes(BYTES)
        make_wheel(path, name, "1.0", files=files)
    return names


def _channel(path: Path) -> Path:
    """A channel of this machine's Python and of libraries of many small files."""
    channel = ChannelBuilder(path)
    interpreter = find_interpreters()["{}.{}".format(*sys.version_info[:2])]
    stage = path.parent / "python"
    stage_interpreter(interpreter, stage, compiled=True)
    channel.staged(stage, record_of("python", interpreter.version, "0_cpython", 0, current_platform(), [], OLD, {}))
    shutil.rmtree(stage)
    for number in range(LIBRARIES):
        name = f"library-{number}"
        files = installed_files(name, "1.0", "site-packages")
        files |= {f"site-packages/library_{number}_parts/m{n}.py": f"x = {n}\n".encode() * 200 for n in range(FILES)}
        files[f"site-packages/library_{number}_parts/data.bin"] = random.Random(name).randbytes(BYTES)
        channel.package(
            name, "1.0", build="py_0", depends=["python"], files=files, noarch="python",
            link={"noarch": {"type": "python"}, "package_metadata_version": 1},
        )  # fmt: skip
    channel.index()
    return path
