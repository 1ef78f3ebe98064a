from __future__ import annotations

import pytest

from envtag.errors import FatalError
from envtag.package import Package
from envtag.updating.targets import check_pypi_versions, parse_target, unknown
from support.packages import make_lock


def package(manager, name: str) -> Package:
    return Package(manager=manager, name=name, version="1", url=f"https://x.example/{name}.conda", sha256="a" * 64)


LOCK = make_lock([package("conda", "my_pkg"), package("pypi", "my-pkg"), package("pypi", "other")], python="3.11")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("numpy", ("numpy", "", "")),
        (" numpy >= 2, <3", ("numpy", "", ">= 2, <3")),
        ("numpy=1.26", ("numpy", "", "=1.26")),
        ("numpy 1.26.*", ("numpy", "", "1.26.*")),
        ("conda:numpy!=2", ("numpy", "conda", "!=2")),
        ("pypi:My_Pkg", ("My_Pkg", "pypi", "")),
        ("_libgcc_mutex", ("_libgcc_mutex", "", "")),
    ],
)
def test_a_package_and_its_version_are_told_apart(text, parts):
    target = parse_target(text)
    assert (target.name, target.manager, target.versions) == parts


@pytest.mark.parametrize("text", ["", ">=2", "a[b]", "-x", "a @ https://x.example", "a;b", "pip:a"])
def test_what_is_no_package_is_refused(text):
    with pytest.raises(FatalError, match="is not a package to update"):
        parse_target(text)


def test_a_name_is_looked_for_in_both_worlds_as_each_spells_it():
    assert parse_target("My_Pkg").keys(LOCK) == [("conda", "my_pkg"), ("pypi", "my-pkg")]
    assert parse_target("pypi:my_pkg").keys(LOCK) == [("pypi", "my-pkg")]
    assert parse_target("nothing").keys(LOCK) == []


def test_a_package_that_is_not_there_is_told_with_what_it_may_have_been():
    error = unknown(parse_target("othre"), "x", [LOCK])
    assert (error.message, "did you mean `other`?" in error.hint) == ("no lock of `x` has `othre`", True)
    error = unknown(parse_target("other"), "x", [LOCK], [LOCK])
    assert error.message == "`other` is of the environment that `x` extends, which is kept exactly"


def test_a_version_as_conda_writes_it_is_none_of_pypis():
    check_pypi_versions(parse_target("a>=2,<3"))
    with pytest.raises(FatalError) as caught:
        check_pypi_versions(parse_target("a=2"))
    assert caught.value.hint == "for example `a==2`"
