from __future__ import annotations

import pytest

from envtag.request import CondaRequirement, PypiRequirement
from envtag.spec_edit.texts import ByHandError, conda_text, pypi_text


@pytest.mark.parametrize(
    ("text", "build", "versions", "expected"),
    [
        ("numpy", "", ">=2", "numpy>=2"),
        ("NumPy >=1", "", ">=2", "NumPy >=2"),
        ("main::numpy", "", "2.*", "main::numpy 2.*"),
        ("numpy 1 *mkl*", "*mkl*", ">=2", "numpy >=2 *mkl*"),
        ("numpy 1 h1_0", "h1_0", ">=2", "numpy >=2"),
        ("numpy-base 1", "", ">=2", None),
        ("scipy", "", ">=2", None),
    ],
)
def test_a_match_spec_gets_other_versions(text, build, versions, expected):
    assert conda_text(text, CondaRequirement(name="numpy", build=build), versions) == expected


def test_brackets_are_left_to_people():
    with pytest.raises(ByHandError):
        conda_text("numpy[version='>=1']", CondaRequirement(name="numpy"), ">=2")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("My_Pkg", "My_Pkg>=2"),
        ("my.pkg [a, b] ==1 ; x == '1'", "my.pkg [a, b] >=2 ; x == '1'"),
        ("my-pkg>1,<2", "my-pkg>=2"),
        ("my-pkgs", None),
        ("-r my-pkg", None),
    ],
)
def test_a_requirement_gets_other_versions(text, expected):
    assert pypi_text(text, PypiRequirement(name="my-pkg", text=""), ">=2") == expected


@pytest.mark.parametrize("text", ["my-pkg @ https://x.example/a.whl", "my-pkg==1 --hash=sha256:aa", "my-pkg -C x=y"])
def test_what_is_of_one_version_is_left_to_people(text):
    with pytest.raises(ByHandError):
        pypi_text(text, PypiRequirement(name="my-pkg", text=""), ">=2")
