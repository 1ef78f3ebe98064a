from __future__ import annotations

import pytest

from envtag.importing.satisfied import check_satisfied
from envtag.request import CondaRequirement, Origin, PypiRequirement, Request
from support.foreign import refusal
from support.locks import FLASK, NUMPY, PYTHON

COMMIT = FLASK._replace(name="gitty", url="git+https://host.example.org/gitty@" + "a" * 40)
PACKAGES = {"linux-64": (NUMPY, PYTHON, FLASK, COMMIT)}
AT = Origin(file="environment.yml", line=4)


def refused(*requirements: CondaRequirement | PypiRequirement, python: str = "") -> str:
    request = Request(
        interpreter="conda",
        python=python,
        conda=tuple(item for item in requirements if isinstance(item, CondaRequirement)),
        pypi=tuple(item for item in requirements if isinstance(item, PypiRequirement)),
    )
    return refusal(lambda: check_satisfied(request, PACKAGES, {"linux-64": {"numpy": "1.26.4"}}, python=""))


def conda(name: str, version: str = "", build: str = "", **fields) -> CondaRequirement:
    return CondaRequirement(name=name, version=version, build=build, origin=AT, **fields)


def pypi(text: str, **fields) -> PypiRequirement:
    name = (
        text.split("=", maxsplit=1)[0]
        .split(">", maxsplit=1)[0]
        .split("<", maxsplit=1)[0]
        .split(" ", maxsplit=1)[0]
        .split(";", maxsplit=1)[0]
        .split("[", maxsplit=1)[0]
    )
    return PypiRequirement(name=name, text=text, origin=AT, **fields)


@pytest.mark.parametrize(
    "item",
    [
        conda("numpy"),
        conda("numpy", ">=1.26,<2"),
        conda("numpy", "", "py311*"),
        conda("absent", platforms=frozenset({"osx-64"})),
        pypi("flask>=3"),
        pypi("flask[async]==3.0.0"),
        pypi("absent; sys_platform == 'win32'"),
        pypi("absent", platforms=frozenset({"osx-64"})),
        pypi("absent<2", constraint=True),
        pypi("numpy>=1"),
        pypi(f"flask @ {FLASK.url}"),
        pypi("gitty @ git+https://host.example.org/gitty@main"),
    ],
)
def test_what_is_asked_for_and_there_is_fine(item):
    assert refused(item, python=">=3.11,<3.12") == ""


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (
            conda("numpy", ">=2"),
            "environment.yml:4: `numpy >=2` is asked for, and `numpy 1.26.4 py311h64a7726_0` is there on `linux-64`",
        ),
        (conda("numpy", "", "py312*"), "is asked for, and `numpy 1.26.4"),
        (conda("absent"), "environment.yml:4: `absent` is asked for, and it is not there on `linux-64`"),
        (pypi("flask<3"), "`flask<3` is asked for, and `flask 3.0.0` is there"),
        (pypi("flask<3", constraint=True), "`flask<3` is asked for"),
        (pypi("absent"), "`absent` is asked for, and it is not there"),
        (pypi("numpy>=2"), "`numpy>=2` is asked for"),
        (pypi("flask @ https://files.example.org/flask-2-py3-none-any.whl"), "is asked for"),
        (pypi("gitty @ git+https://host.example.org/other@main"), "is asked for"),
    ],
)
def test_what_is_not_is_refused_where_it_was_written(item, message):
    assert message in refused(item)


def test_another_python_is_refused():
    assert refused(python=">=3.12") == "Python `>=3.12` is asked for, and 3.11.7 is there on `linux-64`"
