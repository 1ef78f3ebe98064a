from __future__ import annotations

from collections.abc import Callable

import pytest

from envtag.metaflow_host import VERSION, answered
from support.story import HERE, Story, mixed


@pytest.fixture
def ask(make_story: Callable[..., Story]) -> Callable[..., dict[str, object]]:
    story = make_story(mixed)

    def call(**wanted: object) -> dict[str, object]:
        item = {"key": "k", "steps": ["train", "end"], "make": False, **wanted}
        return answered({"version": VERSION, "registry": str(story.path), "wanted": [item]})

    return call


def test_a_question_of_another_version_is_refused():
    assert "another version" in answered({"version": 0})["error"]["message"]


def test_an_alias_is_answered_by_its_lock(ask: Callable[..., dict[str, object]]):
    answer = ask(reference="mlp/pure:v1")
    found = answer["steps"]
    assert isinstance(found, dict)
    assert found["k"]["alias"] == "mlp/pure:v1"
    assert found["k"]["platform"] == HERE
    assert found["k"]["prefix"] == ""


def test_an_error_names_the_steps_and_what_was_meant(ask: Callable[..., dict[str, object]]):
    error = ask(reference="mlp/pur:v1")["error"]
    assert isinstance(error, dict)
    assert error["message"].startswith("steps `train`, `end`: ")
    assert "has no environment `mlp/pur`" in error["message"]
    assert "did you mean `mlp/pure`" in error["hint"]


def test_a_platform_that_is_not_there_is_told_with_those_that_are(ask: Callable[..., dict[str, object]]):
    error = ask(reference="mlp/pure:v1", platform="win-64")["error"]
    assert isinstance(error, dict)
    assert "not locked for `win-64`" in error["message"]
    assert f"platforms available: `{HERE}`" in error["hint"]
