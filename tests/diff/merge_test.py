from __future__ import annotations

import pytest

from envtag.diff.merge import build_number
from support.diffs import changed, conda, content, lock


def rows(before, after, direct=()):
    """The rows between two sides of platform to packages."""
    sides = [
        content(*(lock(*items, platform=name) for name, items in side.items()), direct=direct)
        for side in (before, after)
    ]
    return changed(*sides).rows


def test_the_same_change_on_several_platforms_is_one_row():
    (row,) = rows(
        {"linux-64": [conda("a", "1.0", build="l_0")], "osx-arm64": [conda("a", "1.0", build="o_0")]},
        {"linux-64": [conda("a", "2.0", build="l_0")], "osx-arm64": [conda("a", "2.0", build="o_0")]},
    )
    assert row.platforms == ("linux-64", "osx-arm64")
    assert [row.changes[name].after.build for name in row.platforms] == ["l_0", "o_0"]


@pytest.mark.parametrize(
    "other",
    [
        conda("a", "2.1"),
        conda("a", "2.0", channel="https://o.example.org/x"),
        conda("a", "2.0", license="GPL"),
    ],
)
def test_what_a_reader_would_tell_apart_is_two_rows(other):
    before = {"linux-64": [conda("a")], "osx-arm64": [conda("a")]}
    assert len(rows(before, {"linux-64": [conda("a", "2.0")], "osx-arm64": [other]})) == 2


def test_rebuilds_are_one_row_if_their_numbers_are_the_same():
    before = {"linux-64": [conda("a", build="l_0")], "osx-arm64": [conda("a", build="o_0")]}
    same = {"linux-64": [conda("a", build="l_1")], "osx-arm64": [conda("a", build="o_1")]}
    other = {"linux-64": [conda("a", build="l_1")], "osx-arm64": [conda("a", build="o_2")]}
    assert len(rows(before, same)) == 1
    assert len(rows(before, other)) == 2


def test_direct_packages_come_first_then_the_surprising_ones():
    before = {"linux-64": [conda(name, "2.0") for name in ("down", "gone", "major", "minor", "mine")]}
    after = {
        "linux-64": [
            conda("down", "1.0"),
            conda("major", "3.0"),
            conda("minor", "2.1"),
            conda("mine", "2.0.1"),
            conda("new"),
        ]
    }
    assert [row.name for row in rows(before, after, ["mine"])] == ["mine", "down", "new", "gone", "major", "minor"]


def test_a_package_that_left_is_direct_if_it_was_asked_for_before():
    before = content(lock(conda("a"), conda("b")), direct=["a"])
    found = changed(before, content(lock(), direct=[])).rows
    assert {row.name: row.direct for row in found} == {"a": True, "b": False}
    assert {row.name: row.why for row in found} == {"a": ("a",), "b": ()}


def test_without_a_spec_nothing_is_known_to_be_direct():
    found = changed(content(lock(), direct=None), content(lock(conda("a")), direct=None))
    assert [row.direct for row in found.rows] == [None]
    assert not found.knows_direct


@pytest.mark.parametrize(
    ("build", "number"), [("py311h64a7726_0", "0"), ("3", "3"), ("h1_12_cpython", "12"), ("abc", ""), ("", "")]
)
def test_the_number_of_a_build(build, number):
    assert build_number(build) == number
