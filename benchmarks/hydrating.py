"""Making and using an environment, against hard links and the command itself."""

from __future__ import annotations

import shutil
import sys
from itertools import count as counter
from pathlib import Path

from benchmarks.measure import Machine, Row, medians

from envtag.platforms import current_platform
from support.conda_package import ChannelBuilder, installed_files, record_of
from support.interpreter import find_interpreters, stage_interpreter
from support.wheels import OLD

#: As many as a small real environment has, beside Python; each of about as many files as the median of conda-forge's.
LIBRARIES = 19
FILES = 120
_NAME = "team/base"


def publish(machine: Machine) -> Path:
    """Make a registry with one released environment of `LIBRARIES` + 1 packages; return its directory."""
    channel = _channel(machine.root / "channel")
    registry = machine.root / "registry"
    machine.run(["envtag", "init", registry, "--store", (machine.root / "store").as_uri()])
    spec = registry / "environment.yml"
    names = ["python", *(f"library-{number}" for number in range(LIBRARIES))]
    spec.write_text("dependencies:\n" + "".join(f"- {name}\n" for name in names), "utf-8")
    machine.run(
        ["envtag", "resolve", "-f", spec, "--channel", channel.as_uri(), "--alias", f"{_NAME}:v1"], cwd=registry
    )
    spec.unlink()
    machine.run(["git", "add", "--all"], cwd=registry)
    machine.run(["git", "commit", "--quiet", "-m", "one environment"], cwd=registry)
    machine.run(["envtag", "publish", _NAME], cwd=registry)
    return registry


def rows(machine: Machine, registry: Path, count: int) -> list[Row]:
    """Create the environment with warm caches, and run a command in it once it is there."""
    fresh = counter()
    reference = machine.root / "reference"
    machine.run(["envtag", "create", f"{_NAME}:v1", "--prefix", reference], cwd=registry)
    python = reference / "bin" / "python"

    def create() -> None:
        prefix = machine.root / f"created-{next(fresh)}"
        machine.run(["envtag", "-q", "create", f"{_NAME}:v1", "--prefix", prefix], cwd=registry)

    def link() -> None:
        machine.run(["cp", "-al", reference, machine.root / f"linked-{next(fresh)}"])
        machine.run([python, "-c", ""])

    def run() -> None:
        machine.run(["envtag", "-q", "run", f"{_NAME}:v1", "--", "python", "-c", ""], cwd=registry)

    def itself() -> None:
        machine.run([python, "-c", ""])

    created, linked = medians(count, create, link)
    ran, bare = medians(count, run, itself)
    return [
        Row(what="create 20 packages, warm", seconds=created, against="cp -al + python", baseline=linked, bound=2),
        Row(what="run, second time", seconds=ran, against="python", baseline=bare, bound=120, unit="ms over"),
    ]


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
        channel.package(
            name, "1.0", build="py_0", depends=["python"], files=files, noarch="python",
            link={"noarch": {"type": "python"}, "package_metadata_version": 1},
        )  # fmt: skip
    channel.index()
    return path
