from __future__ import annotations

import sys

import pytest

from metaflow_extensions.envtag.plugins.envtag_env import launch
from metaflow_extensions.envtag.plugins.envtag_env.identity import HOST
from metaflow_extensions.envtag.plugins.envtag_env.requirements import DISABLED


def test_this_python_has_envtag():
    assert launch.host() == sys.executable


def test_inside_a_step_the_launchers_python_has_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(launch.importlib.util, "find_spec", lambda name: None)
    assert launch.host() == ""
    monkeypatch.setenv(HOST, "/launcher/python")
    assert launch.host() == "/launcher/python"


def test_nothing_is_asked_for_steps_that_run_outside(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(launch.Launch, "_ask", lambda *_: pytest.fail("asked"))
    found = launch.Launch(flow="F", datastore_type="local", metadata=None, echo=print)
    assert found.prepare([launch.Step("start", DISABLED, "linux-64")]) == ({"start": None}, {})
