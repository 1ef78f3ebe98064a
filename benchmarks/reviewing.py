"""Comparing a large change, and a small one in a large registry."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import Machine, Row, medians

from envtag.lock import write
from support.diffs import conda, lock

if TYPE_CHECKING:
    from envtag.package import Package

#: Of all platforms together, as in the lock of the Pangeo project.
PACKAGES = 754
PLATFORMS = ("linux-64", "osx-arm64", "win-64")
_EACH = -(-PACKAGES // len(PLATFORMS))
_SETTINGS = "version: 1\nspec: [environment.yml]\nplatforms: [linux-64, osx-arm64, win-64]\n"
_SPEC = "channels: [conda-forge]\ndependencies: [package-000, package-001, package-002]\n"


def rows(machine: Machine, large: Path, count: int) -> list[Row]:
    """Compare 754 packages of three platforms, of which every third changed; and a large registry with itself.

    Args:
        machine: Where the commands run.
        large: A registry of many environments with a clean work tree; one of them is changed.
        count: How often each is measured.
    """
    registry = _registry(machine)
    changed = next(large.glob("envs/*/*/envtag.yml"))
    changed.write_bytes(changed.read_bytes() + b"python: '==3.12.*'\n")

    def compare(where: Path, *options: str) -> None:
        told = machine.run(["envtag", "diff", "HEAD", *options], cwd=where)
        if "1 environment changed" not in told:
            raise SystemExit(f"benchmark: diff shows something else:\n{told[:1000]}")

    def check(*options: str) -> None:
        told = machine.run(["envtag", "check", "--base", "HEAD", "--json", *options], cwd=large, wanted=1)
        if told.count('"lock-fresh"') != 1:
            raise SystemExit(f"benchmark: check finds something else:\n{told[:1000]}")

    merged = _merged(machine, large, changed)

    def plan() -> None:
        told = machine.run(["envtag", "plan", "--base", "HEAD", "--head", merged], cwd=large)
        if told.count("store on ") != 1:
            raise SystemExit(f"benchmark: plan plans something else:\n{told[:1000]}")

    def start() -> None:
        machine.run([sys.executable, "-c", "import click"])

    wide, small, checked, planned, started = medians(
        count, lambda: compare(registry, "--markdown"), lambda: compare(large), check, plan, start
    )
    (whole,) = medians(1, lambda: check("--all"))
    what = f"diff, {PACKAGES} packages, {len(PLATFORMS)} platforms"
    return [
        Row(what=what, seconds=wide, against="import click", baseline=started, bound=500, unit="ms"),
        Row(
            what="diff, 1 of many environments",
            seconds=small,
            against="import click",
            baseline=started,
            bound=500,
            unit="ms",
        ),
        Row(
            what="check, 1 of many environments",
            seconds=checked,
            against="import click",
            baseline=started,
            bound=1_000,
            unit="ms",
        ),
        Row(
            what="plan, 1 of many environments",
            seconds=planned,
            against="import click",
            baseline=started,
            bound=1_000,
            unit="ms",
        ),
        Row(
            what="check --all, many environments",
            seconds=whole,
            against="import click",
            baseline=started,
            bound=60_000,
            unit="ms",
        ),
    ]


def _merged(machine: Machine, large: Path, changed: Path) -> str:
    """A commit with what the work tree changes, which no branch leads to."""
    machine.run(["git", "add", changed], cwd=large)
    tree = machine.run(["git", "write-tree"], cwd=large).strip()
    machine.run(["git", "reset", "--quiet"], cwd=large)
    return machine.run(["git", "commit-tree", tree, "-p", "HEAD", "-m", "a change"], cwd=large).strip()


def _registry(machine: Machine) -> Path:
    registry = machine.root / "reviewing"
    machine.run(["envtag", "init", registry])
    directory = registry / "envs" / "team" / "wide"
    directory.mkdir(parents=True)
    (directory / "envtag.yml").write_text(_SETTINGS, "utf-8")
    (directory / "environment.yml").write_text(_SPEC, "utf-8")
    for version in ("1.0.0", "1.1.0"):
        for platform in PLATFORMS:
            data = write(lock(*(_package(number, version) for number in range(_EACH)), platform=platform))
            (directory / f"{platform}-lock.yml").write_bytes(data)
        if version == "1.0.0":
            machine.run(["git", "add", "--all"], cwd=registry)
            machine.run(["git", "commit", "--quiet", "--message", "before"], cwd=registry)
    return registry


def _package(number: int, version: str) -> Package:
    """One of a chain of packages, each of which needs five others; every third has the given version."""
    needs = tuple(f"package-{(number * 5 + step) % _EACH:03} >=1" for step in range(1, 6))
    return conda(f"package-{number:03}", version if number % 3 == 0 else "1.0.0", depends=needs)
