from __future__ import annotations

import pytest

from envtag.errors import FatalError
from envtag.spec.dependency_groups import by_name, group, optional
from envtag.spec.toml_lines import Lines

LINES = Lines("pyproject.toml", "")


def test_a_group_holds_what_it_includes_where_it_includes_it():
    groups = {"a": ["x", {"include-group": "B"}, "z"], "b": ["y", {"include-group": "c"}], "c": []}
    assert list(group(groups, "a", LINES)) == ["x", "y", "z"]


def test_a_group_may_be_included_twice_but_not_in_itself():
    groups = {"a": [{"include-group": "c"}, {"include-group": "c"}], "c": ["x"]}
    assert list(group(groups, "a", LINES)) == ["x", "x"]
    with pytest.raises(FatalError, match="it includes itself: a → a"):
        list(group({"a": [{"include-group": "a"}]}, "a", LINES))


def test_the_projects_own_extras_are_those_of_these_and_another_projects_are_not():
    extras = {"a": ["app[b]", "other[b]", "not a requirement"], "b": ["x"]}
    assert list(optional(extras, "app", "a", LINES)) == ["x", "other[b]", "not a requirement"]


def test_names_are_compared_without_case_and_dashes():
    assert by_name({"A_b": 1, "c": 2}, "groups", LINES) == {"a-b": 1, "c": 2}
    with pytest.raises(FatalError, match="two groups have this name"):
        by_name({"A_b": 1, "a-B": 2}, "groups", LINES)
