"""Locking real conda-forge records, against rattler alone."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import Machine, Row, medians

from envtag.platforms import DEFAULT_VIRTUAL_PACKAGES, PLATFORMS

PACKAGES = [
    "numpy",
    "pandas",
    "scikit-learn",
    "matplotlib",
    "jupyterlab",
    "pyarrow",
    "xgboost",
    "pytorch",
    "scipy",
    "dask",
]
_CHANNEL = "https://conda.anaconda.org/conda-forge"
_ONE = "linux-64"
BARE = """\
import asyncio, json, os, sys
import rattler
channel, cache, platform, virtual, specs = json.loads(sys.argv[1])

async def main():
    found = await rattler.solve(
        [rattler.Channel(channel)], [rattler.MatchSpec(spec, strict=False) for spec in specs],
        gateway=rattler.Gateway(cache_dir=cache), platforms=[platform, "noarch"],
        virtual_packages=[
            rattler.GenericVirtualPackage(rattler.PackageName(n), rattler.Version(v), rattler.BuildString(build))
            for n, v, build in virtual
        ],
    )
    print(len(found))

asyncio.run(main())
sys.stdout.flush()
os._exit(0)
"""


def rows(machine: Machine, subset: Path, count: int) -> list[Row]:
    """Lock ten packages for one platform and for four, and solve the same with rattler alone."""
    registry = machine.root / "solving"
    machine.run(["envtag", "init", registry])
    spec = registry / "environment.yml"
    spec.write_text("dependencies:\n" + "".join(f"- {name}\n" for name in ("python 3.11.*", *PACKAGES)), "utf-8")
    environ = {"ENVTAG_MIRRORS": f"{_CHANNEL}={subset.as_uri()}"}

    def lock(*platforms: str) -> None:
        options = [word for platform in platforms for word in ("--platform", platform)]
        command = ["envtag", "-q", "resolve", "-f", spec, "--channel", "conda-forge", "--alias", "x:v1", "--dry-run"]
        machine.run([*command, *options], cwd=registry, env=environ)

    def bare() -> None:
        machine.run(
            [sys.executable, "-c", BARE, question(subset, machine.root / "bare-cache", ("python 3.11.*", *PACKAGES))]
        )

    four = [platform for platform in PLATFORMS if platform != "linux-aarch64"]
    alone, one, all_four = medians(count, bare, lambda: lock(_ONE), lambda: lock(*four))
    return [
        Row(what="lock 10 packages, 1 platform", seconds=one, against="rattler alone", baseline=alone, bound=1.3),
        Row(what="lock 10 packages, 4 platforms", seconds=all_four, against="1 platform", baseline=one, bound=2.5),
    ]


def question(subset: Path, cache: Path, specs: Sequence[str]) -> str:
    """What `BARE` is to solve, for one platform."""
    import json

    virtual = []
    for name, value in DEFAULT_VIRTUAL_PACKAGES[_ONE].items():
        version, _, build = value.partition(" ")
        virtual.append([name, version, build or "0"])
    return json.dumps([subset.as_uri(), str(cache), _ONE, virtual, list(specs)])
