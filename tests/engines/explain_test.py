from __future__ import annotations

import pytest

from envtag.engines.explain import Stated, explanation, mentions, named_in, together, trim
from envtag.errors import UnsolvableError


def test_a_long_explanation_is_cut_and_says_by_how_much():
    text = "\n".join(f"line {number}" for number in range(100))
    shown = trim(text, 60).splitlines()
    assert shown[0] == "line 0"
    assert shown[59] == "line 59"
    assert shown[60:] == ["(+40 more lines)"]


def test_a_short_explanation_is_left_as_it_is():
    assert trim("one\n  two\n\n") == "one\n  two"


def test_equal_lines_that_follow_each_other_are_shown_once():
    assert trim("a\na\nb\na") == "a\nb\na"


def test_a_very_long_line_is_cut_and_says_so():
    shown = trim("x" * 1000)
    assert shown.endswith("(+600 more characters)")
    assert len(shown) < 500


@pytest.mark.parametrize(
    ("text", "name", "found"),
    [
        ("└─ python >=3.11, which", "python", True),
        ("└─ python_abi 3.11.*", "python", False),
        ("└─ ipython 8", "python", False),
        ("└─ python-dateutil 2", "python", False),
        ("only numpy<2 is available", "numpy", True),
        ("No candidates were found for nosuch.", "nosuch", True),
        ("because backports.zoneinfo==1", "backports", False),
        ("Because Flask>=3", "flask", True),
    ],
)
def test_a_package_is_mentioned_as_a_whole_word(text: str, name: str, found: bool):
    assert mentions(text, name) is found


def test_only_statements_about_named_packages_are_kept_in_order_each_once():
    one = Stated(name="numpy", text="`numpy 1.26.*`", source="environment.yml:4")
    two = Stated(name="python", text="`python 3.12.*`", source="--python")
    three = Stated(name="flask", text="`flask`", source="environment.yml:9")
    assert named_in("numpy 1 would require python <3", [one, two, three, one]) == [one, two]


def test_an_explanation_ends_with_who_asked_and_shows_no_replaced_text():
    asked = [Stated(name="numpy", text="`numpy 1.26.*`", source="environment.yml:4")]
    shown = explanation(
        "numpy 2 from file:///mirror/x is out", {"asked for by": asked}, {"file:///mirror": "https://c"}
    )
    assert shown == "numpy 2 from https://c/x is out\nasked for by:\n  environment.yml:4: `numpy 1.26.*`"


def test_one_failure_is_itself():
    error = UnsolvableError("no", "hint", "detail")
    assert together({"linux-64": error}) is error


def test_failures_of_several_platforms_are_all_told_and_equal_ones_once():
    failures = {
        "linux-64": UnsolvableError("no set on `linux-64`", "relax", "same tree"),
        "osx-64": UnsolvableError("no set on `osx-64`", "relax", "same tree"),
        "win-64": UnsolvableError("no set on `win-64`", "other hint", "other tree"),
    }
    error = together(failures)
    assert error.message == "there is no solution on `linux-64`, `osx-64`, `win-64`"
    assert error.hint == "relax; other hint"
    assert error.detail == "`linux-64`, `osx-64`: no set\nsame tree\n\n`win-64`: no set\nother tree"
