from __future__ import annotations

from dataclasses import replace

import pytest

from support.locks import FLASK, NUMPY


@pytest.mark.parametrize(
    ("url", "filename", "extension"),
    [
        ("https://e.org/c/noarch/a-1.0-0.conda", "a-1.0-0.conda", "conda"),
        ("https://e.org/c/noarch/a-1.0-0.tar.bz2", "a-1.0-0.tar.bz2", "tar.bz2"),
        ("https://e.org/a-1.0-py3-none-any.whl", "a-1.0-py3-none-any.whl", "whl"),
        ("https://e.org/a-1.0%2Bcpu-py3-none-any.whl?x=1", "a-1.0+cpu-py3-none-any.whl", "whl"),
        ("https://e.org/a-1.0.tar.gz", "a-1.0.tar.gz", "tar.gz"),
        ("https://e.org/a-1.0.zip", "a-1.0.zip", "zip"),
        ("https://e.org/a-1.0.egg", "a-1.0.egg", "egg"),
    ],
)
def test_a_package_knows_its_archive_by_its_url(url: str, filename: str, extension: str):
    package = replace(FLASK, url=url)
    assert (package.filename, package.extension) == (filename, extension)


def test_the_same_name_may_be_there_once_per_world():
    assert NUMPY.key == ("conda", "numpy")
    assert replace(NUMPY, manager="pypi").key == ("pypi", "numpy")


def test_a_package_is_called_as_its_world_does():
    assert str(NUMPY) == "numpy 1.26.4 py311h64a7726_0"
    assert str(FLASK) == "flask 3.0.0"
