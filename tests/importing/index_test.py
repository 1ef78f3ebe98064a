from __future__ import annotations

from dataclasses import replace

import pytest

from envtag.errors import FatalError
from envtag.importing.index import locate
from envtag.importing.model import Entry
from envtag.package import Package
from support.foreign import CHOICE
from support.packages import pypi_package


@pytest.fixture
def ask(client, pypi_index):
    def call(*entries: Entry, platform: str = "linux-64", python: str = "3.11"):
        return locate(
            entries,
            platform=platform,
            python=python,
            index_url=pypi_index.url,
            extra_index_urls=(),
            virtual_packages=CHOICE.virtual_packages[platform],
            config=client.config,
        )

    return call


def pin(name: str, version: str, *hashes: str) -> Entry:
    package = Package(manager="pypi", name=name, version=version, url="", sha256="")
    return Entry(package=package, where="requirements.txt:1", hashes=hashes)


def test_the_file_of_a_pin_is_found_and_nothing_that_it_needs(ask, pypi_index):
    wheel = pypi_package(pypi_index.directory / "alpha-2.0-py3-none-any.whl")
    found = ask(pin("alpha", "2.0", "0" * 64, wheel.sha256))
    assert set(found) == {"alpha"}
    package = found["alpha"].package
    assert package.url == pypi_index.file_url("alpha-2.0-py3-none-any.whl")
    assert (package.sha256, package.size) == (wheel.sha256, wheel.size)
    assert package.timestamp is not None


def test_the_wheel_is_the_one_of_the_platform(ask):
    assert "manylinux" in ask(pin("gamma", "1.0"))["gamma"].package.filename
    assert "macosx" in ask(pin("gamma", "1.0"), platform="osx-arm64")["gamma"].package.filename
    assert ask(pin("delta", "1.0"))["delta"].package.filename == "delta-1.0.tar.gz"


def test_files_with_other_hashes_are_not_taken(ask):
    with pytest.raises(
        FatalError, match=r"requirements.txt:1: no file of alpha 1.0 of the 1 that are stated"
    ) as caught:
        ask(pin("alpha", "1.0", "0" * 64))
    assert "there is: alpha-1.0-py3-none-any.whl" in caught.value.detail


def test_a_version_that_no_index_has_is_explained(ask):
    with pytest.raises(FatalError, match="an index does not have all that is pinned for `linux-64`") as caught:
        ask(pin("alpha", "9.9"))
    assert "alpha==9.9" in caught.value.detail


def test_what_is_for_no_such_python_is_refused(ask):
    with pytest.raises(FatalError, match="an index does not have all"):
        ask(pin("omega", "1.0"))
    assert replace(pin("a", "1"), direct=True).direct
