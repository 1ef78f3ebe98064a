"""Coroutines from code that is not one: also where a loop runs already, as in a notebook."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

_Result = TypeVar("_Result")


def run(coroutine: Coroutine[Any, Any, _Result]) -> _Result:
    """Run a coroutine to its end and return its result; in a thread of its own if this one has a running loop.

    Raises:
        Exception: Whatever the coroutine raises.
    """
    import asyncio  # costs 20 ms, and a second use of an environment needs none of it

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()
