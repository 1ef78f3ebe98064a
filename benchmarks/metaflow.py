"""Metaflow with the extension against Metaflow alone, and steps in environments against steps outside."""

from __future__ import annotations

import re
import shutil
import statistics
import sys
import zipfile
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from benchmarks.measure import Machine, Row, cpu, medians

from support.channel import channels
from support.story import CONDA_FORGE, HERE, MINOR

STEPS = 20
ENVIRONMENTS = 5
#: A few milliseconds are looked for in half a second.
TURNS = 15
_METAFLOW = ("metaflow", "requests", "urllib3", "certifi", "idna", "charset-normalizer")
_EMPTY = """
from metaflow import FlowSpec, step

class EmptyFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self):
        pass

if __name__ == "__main__":
    EmptyFlow()
"""
_AGES = """
import os, time
from metaflow import FlowSpec, named_env, step

def age():
    started = int(open("/proc/self/stat").read().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started

class AgesFlow(FlowSpec):
    @named_env(name="team/e0:v1")
    @step
    def start(self):
        print("AGE inside", age())
        self.next(self.outside)

    @step
    def outside(self):
        print("AGE outside", age())
        self.next(self.end)

    @step
    def end(self):
        pass

if __name__ == "__main__":
    AgesFlow()
"""


def rows(machine: Machine, count: int) -> list[Row]:
    """Show a flow; start a task; launch a flow of `STEPS` steps in `ENVIRONMENTS` environments, all created before.

    Showing is measured in CPU time, with envtag installed from its wheel as people have it: an editable installation's
    finder takes part in every import.
    """
    place = machine.root / "flows"
    place.mkdir()
    variables = {
        "ENVTAG_MIRRORS": f"{CONDA_FORGE}={channels().conda.as_uri()}",
        "ENVTAG_REGISTRY": str(machine.root / "of-flows"),
        "USERNAME": "tester",
    }
    _registry(machine, machine.root / "of-flows", variables)
    texts = {"empty": _EMPTY, "ages": _AGES, "long": _long('    @named_env(name="team/e{}:v1")'), "bare": _long()}
    empty, ages, long, bare = (_flow(place, name, text) for name, text in texts.items())
    stock = _python(machine, "stock", _METAFLOW)
    ours = _python(machine, "extended", (*_METAFLOW, "ruamel.yaml"))
    _install_wheel(machine, ours)

    def run(python: Path | str, flow: Path, *arguments: str) -> str:
        return machine.run([python, flow, *arguments], cwd=place, env=variables)

    shown, plain = medians(TURNS, lambda: run(ours, empty, "show"), lambda: run(stock, empty, "show"), clock=cpu)
    inside, outside = _ages([run(sys.executable, ages, "--environment=conda", "run") for _ in range(count + 1)][1:])
    launched, packaged = medians(
        count,
        lambda: run(sys.executable, long, "--environment=conda", "package", "info"),
        lambda: run(sys.executable, bare, "package", "info"),
    )
    what = f"launch {STEPS} steps in {ENVIRONMENTS} environments"
    return [
        Row(
            what="flow.py show (CPU)", seconds=shown, against="stock Metaflow", baseline=plain, bound=10, unit="ms over"
        ),
        Row(
            what="task start in an environment", seconds=inside, against="in the launcher's Python",
            baseline=outside, bound=150, unit="ms over",
        ),
        Row(what=what, seconds=launched, against="without", baseline=packaged, bound=1000, unit="ms over"),
    ]  # fmt: skip


def _ages(told: Sequence[str]) -> tuple[float, float]:
    """How old a task's process was when its step began, inside an environment and outside; medians."""
    found = [re.findall(rf"AGE {where} ([0-9.]+)", text) for where in ("inside", "outside") for text in told]
    ages = [float(age) for (age,) in found]
    return statistics.median(ages[: len(told)]), statistics.median(ages[len(told) :])


def _registry(machine: Machine, registry: Path, variables: dict[str, str]) -> None:
    """Environments `team/e0` to `team/e4`, which differ by one package each and have what Metaflow needs."""
    machine.run(["envtag", "init", registry])
    extra = ["numpy 1.21.5", "numpy 1.24.0", "pandas 1.5.0", "itsdangerous 2.1.2", "itsdangerous 2.2.0"]
    spec = machine.root / "environment.yml"
    for number, name in enumerate(extra[:ENVIRONMENTS]):
        spec.write_text(f"channels: [conda-forge]\ndependencies: [python {MINOR}.*, requests, {name}]\n", "utf-8")
        alias = ["--alias", f"team/e{number}:v1", "--platform", HERE]
        machine.run(["envtag", "resolve", "-f", spec, *alias], cwd=registry, env=variables)
    machine.run(["git", "add", "--all"], cwd=registry)
    machine.run(["git", "commit", "--quiet", "-m", "environments"], cwd=registry)


def _python(machine: Machine, name: str, dists: Sequence[str]) -> Path:
    """The Python of a virtual environment that has these distributions of the running one, and nothing else."""
    venv = machine.root / name
    machine.run([sys.executable, "-m", "venv", "--without-pip", venv])
    (site,) = venv.glob("lib/python*/site-packages")
    for dist in map(metadata.distribution, dists):
        for top in sorted({path.parts[0] for path in dist.files or () if path.parts[0] != ".."}):
            source = Path(str(dist.locate_file(top)))
            if source.exists() and not (site / top).exists():
                (site / top).symlink_to(source)
    return venv / "bin" / "python"


def _install_wheel(machine: Machine, python: Path) -> None:
    """Build envtag's wheel of a copy of its source, and install it."""
    here, copy = Path(__file__).parents[1], machine.root / "source"
    shutil.copytree(here / "tool", copy / "tool", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for path in here.iterdir():
        if path.is_file() and path.suffix in {".toml", ".md", ""} and not path.name.startswith("."):
            shutil.copy2(path, copy)
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", machine.root]
    machine.run([sys.executable, "-m", "pip", "wheel", *options, copy])
    (wheel,) = machine.root.glob("envtag-*.whl")
    (site,) = python.parents[1].glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)


def _flow(place: Path, name: str, text: str) -> Path:
    path = place / f"{name}.py"
    path.write_text(text.lstrip(), "utf-8")
    return path


def _long(decorator: str = "") -> str:
    """A flow of `STEPS` steps one after another, each in one of the environments if a decorator is given."""
    names = ["start", *(f"step_{number}" for number in range(STEPS - 2)), "end"]
    lines = ["from metaflow import FlowSpec, named_env, step", "", "class LongFlow(FlowSpec):"]
    for number, name in enumerate(names):
        following = f"self.next(self.{names[number + 1]})" if number + 1 < len(names) else "pass"
        lines += [decorator.format(number % ENVIRONMENTS), "    @step", f"    def {name}(self):"]
        lines += [f"        {following}", ""]
    return "\n".join([*lines, 'if __name__ == "__main__":', "    LongFlow()", ""])
