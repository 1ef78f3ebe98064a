from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from envtag.util import beside as module
from envtag.util.beside import beside

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system copies no process")


@pytest.fixture(params=["in a copy", "when it is waited for"])
def anywhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_can_copy", lambda: request.param == "in a copy")


@pytest.mark.usefixtures("anywhere")
@pytest.mark.parametrize("answer", [True, False])
def test_what_the_work_returned_is_told_and_what_it_wrote_is_there(answer: bool, tmp_path: Path):
    def work() -> bool:
        (tmp_path / "written").write_text("by it")
        return answer

    with beside(work) as ended:
        assert ended() is answer
        assert ended() is answer
    assert (tmp_path / "written").read_text() == "by it"


def test_both_are_at_work_at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_can_copy", lambda: True)
    from_here, to_there = os.pipe()
    from_there, to_here = os.pipe()

    def work() -> bool:
        os.write(to_here, b"a")
        return os.read(from_here, 1) == b"b"

    with beside(work) as ended:
        assert os.read(from_there, 1) == b"a"  # the work runs, and has not ended
        os.write(to_there, b"b")
        assert ended()
    for handle in (from_here, to_there, from_there, to_here):
        os.close(handle)


def _raise() -> bool:
    raise RuntimeError("no")


def _die() -> bool:
    os.kill(os.getpid(), signal.SIGKILL)
    return True


@pytest.mark.parametrize("work", [_raise, _die])
def test_a_copy_that_fails_or_dies_is_an_error(work: Callable[[], bool], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_can_copy", lambda: True)
    with pytest.raises(ChildProcessError), beside(work) as ended:
        ended()


def test_the_copy_has_ended_when_the_block_has_even_by_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_can_copy", lambda: True)

    def work() -> bool:
        time.sleep(0.2)
        (tmp_path / "ended").touch()
        return True

    with pytest.raises(ValueError, match="mine"), beside(work):
        raise ValueError("mine")
    assert (tmp_path / "ended").exists()


def test_a_process_with_threads_is_not_copied():
    here = os.getpid()
    done = threading.Event()
    thread = threading.Thread(target=done.wait, daemon=True)
    thread.start()
    try:
        seen: list[int] = []
        with beside(lambda: seen.append(os.getpid()) is None) as ended:
            assert ended()
        assert seen == [here]
    finally:
        done.set()
        thread.join()
