from __future__ import annotations

import pytest

from envtag.engine_choice import DEFAULTS, ENGINES, changed_engines, check_engines, engine_of
from envtag.engines import CONDA_ENGINES, PYPI_ENGINES
from envtag.errors import FatalError


def test_every_engine_that_there_is_may_be_chosen_for_its_world():
    assert {name for name, world in ENGINES.items() if world == "conda"} == set(CONDA_ENGINES)
    assert {name for name, world in ENGINES.items() if world == "pypi"} == set(PYPI_ENGINES)
    assert all(ENGINES[name] == world for world, name in DEFAULTS.items())


def test_what_is_chosen_is_what_differs_from_the_defaults_in_one_order():
    assert check_engines([]) == check_engines(["rattler"]) == check_engines(["uv", "rattler"]) == ()
    assert check_engines(["pip-tools", "conda-lock"]) == ("conda-lock", "pip-tools")
    assert check_engines(["conda-lock", "uv", "conda-lock"]) == ("conda-lock",)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["poetry"], "`poetry` is not an engine that envtag knows"),
        (["rattler", "conda-lock"], "`rattler` and `conda-lock` both solve conda packages"),
        (["pip-tools", "uv"], "`pip-tools` and `uv` both solve PyPI packages"),
    ],
)
def test_an_unknown_engine_and_two_of_one_world_are_refused(names: list[str], message: str):
    with pytest.raises(FatalError) as caught:
        check_engines(names)
    assert caught.value.message == message
    assert caught.value.hint


def test_a_world_has_the_engine_that_was_chosen_or_its_default():
    assert engine_of("conda", ("pip-tools",)) == "rattler"
    assert engine_of("pypi", ("conda-lock", "pip-tools")) == "pip-tools"


def test_a_named_engine_takes_the_place_of_its_worlds_and_a_default_one_takes_it_back():
    assert changed_engines((), ()) == ()
    assert changed_engines(("pip-tools",), ("conda-lock",)) == ("conda-lock", "pip-tools")
    assert changed_engines(("conda-lock", "pip-tools"), ("rattler",)) == ("pip-tools",)
    assert changed_engines(("conda-lock",), ("rattler", "uv")) == ()
    with pytest.raises(FatalError, match="both solve conda packages"):
        changed_engines((), ("rattler", "conda-lock"))
