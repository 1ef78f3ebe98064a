from __future__ import annotations

import pytest

from envtag.store import attempts


def test_pauses_grow_and_differ(monkeypatch: pytest.MonkeyPatch):
    slept: list[float] = []
    monkeypatch.setattr(attempts, "_FIRST_PAUSE_SECONDS", 1)
    monkeypatch.setattr("envtag.store.attempts.time.sleep", slept.append)
    for attempt in (0, 0, 3):
        attempts.pause(attempt)
    assert 0.75 <= min(slept[:2]) < max(slept[:2]) <= 1.25
    assert 6 <= slept[2] <= 10
