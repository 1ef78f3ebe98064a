"""The quick part of the suite is told from the rest by what tests reach."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from envtag.prefix import pypi
from support import parts
from support.repository import GitRepo
from support.web import web_server


def starts_a_program() -> None:
    subprocess.run(["true"], check=True)


def calls_what_starts_a_program() -> None:
    starts_a_program()


def has_it_inside() -> Any:
    def inside() -> None:
        starts_a_program()

    return inside


def imports_it() -> None:
    import subprocess as named

    assert named


def serves() -> None:
    with web_server():
        pass


def asks_git(place: Path) -> None:
    GitRepo.create(place)


def computes() -> int:
    return sum(range(3))


def lets_envtag_run_uv() -> None:
    pypi.install([], {}, Path(), "", directories=None, offline=True, output=None)


@pytest.mark.parametrize(
    "function",
    [starts_a_program, calls_what_starts_a_program, has_it_inside, imports_it, serves, lets_envtag_run_uv],
)
def test_what_starts_a_program_or_a_server_is_not_quick_however_deep_that_is(function: Any):
    assert parts.reaches_world(function)


@pytest.mark.parametrize("function", [asks_git, computes])
def test_git_and_what_computes_are_quick(function: Any):
    assert not parts.reaches_world(function)


def test_this_one_is_marked_as_quick(request: pytest.FixtureRequest):
    assert request.node.get_closest_marker("unit") is not None


def test_no_test_that_takes_a_channel_a_server_or_a_registry_of_commands_is(request: pytest.FixtureRequest):
    for item in request.session.items:
        if {"conda_channel", "s3", "story", "run_envtag"} & set(getattr(item, "fixturenames", ())):
            assert item.get_closest_marker("unit") is None, item.nodeid


def test_what_asks_for_a_server_by_name_is_not_quick(request: pytest.FixtureRequest):
    def asking(request: pytest.FixtureRequest) -> object:
        return request.getfixturevalue("s3")

    assert any(parts.reaches_world(found) for found in parts._asked_by_name(asking, request.node) if found is not None)
