from __future__ import annotations

import itertools

import pytest

from envtag.diff.versions import compare, level

#: The example of conda's own `VersionOrder`, oldest first; those on one line are equal.
CONDA = [
    ["0.4", "0.4.0"],
    ["0.4.1.rc"],
    ["0.4.1"],
    ["0.5a1"],
    ["0.5b3"],
    ["0.5C1", "0.5c1"],
    ["0.5"],
    ["0.9.6"],
    ["0.960923"],
    ["1.0"],
    ["1.1dev1"],
    ["1.1_", "1.1_"],
    ["1.1a1"],
    ["1.1.0dev1"],
    ["1.1.a1"],
    ["1.1.0rc1"],
    ["1.1.0", "1.1"],
    ["1.1.0post1"],
    ["1.1post1"],
    ["1996.07.12"],
    ["1!0.4.1"],
    ["1!3.1.1.6"],
    ["2!0.4.1"],
]
OTHERS = [
    "1.0.1",
    "1.0.1_",
    "1.0.1a",
    "1.0+abc",
    "1.0+abc.2",
    "1.0-1",
    "1.0_1",
    "2024a",
    "2024b",
    "9e",
    "1.2.3.post0",
    "x",
]


@pytest.mark.parametrize(("older", "newer"), [("1.0.1_", "1.0.1a"), ("1.0.1a", "1.0.1b")])
def test_openssl_is_ordered_by_its_letters(older, newer):
    assert compare("conda", older, newer) == -1


def test_condas_order_is_rattlers():
    from rattler import Version

    known = [text for group in CONDA for text in group] + OTHERS
    for one, other in itertools.product(known, known):
        first, second = Version(one), Version(other)
        expected = (first > second) - (first < second)
        assert compare("conda", one, other) == expected, (one, other)


@pytest.mark.parametrize(
    ("older", "newer"),
    [("1.0a1", "1.0"), ("1.0.dev1", "1.0a1"), ("1.0", "1.0.post1"), ("2024.1", "1!0.1"), ("1.9", "1.10")],
)
def test_pypi_versions_follow_pep_440(older, newer):
    assert (compare("pypi", older, newer), compare("pypi", newer, older)) == (-1, 1)


def test_equal_versions_may_be_written_in_two_ways():
    assert compare("pypi", "1.0", "1.0.0") == 0
    assert compare("conda", "1.0", "1.0.0") == 0
    assert compare("pypi", "1.0-1", "1.0.post1") == 0
    assert compare("conda", "1.0-1", "1.0.post1") != 0


def test_a_pypi_version_that_is_none_is_ordered_all_the_same():
    assert compare("pypi", "1.0-final-x", "1.1-final-x") == -1


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("1.2.3", "2.0.0", "major"), ("1.2.3", "1.3.0", "minor"), ("1.2.3", "1.2.4", "patch"),
        ("1.2", "1.2.0.1", "patch"),
        ("1.0", "1!1.0", "major"), ("2024.1", "2025.1", "major"), ("1.0a1", "1.0", "patch"), ("1", "1.1", "minor"),
        ("2024a", "2024b", "patch"), ("v1.0", "v2.0", "major"), ("latest", "1.0", ""),
        ("3.0.1", "3.0.1+cu118", "patch"),
    ],
)  # fmt: skip
def test_the_first_number_that_differs_says_how_much(one, other, expected):
    assert level(one, other) == level(other, one) == expected
