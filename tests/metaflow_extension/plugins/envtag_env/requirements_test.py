from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from metaflow_extensions.envtag.plugins.envtag_env.requirements import (
    DISABLED,
    Level,
    RequirementError,
    StepRequirement,
    check_flow,
    level,
    merged,
    substitute,
)

Decorators = Mapping[str, Mapping[str, Any]]
BASE: Decorators = {"named_env_base": {"name": "team/base:v1"}}
LATE: Decorators = {"named_env": {"name": "a", "fetch_at_exec": True}}


def of(flow: Decorators, step: Decorators) -> StepRequirement:
    """What a step runs in, by the decorators of its flow and its own."""
    check_flow(flow)
    return merged(level(list(flow.items()), "the flow"), level(list(step.items()), "step `train`"), "step `train`")


def refused(flow: Decorators, step: Decorators) -> str:
    with pytest.raises(RequirementError) as caught:
        of(flow, step)
    return str(caught.value)


def test_a_step_without_anything_runs_outside():
    assert of({}, {}) == DISABLED


def test_a_step_gets_what_its_flow_names():
    assert of(BASE, {}) == StepRequirement(name="team/base:v1")


def test_a_steps_own_name_replaces_its_flows_completely():
    flow = {"named_env_base": {"name": "team/base:v1", "fetch_at_exec": True}}
    assert of(flow, {"named_env": {"name": "team/gpu:v2"}}) == StepRequirement(name="team/gpu:v2")
    assert of(BASE, {"named_env": {"pathspec": "F/1/train"}}) == StepRequirement(pathspec="F/1/train")
    defined = {"conda_base": {"libraries": {"pandas": "1.5.0"}, "python": "3.11"}}
    assert of(defined, {"named_env": {"name": "team/gpu:v2"}}) == StepRequirement(name="team/gpu:v2")


def test_conda_and_pypi_of_a_step_extend_what_is_named():
    step = {"conda": {"libraries": {"pytorch": "2.0.0"}}, "pypi": {"packages": {"transformers": "4.28.0"}}}
    assert of(BASE, step) == StepRequirement(
        name="team/base:v1", conda={"pytorch": "2.0.0"}, pypi={"transformers": "4.28.0"}
    )
    own = {"named_env": {"name": "team/gpu:v2"}, **step}
    assert of(BASE, own).name == "team/gpu:v2"
    assert of(BASE, own).conda == {"pytorch": "2.0.0"}


def test_a_step_overrides_its_flow_by_key():
    flow = {"conda_base": {"packages": {"pandas": "1.5.0", "numpy": "1.21.5"}, "python": "3.10", "channels": ["a"]}}
    step = {"conda": {"packages": {"pandas": "2.0.0"}, "python": "3.11"}}
    found = of(flow, step)
    assert found.conda == {"pandas": "2.0.0", "numpy": "1.21.5"}
    assert (found.python, found.channels) == ("3.11", ("a",))
    assert of(flow, {"conda": {"channels": ["b"]}}).channels == ("b",)


def test_packages_are_one_whatever_their_spelling():
    flow = {"pypi_base": {"packages": {"Foo_Bar[x]": "1.0"}}}
    assert of(flow, {"pypi": {"packages": {"foo-bar": "2.0"}}}).pypi == {"foo-bar": "2.0"}
    flow = {"conda_base": {"packages": {"conda-forge::NumPy": "1.0"}}}
    assert of(flow, {"conda": {"packages": {"numpy": "2.0"}}}).conda == {"numpy": "2.0"}


def test_both_names_of_condas_packages_are_combined():
    step = {"conda": {"libraries": {"a": "1"}, "packages": {"b": "2", "a": "1"}}}
    assert of({}, step).conda == {"a": "1", "b": "2"}


def test_python_among_the_packages_is_the_python():
    assert of({}, {"conda": {"packages": {"python": ">=3.8,<3.9", "numpy": "1"}}}) == StepRequirement(
        python=">=3.8,<3.9", conda={"numpy": "1"}
    )


def test_a_step_that_is_disabled_runs_outside_whatever_else_is_said():
    assert of(BASE, {"named_env": {"disabled": True}}) == DISABLED
    assert of(BASE, {"conda": {"disabled": True, "libraries": {"a": "1"}}}) == DISABLED
    assert of({}, {"named_env": {"name": "team/x", "disabled": True}}) == DISABLED


def test_a_flow_that_is_disabled_is_so_for_steps_that_ask_for_nothing():
    off = {"named_env_base": {"disabled": True}}
    assert of(off, {}) == DISABLED
    assert of(off, {"named_env": {"name": "team/x"}}) == StepRequirement(name="team/x")
    assert of(off, {"pypi": {"packages": {"a": "1"}}}) == StepRequirement(pypi={"a": "1"})
    named = {"named_env_base": {"name": "team/base", "disabled": True}}
    assert of(named, {}) == DISABLED
    assert of(named, {"named_env": {"disabled": False}}) == StepRequirement(name="team/base")
    assert of(named, {"conda": {"libraries": {"a": "1"}}}) == StepRequirement(name="team/base", conda={"a": "1"})


def test_a_bare_conda_or_pypi_asks_for_an_environment():
    assert of({}, {"conda": {}}) == StepRequirement()
    assert of({"pypi_base": {"python": "3.11"}}, {}) == StepRequirement(python="3.11")


def test_virtual_packages_alone_ask_for_nothing():
    assert of({}, {"sys_packages": {"packages": {"__cuda": "12.0"}}}) == DISABLED
    step = {"sys_packages": {"packages": {"__cuda": "12.0"}}, "conda": {"libraries": {"a": "1"}}}
    assert of({"sys_packages_base": {"packages": {"__cuda": "11.8", "__glibc": "2.28"}}}, step).sys_packages == {
        "__cuda": "12.0",
        "__glibc": "2.28",
    }


def test_fetching_at_execution_can_be_turned_off_by_a_step():
    late = {"named_env_base": {"name": "team/base", "fetch_at_exec": True}}
    assert of(late, {}).fetch_at_exec
    assert not of(late, {"named_env": {"fetch_at_exec": False}}).fetch_at_exec


@pytest.mark.parametrize("other", ["conda_base", "pypi_base"])
def test_a_named_flow_defines_nothing(other: str):
    told = refused({**BASE, other: {"packages": {"a": "1"}}}, {})
    assert told.startswith(
        f"Conflicting decorators: @named_env_base cannot be combined with @{other} at the flow level"
    )


@pytest.mark.parametrize(
    ("flow", "step", "told"),
    [
        ({}, {"named_env": {"name": "a", "pathspec": "F/1/s"}}, "`name` and `pathspec` .* exclude each other"),
        ({"named_env_base": {"name": "a", "pathspec": "F"}}, {}, "the flow: `name` and `pathspec`"),
        ({}, {"named_env": {"fetch_at_exec": True}}, "`fetch_at_exec` needs `name` or `pathspec`"),
        ({}, {**LATE, "conda": {"libraries": {"b": "1"}}}, "nothing can be added"),
        ({}, {**LATE, "pypi": {"python": "3.11"}}, "nothing can be added"),
        ({}, {"conda": {"python": "3.10"}, "pypi": {"python": "3.11"}}, "contradict .*: python=3.10 and python=3.11"),
        ({}, {"named_env": {"disabled": True}, "conda": {"disabled": False}}, "contradict each other: disabled=True"),
        ({}, {"conda": {"libraries": {"a": "1"}, "packages": {"a": "2"}}}, "`a` .* twice, as `a 1` and as `a 2`"),
        ({}, {"pypi": {"packages": {"a_b": "1", "A.B": "2"}}}, "`a-b` is asked for twice"),
        ({}, {"conda": {"libraries": {"a": 1.1}}}, "the version of `a` is 1.1: write it in quotes"),
        ({}, {"conda": {"python": 3.1}}, "python=3.1 is not a version in quotes"),
        ({}, {"conda": {"libraries": ["a"]}}, "packages are a table"),
        ({}, {"conda": {"libraries": "a"}}, "`a` is no table of packages"),
        ({}, {"conda": {"libraries": {"": "1"}}}, "'' is not the name of a package"),
        ({}, {"conda": {"channels": 3}}, "`channels` is 3, not a list"),
        ({}, {"named_env": {"name": 3}}, "`name` is 3, not text"),
        ({}, {"named_env": {"name": "a", "disabled": "perhaps"}}, "`disabled` is 'perhaps': it is True or False"),
        ({}, {"sys_packages": {"packages": {"cuda": "12"}}}, "`cuda` is no virtual package"),
    ],
)  # fmt: skip
def test_contradictions_are_refused(flow: Decorators, step: Decorators, told: str):
    assert re.search(told, refused(flow, step))


def test_values_may_come_as_text():
    step = {"named_env": {"name": "team/x", "fetch_at_exec": "True", "disabled": "false"}}
    assert of({}, step) == StepRequirement(name="team/x", fetch_at_exec=True)
    assert of({}, {"conda": {"packages": '{"a": "1"}', "channels": "x, y"}}) == StepRequirement(
        conda={"a": "1"}, channels=("x", "y")
    )
    assert of({}, {"conda": {"python": 3.11}}).python == "3.11"


def test_the_document_of_a_requirement_has_what_is_said_only():
    assert of(BASE, {"conda": {"libraries": {"b": "1", "a": ""}}}).document() == {
        "name": "team/base:v1",
        "conda": {"a": "", "b": "1"},
    }
    assert DISABLED.document() == {"disabled": True}


def test_variables_are_substituted():
    assert substitute("team/x:@{TAG}", {"TAG": "v1"}, "step `a`") == "team/x:v1"
    assert substitute("F/@{RUN}/@{S}", {"RUN": "1", "S": "train"}, "step `a`") == "F/1/train"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("team/x:@{TAG}", "step `a`: `team/x:@{TAG}` needs the variable TAG, which is not set"),
        ("team/x:@{TAG", "has a malformed variable"),
        ("team/x:@{}", "has a malformed variable"),
    ],
)
def test_a_variable_that_is_not_there_is_named(text: str, told: str):
    with pytest.raises(RequirementError) as caught:
        substitute(text, {}, "step `a`")
    assert told in str(caught.value)


def test_an_empty_level_says_nothing():
    assert level([], "the flow") == Level()
