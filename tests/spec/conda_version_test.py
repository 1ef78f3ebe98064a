from __future__ import annotations

import pytest

from envtag.spec.conda_version import canonical
from envtag.spec.model import MalformedError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.21.5", "==1.21.5"),
        ("==1.21.5", "==1.21.5"),
        ("=1.21", "1.21.*"),
        ("=1.21.*", "1.21.*"),
        ("1.21.*", "1.21.*"),
        ("1.21*", "1.21.*"),
        ("!=1.21.*", "!=1.21.*"),
        (">=1.21.*", ">=1.21"),
        ("<1.21.*", "<1.21"),
        ("~=1.21", "~=1.21"),
        ("*", ""),
        ("=*", ""),
        ("*,>=1", ">=1"),
        ("*|>=1", ""),
        ("<2,>=1.2", ">=1.2,<2"),
        (">=1.2,<2,>=1.2", ">=1.2,<2"),
        ("!=1.5,<=3,>1", ">1,!=1.5,<=3"),
        ("3.*|2.*", "2.*|3.*"),
        (">=1,<2|>=3", ">=1,<2|>=3"),
        (">=3|<2,>=1", ">=1,<2|>=3"),
        (">=1,(<2|>3)", ">=1,(>3|<2)"),
        ("(>=1,<2),!=1.5", ">=1,!=1.5,<2"),
        ("(1.*|2.*)|3.*", "1.*|2.*|3.*"),
        ("((1.*))", "1.*"),
        (">=1,(*|2)", ">=1"),
        ("9E", "==9e"),
        ("2023C", "==2023c"),
        ("1!2.0", "==1!2.0"),
        ("1.0+abc.1", "==1.0+abc.1"),
        ("1.1.1_", "==1.1.1_"),
        ("1.0-1", "==1.0-1"),
    ],
)
def test_a_constraint_has_one_text(text, expected):
    assert canonical(text) == expected
    assert canonical(expected or "*") == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "a clause of the version is empty"),
        (">=", "`>=` has no version"),
        (">=1,", "a clause of the version is empty"),
        (",>=1", "a clause of the version is empty"),
        ("1||2", "a clause of the version is empty"),
        ("==1.21.*", "`==1.21.*` means one thing to conda and another"),
        (">1.21.*", "means one thing to conda and another"),
        ("<=1.21*", "means one thing to conda and another"),
        ("~=1.21.*", "means one thing to conda and another"),
        ("~=1", "needs two numbers"),
        ("^1.*$", "is a regular expression"),
        ("1.*.2", "is not a version constraint"),
        ("1..2", "is not a version constraint"),
        ("1-2_3", "is not a version constraint"),
        ("===1", "is not a version constraint"),
        ("1" * 19, "is not a version constraint"),
        ("a b", "is not a version constraint"),
        ("(>=1", "has a `(` without `)`"),
        (">=1)", "`)` is in the wrong place"),
        (">=1(<2)", "`(` is in the wrong place"),
        ("(" * 5000 + "1", "nested too deep"),
        ("1\n", "is not a version constraint"),
    ],
)
def test_what_is_malformed_or_ambiguous_is_refused_by_its_clause(text, reason):
    with pytest.raises(MalformedError) as raised:
        canonical(text)
    assert reason in raised.value.reason
