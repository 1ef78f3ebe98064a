from __future__ import annotations

import pytest
from packaging.specifiers import SpecifierSet

from envtag.engines.python_version import conda_version, minor_of, only_minor, permits


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        ("==3.11.*", "3.11.*"),
        ("==3.11.7", "==3.11.7"),
        (">=3.8,<3.9", ">=3.8,<3.9"),
        ("~=3.11", "~=3.11"),
        ("!=3.12.*", "!=3.12.*"),
        (">=3.10,!=3.11.2,<3.13", ">=3.10,!=3.11.2,<3.13"),
    ],
)
def test_a_constraint_is_put_in_condas_words(constraint: str, expected: str):
    assert conda_version(constraint) == expected


@pytest.mark.parametrize(
    "constraint",
    ["==3.11.*", "==3.11.7", ">=3.10,<3.12", "~=3.11", "~=3.11.2", "!=3.11.*", ">3.11", "!=3.11.7", "<=3.11"],
)
def test_conda_reads_it_as_pep_440_does(constraint: str):
    from rattler import Version, VersionSpec

    versions = ["3.9.0", "3.10.0", "3.10.13", "3.11.0", "3.11.1", "3.11.2", "3.11.7", "3.12.0", "3.12.1", "4.0.0"]
    read = VersionSpec(conda_version(constraint))
    assert [text for text in versions if read.matches(Version(text))] == [
        text for text in versions if SpecifierSet(constraint).contains(text)
    ]


@pytest.mark.parametrize(
    ("constraint", "minor"),
    [
        ("==3.11.*", "3.11"),
        ("==3.11.7", "3.11"),
        (">=3.11,<3.12", "3.11"),
        (">=3.11.4,<3.12", "3.11"),
        ("~=3.11.2", "3.11"),
        (">=3.11", ""),
        ("", ""),
        (">=3.11,<3.13", ""),
        ("==2.7.*", ""),
    ],
)
def test_a_constraint_that_leaves_one_minor_version_decides_it(constraint: str, minor: str):
    assert only_minor(constraint) == minor


def test_a_minor_version_is_permitted_if_any_of_its_releases_is():
    assert permits(">=3.11.4", "3.11")
    assert not permits(">=3.12", "3.11")


def test_the_minor_version_of_a_full_one():
    assert minor_of("3.11.9") == "3.11"
    assert minor_of("3.13.0rc1") == "3.13"
