"""What a person or a program sees: data on stdout, talk on stderr."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any


class Output:
    """Where a verb writes.

    Attributes:
        quiet: Say nothing but results and errors (`-q`).
    """

    __slots__ = ("_progress", "quiet")

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self._progress: Any = None

    def data(self, text: str) -> None:
        """Print a result to stdout."""
        sys.stdout.write(text if text.endswith("\n") else text + "\n")

    def json(self, value: Any) -> None:
        """Print a result to stdout as indented JSON with sorted keys."""
        self.data(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False))

    def say(self, text: str) -> None:
        """Tell a person something, on stderr; silent with `-q`."""
        if not self.quiet:
            self._stderr(text)

    def warn(self, text: str) -> None:
        """Tell a person what may be wrong, on stderr, also with `-q`."""
        self._stderr(f"warning: {text}")

    @property
    def interactive(self) -> bool:
        """Whether progress is drawn: stderr is a terminal, and neither `-q`, `NO_COLOR` nor `CI` forbids it."""
        if self.quiet or os.environ.get("NO_COLOR") or os.environ.get("CI"):
            return False
        return sys.stderr.isatty()

    @contextmanager
    def task(self, what: str, total: float | None = None, *, unit: str = "") -> Iterator[Task]:
        """Show one running task while the block runs: what is done, how far, how fast.

        Args:
            what: The task in words (`solving linux-64`).
            total: How much there is to do, in `unit`s; None while unknown.
            unit: `bytes` for sizes and rates; otherwise a count.
        """
        if not self.interactive:
            yield Task()
            return
        with self._bars() as bars:
            handle = bars.add_task(what, total=total, unit=unit)
            try:
                yield Task(bars, handle)
            finally:
                bars.remove_task(handle)

    @contextmanager
    def tasks(self, what: str, names: Sequence[str]) -> Iterator[Callable[[str], None]]:
        """Show one task a name under one for all of them; yields what is to be called with each that is done."""
        with self.task(what, len(names)) as total, ExitStack() as everything:
            running = {name: everything.enter_context(ExitStack()) for name in names}
            for name, stack in running.items():
                stack.enter_context(self.task(f"  {name}"))

            def done(name: str) -> None:
                running[name].close()
                total.advance()

            yield done

    @contextmanager
    def _bars(self) -> Iterator[Any]:
        if self._progress is not None:
            yield self._progress
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.text import Text

        class Far(ProgressColumn):
            def render(self, task: Any) -> Text:
                return Text(how_far(task.completed, task.total, task.fields["unit"], task.speed))

        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), Far(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
            self._progress = bars
            try:
                yield bars
            finally:
                self._progress = None

    @staticmethod
    def _stderr(text: str) -> None:
        sys.stderr.write(text if text.endswith("\n") else text + "\n")
        sys.stderr.flush()


class Task:
    """A running task's progress; without a terminal, nothing is drawn."""

    def __init__(self, bars: Any = None, handle: Any = None) -> None:
        self._bars = bars
        self._handle = handle
        self.started = time.monotonic()

    def advance(self, amount: float = 1) -> None:
        """Count what was done since the last call; safe from any thread."""
        if self._bars is not None:
            self._bars.advance(self._handle, amount)

    def total(self, amount: float) -> None:
        """Say how much there is to do, once it is known."""
        if self._bars is not None:
            self._bars.update(self._handle, total=amount)

    def describe(self, what: str) -> None:
        """Say anew what is being done; safe from any thread."""
        if self._bars is not None:
            self._bars.update(self._handle, description=what)


def megabytes(count: int) -> str:
    """A size in bytes as people read it (`7.1 MB`, SI)."""
    return f"{count / 1e6:.1f} MB"


def how_far(done: float, total: float | None, unit: str, speed: float | None) -> str:
    """A task's progress in words: `3 of 4`, or `12.3 MB of 45.6 MB, 5.1 MB/s` where the unit is bytes."""
    if unit != "bytes":
        return f"{done:.0f} of {total:.0f}" if total else ""
    size = megabytes(int(done)) + (f" of {megabytes(int(total))}" if total else "")
    return f"{size}, {megabytes(int(speed))}/s" if speed else size
