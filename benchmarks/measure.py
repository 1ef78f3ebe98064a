"""Time processes side by side, and put what was found into a table."""

from __future__ import annotations

import contextlib
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table.

    Attributes:
        what: What was measured, in words.
        seconds: How long it took, median.
        against: What it is compared with, in words.
        baseline: How long that took, median.
        bound: The most that it may be: times the baseline, or milliseconds (`unit`).
        unit: `x`: time over baseline; `ms over`: time less baseline; `ms`: time alone.
    """

    what: str
    seconds: float
    against: str
    baseline: float
    bound: float
    unit: str = "x"

    @property
    def value(self) -> float:
        """The number that `bound` is for."""
        if self.unit == "x":
            return self.seconds / self.baseline
        return (self.seconds - (self.baseline if self.unit == "ms over" else 0.0)) * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where the commands run: a scratch directory and isolated variables."""

    root: Path
    environ: Mapping[str, str]

    def run(
        self,
        command: Sequence[str | Path],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        wanted: int = 0,
    ) -> str:
        """Run a command to its end and return its stdout; another exit code than is wanted shows what it said."""
        environ = {**self.environ, **(env or {})}
        done = subprocess.run(command, cwd=cwd or self.root, env=environ, capture_output=True, check=False)
        if done.returncode != wanted:
            said = done.stderr.decode("utf-8", "replace")
            raise SystemExit(f"benchmark: {' '.join(map(str, command))} ended with {done.returncode}:\n{said}")
        return done.stdout.decode()


def at_least(machine: Machine, command: Sequence[str | Path], *, seconds: float, env: Mapping[str, str]) -> float:
    """The time of a command that is run once, since it takes many minutes; it is stopped after some of them."""
    start = time.perf_counter()
    environ = {**machine.environ, **env}
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(command, cwd=machine.root, env=environ, capture_output=True, check=True, timeout=seconds)
    return time.perf_counter() - start


def cpu() -> float:
    """Seconds of user and system time of all processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def medians(count: int, *works: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> list[float]:
    """The median time of each of some works, taken in turns so that a busy moment hits all of them alike."""
    times: list[list[float]] = [[] for _ in works]
    for work in works:
        work()
    for _ in range(count):
        for number, work in enumerate(works):
            start = clock()
            work()
            times[number].append(clock() - start)
    return [statistics.median(found) for found in times]


def table(rows: Sequence[Row]) -> str:
    """The rows as aligned text; what is over its bound is marked in words."""
    lines = [("what", "ms", "against", "ms", "is", "may be", "")]
    for row in rows:
        unit = row.unit.replace("x", " x") if row.unit == "x" else f" {row.unit}"
        digits = 2 if row.unit == "x" else 0
        lines.append((
            row.what, f"{row.seconds * 1000:.0f}", row.against, f"{row.baseline * 1000:.0f}",
            f"{row.value:.{digits}f}{unit}", f"{row.bound:g}{unit}", "" if row.value <= row.bound else "over",
        ))  # fmt: skip
    widths = [max(len(line[column]) for line in lines) for column in range(7)]
    right = {1, 3, 4, 5}
    return "\n".join(
        "  ".join(
            cell.rjust(w) if n in right else cell.ljust(w) for n, (cell, w) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
