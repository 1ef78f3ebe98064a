from __future__ import annotations

import json

import pytest

from envtag.errors import FatalError
from envtag.flows.wanted import Answer, Wanted
from support.locks import SAMPLE


def test_what_is_wanted_is_read_from_json():
    found = Wanted.parse({"key": "k", "steps": ["a"], "reference": "x:v1", "conda": {"a": "1"}, "channels": ["c"]})
    assert found == Wanted(key="k", steps=("a",), reference="x:v1", conda={"a": "1"}, channels=("c",))


def test_a_python_that_a_lock_has_adds_nothing():
    assert not Wanted(key="k").adds(SAMPLE)
    assert not Wanted(key="k", python=">=3.10").adds(SAMPLE)
    assert Wanted(key="k", python="3.12").adds(SAMPLE)
    assert Wanted(key="k", pypi={"a": ""}).adds(SAMPLE)


def test_what_another_version_wants_is_refused():
    with pytest.raises(FatalError, match="not understood"):
        Wanted.parse({"key": "k", "colour": "blue"})


def test_an_answer_is_json():
    answer = Answer(id="a:b", platform="linux-64", python="3.11")
    assert json.loads(json.dumps(answer.document()))["id"] == "a:b"
