"""The same call for many arguments, on a few threads: what waits for servers and disks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

_Argument = TypeVar("_Argument")
_Result = TypeVar("_Result")


def in_parallel(
    call: Callable[[_Argument], _Result], arguments: Iterable[_Argument], *, threads: int = 16
) -> list[_Result]:
    """Call a function for each argument.

    Args:
        call: The function; safe to call from several threads.
        arguments: One for each call.
        threads: How many calls run at once.

    Returns:
        The results in the order of the arguments.

    Raises:
        Exception: The first error of a call; calls that have not begun by then are not made.
    """
    from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

    given = list(arguments)
    if not given:
        return []
    with ThreadPoolExecutor(min(threads, len(given))) as pool:
        futures = [pool.submit(call, argument) for argument in given]
        try:
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
        failed = next((future for future in futures if future in done and future.exception() is not None), None)
        if failed is not None:
            failed.result()
        return [future.result() for future in futures]
