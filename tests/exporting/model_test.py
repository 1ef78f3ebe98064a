from __future__ import annotations

from dataclasses import replace

import pytest

from envtag.errors import FatalError
from envtag.exporting.model import Subject, count, refuse_without
from support.locks import FLASK, NUMPY, SAMPLE

BOTH = Subject(name="mlp/team/base:v5", locks=(SAMPLE, SAMPLE._replace(platform="osx-arm64")))


def test_packages_of_several_platforms_are_each_there_once():
    assert BOTH.packages("pypi") == [FLASK]
    assert BOTH.packages("conda")[0] == NUMPY
    assert BOTH.plain_name == "base"
    assert BOTH.interpreter == "conda"


def test_a_document_of_one_platform_is_made_of_one_lock():
    assert replace(BOTH, locks=(SAMPLE,)).only == SAMPLE
    with pytest.raises(ValueError, match="one lock"):
        _ = BOTH.only


def test_an_environment_without_a_world_is_refused_by_name():
    pure = Subject(name="a:v1", locks=(SAMPLE._replace(packages=(FLASK,)),))
    refuse_without(pure, "pypi", "x", "y")
    with pytest.raises(FatalError, match=r"`a:v1` has no conda packages, and pixi.lock holds no others"):
        refuse_without(pure, "conda", "pixi.lock", "y")
    assert count([FLASK], "PyPI") == "1 PyPI package"
    assert count([FLASK, FLASK], "PyPI") == "2 PyPI packages"
