from __future__ import annotations

import pytest

from envtag.package import Package
from support.locks import FLASK, NUMPY, SAMPLE


@pytest.mark.parametrize(
    ("packages", "interpreter", "kind"),
    [
        ((NUMPY,), "conda", "conda-only"),
        ((FLASK,), "uv", "pypi-only"),
        ((NUMPY, FLASK), "conda", "mixed"),
        ((), "conda", "conda-only"),
        ((), "uv", "pypi-only"),
    ],
)
def test_the_kind_of_an_environment_is_told_from_its_packages(packages, interpreter, kind):
    assert SAMPLE._replace(packages=packages, interpreter=interpreter).kind == kind


def test_the_packages_of_one_world_keep_their_order():
    names: list[Package] = [item for item in SAMPLE.packages if item.manager == "conda"]
    assert list(SAMPLE.by_manager("conda")) == names
    assert SAMPLE.by_manager("pypi") == (FLASK,)


def test_the_id_is_of_what_is_installed_and_not_of_what_is_said_about_it():
    assert SAMPLE._replace(sources=(), content_hash="", base="").id == SAMPLE.id
    assert SAMPLE._replace(platform="osx-64").id != SAMPLE.id
