from __future__ import annotations

import pytest

from support.locks import FLASK, NUMPY


@pytest.mark.parametrize(
    ("url", "filename", "extension"),
    [
        ("https://e.org/c/noarch/a-1.0-0.conda", "a-1.0-0.conda", "conda"),
        ("https://e.org/c/noarch/a-1.0-0.tar.bz2", "a-1.0-0.tar.bz2", "tar.bz2"),
        ("https://e.org/a-1.0-py3-none-any.whl", "a-1.0-py3-none-any.whl", "whl"),
        ("https://e.org/a-1.0%2Bcpu-py3-none-any.whl?x=1", "a-1.0+cpu-py3-none-any.whl", "whl"),
        ("file:///srv/channel/noarch/a-1.0-0.conda", "a-1.0-0.conda", "conda"),
        ("file:///srv/my%20channel/noarch/a%2B-1.0-0.conda", "a+-1.0-0.conda", "conda"),
        ("https://e.org/a-1.0.tar.gz", "a-1.0.tar.gz", "tar.gz"),
        ("https://e.org/a-1.0.zip", "a-1.0.zip", "zip"),
        ("https://e.org/a-1.0.egg", "a-1.0.egg", "egg"),
        ("git+https://e.org/t/a.git@0a", "flask-3.0.0.tar", "tar"),
        ("git+https://e.org/t/a.git@0a#subdirectory=x/y", "flask-3.0.0@x@y.tar", "tar"),
        ("envtag-build:a-1.0%2Bcpu-py3-none-any.whl", "a-1.0+cpu-py3-none-any.whl", "whl"),
    ],
)
def test_a_package_knows_its_archive_by_its_url(url: str, filename: str, extension: str):
    package = FLASK._replace(url=url)
    assert (package.filename, package.extension) == (filename, extension)


def test_the_same_name_may_be_there_once_per_world():
    assert NUMPY.key == ("conda", "numpy")
    assert NUMPY._replace(manager="pypi").key == ("pypi", "numpy")


def test_a_package_is_called_as_its_world_does():
    assert str(NUMPY) == "numpy 1.26.4 py311h64a7726_0"
    assert str(FLASK) == "flask 3.0.0"


@pytest.mark.parametrize(
    ("url", "is_source", "is_commit"),
    [
        ("https://e.org/a-1.0-py3-none-any.whl", False, False),
        ("https://e.org/a-1.0.tar.gz", True, False),
        ("https://e.org/a-1.0.zip", True, False),
        ("https://e.org/a-1.0.tar.bz2", True, False),
        ("git+https://e.org/t/a.git@0a", True, True),
    ],
)
def test_what_must_be_built_is_a_source(url: str, is_source: bool, is_commit: bool):
    package = FLASK._replace(url=url)
    assert (package.is_source, package.is_commit) == (is_source, is_commit)
    assert not NUMPY._replace(url="https://e.org/c/noarch/a-1.0-0.tar.bz2").is_source
