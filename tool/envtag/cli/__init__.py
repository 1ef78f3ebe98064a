"""The command line: parses arguments and calls verbs; the only place that knows click."""

from __future__ import annotations

import gc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

__all__ = ["main"]

#: How many objects are made before cycles among them are looked for. Python's own 700 suit what runs for long: of a
#: command that loads a library of a cloud they take a quarter of the time, in which nothing is found.
_GARBAGE_THRESHOLD = 100_000


def main(argv: Sequence[str] | None = None, program: str = "envtag") -> NoReturn:
    """Run envtag and end the process with its exit code: 0 ok, 1 no, 2 usage, 3 a bug of ours, 130 ^C.

    Args:
        argv: The arguments; the process's own otherwise.
        program: What usage lines call it.
    """
    gc.set_threshold(_GARBAGE_THRESHOLD)
    from envtag.cli.entry import main as run  # what it loads makes objects, too

    run(argv, program)
