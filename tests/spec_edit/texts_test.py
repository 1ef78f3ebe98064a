from __future__ import annotations

import pytest

from envtag.request import CondaRequirement, PypiRequirement
from envtag.spec_edit.texts import ByHandError, conda_text, pypi_text, without_hashes


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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("my-pkg==1 --hash=sha256:aa", "my-pkg==2 --hash=sha256:b \\\n    --hash=sha256:c"),
        (
            "My_Pkg [x] == 1 ; y \\\n  --hash=sha256:aa \\\n  --hash sha256:bb",
            "My_Pkg [x] ==2 ; y \\\n  --hash=sha256:b \\\n  --hash=sha256:c",
        ),
        ("my-pkg==1 \\\r\n\t--hash=sha512:aa", "my-pkg==2 \\\r\n\t--hash=sha256:b \\\n    --hash=sha256:c"),
        ("my-pkg==1", "my-pkg==2"),
        ("other==1 --hash=sha256:aa", None),
    ],
)
def test_hashes_are_those_of_the_new_version_between_the_same_blanks(text, expected):
    new = pypi_text(text, PypiRequirement(name="my-pkg", text=""), "==2", ("sha256:b", "sha256:c"))
    assert new == expected
    assert "hash" not in without_hashes(text)


def test_other_options_beside_hashes_are_left_to_people():
    with pytest.raises(ByHandError):
        pypi_text("my-pkg==1 -C x=y --hash=sha256:aa", PypiRequirement(name="my-pkg", text=""), "==2", ("sha256:b",))
