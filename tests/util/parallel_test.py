from __future__ import annotations

import threading
import time

import pytest

from envtag.util.parallel import in_parallel


def test_results_are_in_the_order_of_the_arguments():
    assert in_parallel(lambda number: (time.sleep((5 - number) / 500), number * 2)[1], range(5)) == [0, 2, 4, 6, 8]
    assert in_parallel(str, []) == []


def test_calls_run_at_once():
    meeting = threading.Barrier(4, timeout=10)
    assert in_parallel(lambda _: meeting.wait() >= 0, range(4), threads=4) == [True] * 4


def test_after_an_error_no_further_call_begins():
    made = []

    def call(number: int) -> None:
        made.append(number)
        if number == 1:
            raise ValueError("no")
        time.sleep(0.01)

    with pytest.raises(ValueError, match="no"):
        in_parallel(call, range(1000), threads=2)
    assert len(made) < 1000
