"""Updating one package of a large environment of real conda-forge records, against solving all of it."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.measure import Machine, Row, medians
from benchmarks.solving import BARE, PACKAGES, question

_CHANNEL = "https://conda.anaconda.org/conda-forge"
_ROOTS = ("python 3.11.*", *(name for name in PACKAGES if name != "pytorch"), "requests")
_PLATFORM = "linux-64"


def rows(machine: Machine, subset: Path, count: int) -> list[Row]:
    """Update `requests`, of which a newer version is to be had, in an environment that holds everything else."""
    registry = machine.root / "updating"
    environ = {"ENVTAG_MIRRORS": f"{_CHANNEL}={subset.as_uri()}"}
    machine.run(["envtag", "init", registry])

    def envtag(*words: str | Path) -> None:
        machine.run(["envtag", "-q", *words], cwd=registry, env=environ)

    def resolve(name: str, *roots: str) -> None:
        spec = registry / "environment.yml"
        spec.write_text("dependencies:\n" + "".join(f"- {root}\n" for root in roots), "utf-8")
        envtag("resolve", "-f", spec, "--channel", "conda-forge", "--platform", _PLATFORM, "--alias", name)

    resolve("newest", *_ROOTS)
    resolve("older", *(f"{root} <2.32" if root == "requests" else root for root in _ROOTS))
    spec = registry / "envs" / "older" / "environment.yml"
    spec.write_text(spec.read_text("utf-8").replace("requests <2.32", "requests"), "utf-8")
    envtag("update", "older")
    lock = (registry / "envs" / "older" / f"{_PLATFORM}-lock.yml").read_text("utf-8")
    packages = lock.count("\n  manager: conda\n")

    def bare() -> None:
        cache = machine.root / "bare-cache"
        machine.run([sys.executable, "-c", BARE, question(subset, cache, _ROOTS)])

    alone, whole, one, much = medians(
        count,
        bare,
        lambda: envtag("lock", "--upgrade", "newest"),
        lambda: envtag("update", "older", "requests", "--dry-run"),
        lambda: envtag("update", "older", "numpy=1.26", "--dry-run"),
    )
    what = f"update 1 of {packages} packages"
    return [
        Row(what=what, seconds=one, against="lock --upgrade", baseline=whole, bound=1.5),
        Row(what=what, seconds=one, against="rattler alone", baseline=alone, bound=2.0),
        Row(what=f"{what}, others must move", seconds=much, against="lock --upgrade", baseline=whole, bound=10.0),
    ]
