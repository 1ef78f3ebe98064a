from __future__ import annotations

import os
import platform

import pytest

from envtag.util.host import machine


def test_it_is_what_python_says_with_and_without_uname(monkeypatch: pytest.MonkeyPatch):
    assert machine() == platform.machine()
    monkeypatch.delattr(os, "uname")
    monkeypatch.setattr(platform, "machine", lambda: "AMD64")
    assert machine() == "AMD64"
