from __future__ import annotations

import pytest

from envtag.engines import PypiProblem
from envtag.errors import FatalError
from envtag.hashes import check_stated, stated_hashes
from envtag.package import Package
from envtag.request import PypiOptions, PypiRequirement

A, B, C = 64 * "a", 64 * "b", 64 * "c"


def asked(text, *digests, constraint=False):
    hashes = tuple(f"sha256:{digest}" for digest in digests)
    return PypiRequirement(name=text.partition("=")[0], text=text, hashes=hashes, constraint=constraint)


def package(name, digest):
    return Package(
        manager="pypi", name=name, version="1", url=f"https://h.example/{name}-1-py3-none-any.whl", sha256=digest
    )


def test_what_two_requirements_state_is_what_both_state():
    stated = stated_hashes(
        [asked("x==1", A, B), asked("x==1", B, C, constraint=True), asked("y==1")], "linux-64", "3.11"
    )
    assert stated == {"x": frozenset({B})}


def test_a_marker_that_does_not_hold_states_nothing():
    windows = asked('x==1; sys_platform == "win32"', A)
    assert stated_hashes([windows], "linux-64", "3.11") == {}
    assert stated_hashes([windows], "win-64", "3.11") == {"x": frozenset({A})}


def problem(*requirements, **options):
    return PypiProblem(platform="linux-64", python="3.11", requirements=requirements, options=PypiOptions(**options))


def test_an_answer_of_stated_hashes_passes():
    check_stated([package("x", A)], problem(asked("x==1", A)))
    check_stated([package("x", A)], problem(asked("x==1")))


def test_a_package_that_no_requirement_states_is_named_with_what_to_add():
    with pytest.raises(FatalError, match="`y 1` is needed on `linux-64`, and no requirement states its hash") as raised:
        check_stated([package("x", A), package("y", B)], problem(asked("x==1", A)))
    assert f"y==1 --hash=sha256:{B}" in raised.value.hint
    with pytest.raises(FatalError, match="no requirement states its hash"):
        check_stated([package("y", B)], problem(require_hashes=True))


def test_another_file_than_the_stated_one_is_named():
    with pytest.raises(FatalError, match="no file of `x 1` for `linux-64` has a hash that its requirement states"):
        check_stated([package("x", B)], problem(asked("x==1", A)))
