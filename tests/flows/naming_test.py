from __future__ import annotations

import pytest

from envtag.errors import FatalError
from envtag.flows.naming import names_of

ONE, OTHER = "a" * 40 + ":" + "1" * 40, "a" * 40 + ":" + "2" * 40


def texts(found) -> dict[str, list[str]]:
    return {full_id: [str(alias) for alias in aliases] for full_id, aliases in found.items()}


def test_one_environment_of_all_steps_gets_the_alias_itself():
    assert texts(names_of({"start": ONE, "end": ONE}, ["team/x:v1", "team/y", "team/x:v1"])) == {
        ONE: ["team/x:v1", "team/y:latest"]
    }


def test_several_environments_are_told_apart_by_their_steps():
    assert texts(names_of({"start": ONE, "Train": OTHER, "end": ONE}, ["team/x:v1"])) == {
        ONE: ["team/x/start:v1", "team/x/end:v1"],
        OTHER: ["team/x/train:v1"],
    }


def test_a_step_that_cannot_be_part_of_a_name_is_said():
    with pytest.raises(FatalError, match=r"team/x/_start"):
        names_of({"_start": ONE, "end": OTHER}, ["team/x:v1"])
