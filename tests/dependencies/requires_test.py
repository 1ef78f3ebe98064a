from __future__ import annotations

from pathlib import Path

import pytest

from envtag.dependencies.requires import required
from envtag.package import Package
from envtag.urls import Mirrors
from support.index import Index
from support.packages import pypi_package


@pytest.fixture
def ask(client, pypi_index: Index):
    def call(*names: str, offline: bool = False, url: bool = True) -> list[tuple[str, ...] | None]:
        packages = [
            pypi_package(path, pypi_index.file_url(path.name) if url else "")
            for path in (pypi_index.directory / name for name in names)
        ]
        found = required(packages, mirrors=Mirrors(), directories=client.config.directories, offline=offline)
        return [found.get(package.sha256) for package in packages]

    return call


ALPHA = "alpha-2.0-py3-none-any.whl"


def test_the_index_is_asked_once_for_what_it_has_beside_a_wheel(ask, pypi_index: Index):
    pypi_index.requests.clear()
    assert ask(ALPHA, "epsilon-1.0-py3-none-any.whl") == [("beta>=2",), ("beta ; sys_platform == 'win32'",)]
    assert sorted(pypi_index.requests) == [f"/files/{ALPHA}.metadata", "/files/epsilon-1.0-py3-none-any.whl.metadata"]
    assert ask(ALPHA, offline=True) == [("beta>=2",)]


def test_a_wheel_of_this_machine_is_opened(ask):
    assert ask(ALPHA, offline=True, url=False) == [("beta>=2",)]


def test_what_cannot_be_read_is_not_known(ask, pypi_index: Index, client, tmp_path: Path):
    assert ask(ALPHA, offline=True) == [None]
    assert ask("delta-1.0.tar.gz") == [None]
    pypi_index.instead[f"/files/{ALPHA}.metadata"] = b"<html>"
    try:
        assert ask(ALPHA) == [None]
    finally:
        pypi_index.instead.clear()
    broken = tmp_path / "x-1-py3-none-any.whl"
    broken.write_bytes(b"no zip")
    gone = Package(
        manager="pypi", name="y", version="1", url="http://127.0.0.1:9/y-1-py3-none-any.whl", sha256="b" * 64
    )
    packages = [pypi_package(broken), gone]
    assert required(packages, mirrors=Mirrors(), directories=client.config.directories, offline=False) == {}


def test_a_damaged_entry_is_read_again(ask, client):
    assert ask(ALPHA) == [("beta>=2",)]
    for path in client.config.directories.dists.rglob("*.requires.json"):
        path.write_text("[]")
    assert ask(ALPHA) == [("beta>=2",)]
