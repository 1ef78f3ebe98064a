"""Work beside one's own, on another core: for calls to the system, which are many and short.

Threads do not help there: each call is shorter than it takes to hand the interpreter over.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_TRUE, _FALSE, _RAISED = 0, 1, 2


@contextmanager
def beside(work: Callable[[], bool]) -> Iterator[Callable[[], bool]]:
    """Begin some work in a copy of this process, and go on; it has ended when the block has, however that ends.

    Where no copy can be made (one core, a system other than Linux, or a process with threads, of which a copy would
    have their locks but not them), the work is done when it is waited for.

    Args:
        work: What to do; what it leaves on disk is all that is seen of it.

    Yields:
        What waits for it and returns what it returned; raises `ChildProcessError` where the copy raised or was killed.
    """
    if not _can_copy():
        yield work
        return
    child = os.fork()
    if child == 0:
        _end(work)
    codes: list[int] = []

    def ended() -> int:
        if not codes:
            codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        return codes[0]

    def wait() -> bool:
        code = ended()
        if code not in {_TRUE, _FALSE}:
            raise ChildProcessError(f"a part of the work ended with {code}")
        return code == _TRUE

    try:
        yield wait
    finally:
        ended()


def _can_copy() -> bool:
    if not sys.platform.startswith("linux") or len(os.sched_getaffinity(0)) < 2:  # noqa: PLR2004 - itself, and a copy
        return False
    try:
        return len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 - sees those of libraries, too
    except OSError:
        return False


def _end(work: Callable[[], bool]) -> None:
    """In the copy: work, and end without anything of what this process does when it ends."""
    code = _RAISED
    try:
        code = _TRUE if work() else _FALSE
    finally:
        os._exit(code)
