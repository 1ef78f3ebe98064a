from __future__ import annotations

import pytest

from envtag.diff import words
from support.diffs import changed, conda, content, eventful, lock, pypi


def row(before, after, *more):
    """The only row between one package and another, on one platform or on more."""
    pairs = [("linux-64", before, after), *more]
    sides = [content(*(lock(pair[side], platform=pair[0]) for pair in pairs)) for side in (1, 2)]
    (found,) = changed(*sides).rows
    return found


@pytest.mark.parametrize(
    ("size", "told"), [(0, "0.0 MB"), (14_200_000, "+14.2 MB"), (-50_000_000, "-50.0 MB"), (-9, "0.0 MB")]
)
def test_differences_have_a_sign(size, told):
    assert words.difference(size) == told


def test_counts_are_words():
    assert [words.count(number, "row") for number in (0, 1, 2, 1234)] == ["0 rows", "1 row", "2 rows", "1,234 rows"]


def test_platforms_are_all_both_or_named():
    assert words.platforms(["a", "b", "c", "d"], 4) == "all 4 platforms"
    assert words.platforms(["a", "b"], 2) == "both platforms"
    assert words.platforms(["a", "b"], 3) == "a, b"
    assert words.platforms(["a"], 1) == "a"


def test_an_environment_is_summed_up_in_one_line():
    (item,) = eventful().environments
    assert words.summary(item) == (
        "2 added, 1 removed, 2 upgraded (1 major), 1 downgraded, 2 rebuilt, 2 SAME VERSION, OTHER HASH, "
        "1 other metadata, same hash · download +23.2 MB · both platforms"
    )


def test_a_new_environment_is_summed_up_by_its_packages():
    found = changed(None, content(lock(conda("a")), lock(conda("a"), conda("b"), platform="win-64")))
    assert words.summary(found).startswith("environment added with 1 to 2 packages · download +1.0 MB to +2.0 MB")
    assert words.summary(changed(None, content())) == "environment added with no lock"


def test_a_new_platform_is_said():
    found = changed(content(lock(conda("a"))), content(lock(conda("a")), lock(conda("a"), platform="win-64")))
    assert words.summary(found) == "platform added: win-64 · download +1.0 MB · win-64"


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (conda("a", "1"), conda("a", "2"), ("1", "2")),
        (conda("a", build="x_0"), conda("a", build="y_1"), ("1.0 x_0", "1.0 y_1")),
        (conda("a", "1"), pypi("a", "2"),
         ("conda 1 from https://channels.example.org/main", "pypi 2 from files.example.org")),
        (conda("a", license="MIT"), conda("a", license="BSD"), ("1.0 license: MIT", "1.0 license: BSD")),
        (conda("a", depends=("b", "c")), conda("a", depends=("b", "d")), ("1.0 depends: c", "1.0 depends: d")),
        (pypi("a", sha256="b" * 64), pypi("a", sha256="c" * 64), (f"1.0 sha256:{'b' * 16}", f"1.0 sha256:{'c' * 16}")),
        (
            pypi("a", sha256="b" * 64),
            pypi("a", index="https://files.example.org/x", sha256="b" * 64),
            ("https://files.example.org/packages/a-1.0-py3-none-any.whl", "https://files.example.org/x/a-1.0-py3-none-any.whl"),
        ),
    ],
)  # fmt: skip
def test_both_sides_say_what_differs(before, after, told):
    assert words.versions(row(before, after)) == told


def test_builds_that_differ_by_platform_are_their_numbers():
    found = row(
        conda("a", build="x_0"), conda("a", build="x_1"), ("win-64", conda("a", build="w_0"), conda("a", build="w_1"))
    )
    assert words.versions(found) == ("1.0 build 0", "1.0 build 1")
    found = row(conda("a", build="x"), conda("a", build="y"), ("win-64", conda("a", build="v"), conda("a", build="w")))
    assert words.versions(found) == ("1.0", "1.0")


def test_what_a_change_weighs_is_known_or_said_not_to_be():
    assert words.weight_of(row(conda("a", "1", size=0), conda("a", "2", size=2_000_000))) == "+2.0 MB"
    assert words.weight_of(row(conda("a", "1"), conda("a", "2", size=None))) == "not known"
    found = row(conda("a", "1"), conda("a", "2"), ("win-64", conda("a", "1"), conda("a", "2", size=3_000_000)))
    assert words.weight_of(found) == "0.0 MB to +2.0 MB"
