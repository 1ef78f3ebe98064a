from __future__ import annotations

import asyncio
import threading

import pytest

from envtag.util import aio


async def _where() -> tuple[str, int]:
    await asyncio.sleep(0)
    return "done", threading.get_ident()


def test_a_coroutine_runs_in_this_thread_where_no_loop_does():
    assert aio.run(_where()) == ("done", threading.get_ident())


def test_a_coroutine_runs_in_another_thread_where_a_loop_runs_already():
    async def notebook() -> tuple[str, int]:
        return aio.run(_where())

    said, thread = asyncio.run(notebook())
    assert said == "done"
    assert thread != threading.get_ident()


@pytest.mark.parametrize("running", [False, True])
def test_an_error_comes_out_as_it_is(running):
    async def failing() -> None:
        raise ZeroDivisionError

    async def notebook() -> None:
        aio.run(failing())

    with pytest.raises(ZeroDivisionError):
        asyncio.run(notebook()) if running else aio.run(failing())
