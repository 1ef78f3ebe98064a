from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from metaflow_extensions.envtag.plugins.envtag_env import launch
from metaflow_extensions.envtag.plugins.envtag_env.identity import HOST
from metaflow_extensions.envtag.plugins.envtag_env.requirements import DISABLED, StepRequirement


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


def launched(requirement: StepRequirement) -> Any:
    """What comes of a launch of one step."""
    told: list[str] = []
    launch_of_one = launch.Launch(
        flow="F", datastore_type="local", metadata=None, echo=lambda text, **_: told.append(text)
    )
    found, _ = launch_of_one.prepare([launch.Step("train", requirement, "")])
    return found, told


def answer(monkeypatch: pytest.MonkeyPatch, document: Any, code: int = 0) -> None:
    """Let a process stand for envtag's, which answers with a document and an exit code."""
    words = f"import sys; sys.stdin.read(); print({json.dumps(document)!r}); sys.exit({code})"
    monkeypatch.setattr(launch, "program", lambda *_: [sys.executable, "-c", words])


def test_a_python_without_envtag_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(launch, "host", lambda: "")
    with pytest.raises(launch.LaunchError, match=r"`pip install envtag\[metaflow\]`"):
        launched(StepRequirement(name="team/x"))


def test_what_envtag_refuses_is_told_with_its_hint(monkeypatch: pytest.MonkeyPatch):
    answer(monkeypatch, {"error": {"message": "no `x`", "detail": "why\n", "hint": "try `y`"}})
    with pytest.raises(launch.LaunchError) as caught:
        launched(StepRequirement(name="team/x"))
    assert str(caught.value) == "no `x`\nwhy\nhint: try `y`"


def test_an_envtag_that_ends_otherwise_is_told(monkeypatch: pytest.MonkeyPatch):
    answer(monkeypatch, {}, code=3)
    with pytest.raises(launch.LaunchError, match="envtag ended with 3"):
        launched(StepRequirement(name="team/x"))


def test_a_late_name_that_is_missing_is_a_warning(monkeypatch: pytest.MonkeyPatch):
    answer(monkeypatch, {"steps": {}, "missing": {"team/x:v1": "there is none"}, "pod": {}})
    found, told = launched(StepRequirement(name="team/x:v1", fetch_at_exec=True))
    assert found["train"].late == "team/x:v1"
    assert found["train"].identity.id == ""
    assert told == ["    `team/x:v1` is not there yet, and tasks will fail unless it comes: there is none"]


def test_a_variable_that_is_missing_names_its_step(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(launch.Launch, "_ask", lambda *_: pytest.fail("asked"))
    with pytest.raises(launch.LaunchError, match=r"step `train`: .* needs the variable NOT_SET"):
        launched(StepRequirement(name="team/x:@{NOT_SET}"))
    with pytest.raises(launch.LaunchError, match="step `train`: `a/b/c/d/e` is not a pathspec"):
        launched(StepRequirement(pathspec="a/b/c/d/e"))
