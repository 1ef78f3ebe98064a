from __future__ import annotations

import pytest

from envtag.platforms import PLATFORMS
from envtag.spec.model import MalformedError
from envtag.spec.selectors import evaluate, of_comment

LINUX = {"linux-64", "linux-aarch64"}
OSX = {"osx-64", "osx-arm64"}


@pytest.mark.parametrize(
    ("expression", "platforms"),
    [
        ("linux", LINUX),
        ("linux64", {"linux-64"}),
        ("aarch64", {"linux-aarch64"}),
        ("osx", OSX),
        ("osx64", {"osx-64"}),
        ("arm64", {"osx-arm64"}),
        ("win", {"win-64"}),
        ("win64", {"win-64"}),
        ("unix", LINUX | OSX),
        ("not win", LINUX | OSX),
        ("not not win", {"win-64"}),
        ("linux or win", {*LINUX, "win-64"}),
        ("linux and not aarch64", {"linux-64"}),
        ("win or osx and arm64", {"win-64", "osx-arm64"}),
        ("(win or osx) and not arm64", {"win-64", "osx-64"}),
        ("not (win or osx)", LINUX),
        ("not linux or linux", set(PLATFORMS)),
        ("  linux  ", LINUX),
    ],
)
def test_an_expression_means_a_set_of_platforms(expression, platforms):
    assert evaluate(expression) == platforms


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("py27", "the selector `py27` is unknown"),
        ("arm65", "the selector `arm65` is unknown"),
        ("linux and py<39", "the selector `py<39` is unknown"),
        ("linux-64", "the selector `linux-64` is unknown"),
        ("Linux", "the selector `Linux` is unknown"),
        ("", "the selector is empty"),
        ("  ", "the selector is empty"),
        ("not", "the selector ends too early"),
        ("linux and", "the selector ends too early"),
        ("linux win", "has `win` too many"),
        ("linux)", "has `)` too many"),
        ("(linux", "has a `(` without `)`"),
        ("()", "the selector `)` is unknown"),
        ("and linux", "the selector `and` is unknown"),
        ("linux and win", "selects no platform"),
        ("not (unix or win)", "selects no platform"),
        ("not " * 30 + "win", "nested too deep"),
        ("(" * 5000 + "win", "nested too deep"),
    ],
)
def test_anything_else_is_an_error(expression, reason):
    with pytest.raises(MalformedError) as raised:
        evaluate(expression)
    assert reason in raised.value.reason


@pytest.mark.parametrize(
    ("comment", "platforms"),
    [
        ("# [linux]", LINUX),
        ("#[linux]", LINUX),
        ("#   [ linux ]  since macOS has its own", LINUX),
        ("# needs a GPU [linux64]", {"linux-64"}),
        ("# see [issue 12] [win]", {"win-64"}),
        ("# pinned, see [issue 12]", None),
        ("# array[0]", None),
        ("# linux", None),
        ("#", None),
    ],
)
def test_a_comment_holds_a_selector_or_prose(comment, platforms):
    assert of_comment(comment) == platforms


@pytest.mark.parametrize("comment", ["# [py27]", "#[arm65] for later", "# []"])
def test_a_comment_that_starts_with_unknown_brackets_is_an_error(comment):
    with pytest.raises(MalformedError):
        of_comment(comment)
