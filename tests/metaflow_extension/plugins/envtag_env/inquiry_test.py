from __future__ import annotations

import pytest

from metaflow_extensions.envtag.plugins.envtag_env import inquiry, launch
from metaflow_extensions.envtag.plugins.envtag_env.requirements import StepRequirement


def test_nothing_is_made_or_shared_for_a_question(monkeypatch: pytest.MonkeyPatch):
    asked: list[dict[str, object]] = []

    def ask(_: object, wanted: list[dict[str, object]], late: list[str], pods: list[str]) -> dict[str, object]:
        asked.extend(wanted)
        assert pods == []
        answer = {"id": "r:l", "platform": "osx-arm64", "commit": "", "manifest": "", "store": "", "prefix": ""}
        steps = {item["key"]: {**answer, "argv": [], "variables": {}} for item in wanted}
        return {"steps": steps, "missing": {}, "pod": {}}

    monkeypatch.setattr(launch.Launch, "_ask", ask)
    step = launch.Step("start", StepRequirement(name="a/b:v1"), "osx-arm64")
    inquiry.Inquiry(flow="F", datastore_type="local", metadata=None, echo=print).prepare([step])
    assert [(item["make"], item["share"], item["platform"]) for item in asked] == [(False, False, "osx-arm64")]


def test_without_envtag_nothing_can_be_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(launch, "host", lambda: "")
    with pytest.raises(launch.LaunchError, match="envtag is not installed"):
        inquiry.name({"start": "r:l"}, ["a/b:v1"], dry_run=False)
