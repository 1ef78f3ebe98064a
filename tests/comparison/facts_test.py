from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from envtag.comparison.facts import facts_of, find
from envtag.errors import FatalError
from envtag.fetch import archive_path
from envtag.package import Package
from envtag.urls import Mirrors
from envtag.util.canonical import sha256_file
from support.conda_package import ChannelBuilder
from support.packages import pypi_package
from support.wheels import make_wheel

URL = "https://channels.example.org/x"


def package_of(path: Path) -> Package:
    """A conda archive of a channel directory as a locked package."""
    name, version, _ = path.name.rsplit("-", 2)
    return Package(
        manager="conda", name=name, version=version, build="0", subdir="noarch", url=f"{URL}/noarch/{path.name}",
        sha256=sha256_file(path), md5="0" * 32,
    )  # fmt: skip


@pytest.fixture
def channel(tmp_path):
    """A channel directory with a package that runs scripts, in both formats."""
    builder = ChannelBuilder(tmp_path / "channel")
    files = {"etc/conda/activate.d/x.sh": "export X=1\n", "bin/.x-post-link.sh": "true\n", "lib/x.txt": "12345"}
    paths = builder.package("x", "1.0", files=files, formats=("conda", "tar.bz2"))
    plain = builder.package("plain", "1.0")
    return {path.name: path for path in (*paths, *plain)}


@pytest.mark.parametrize("extension", ["conda", "tar.bz2"])
def test_an_archive_of_a_mirror_that_is_a_directory_is_looked_into(channel, tmp_path, config, extension):
    package = package_of(channel[f"x-1.0-0.{extension}"])
    mirrors = Mirrors.parse(f"{URL}={(tmp_path / 'channel').as_uri()}")
    found = find([package], mirrors=mirrors, directories=config.directories)[package.sha256]
    assert found.activation == ("etc/conda/activate.d/x.sh",)
    assert found.hooks == ("bin/.x-post-link.sh",)
    assert found.installed == len("export X=1\ntrue\n12345")


def test_an_archive_of_the_cache_is_looked_into(channel, config):
    package = package_of(channel["plain-1.0-0.conda"])
    path = archive_path(config.directories, package)
    path.parent.mkdir(parents=True)
    path.write_bytes(channel["plain-1.0-0.conda"].read_bytes())
    found = find([package], mirrors=Mirrors.parse(""), directories=config.directories)
    assert (found[package.sha256].activation, found[package.sha256].hooks) == ((), ())


def test_what_is_not_at_hand_or_has_other_bytes_is_left_out(channel, tmp_path, config):
    package = package_of(channel["plain-1.0-0.conda"])
    mirrors = Mirrors.parse(f"{URL}={(tmp_path / 'channel').as_uri()}")
    assert find([package], mirrors=Mirrors.parse(""), directories=config.directories) == {}
    other = package._replace(sha256="0" * 64)
    odd = package._replace(url=f"{URL}/noarch/%2e%2e%2fplain-1.0-0.conda")
    assert find([other, odd], mirrors=mirrors, directories=config.directories) == {}


def test_a_wheel_is_looked_into(tmp_path, config):
    path = make_wheel(tmp_path / "wheels", "thing", "1.0")
    package = pypi_package(path)
    found = find([package], mirrors=Mirrors.parse(""), directories=config.directories)[package.sha256]
    assert found.installed is not None
    assert found.installed > 0
    assert found.hooks == ()


@pytest.mark.parametrize("name", ["bad-1.0-0.conda", "bad-1.0-py3-none-any.whl"])
def test_an_archive_that_is_none_is_an_error_that_names_it(tmp_path, config, name):
    path = tmp_path / "noarch" / name
    path.parent.mkdir()
    path.write_bytes(b"no archive")
    package = package_of(path) if name.endswith(".conda") else pypi_package(path)._replace(name="bad")
    mirrors = Mirrors.parse(f"{URL}={tmp_path.as_uri()}")
    with pytest.raises(FatalError, match=r"archive of `bad 1\.0.*` cannot be looked into"):
        find([package], mirrors=mirrors, directories=config.directories)


@pytest.mark.parametrize(
    "path",
    [
        "etc/conda/activate.d/a.sh", "etc/conda/deactivate.d/a.bat", "etc/conda/env_vars.d/a.json",
        "bin/.a-post-link.sh", "bin/.a-pre-unlink.sh", "Scripts/.a-post-link.bat", "site-packages/a.pth",
        "lib/python3.12/site-packages/a.pth",
        "a.pth",
    ],
)  # fmt: skip
def test_what_runs_by_itself_is_found(path):
    found = facts_of([(path, 1), ("bin/a", 2)])
    assert (*found.activation, *found.hooks) == (path,)
    assert found.installed == 3


def test_an_unknown_size_makes_the_sum_unknown():
    assert facts_of([("a", 1), ("b", None)]).installed is None
    assert facts_of([("etc/conda/x", 1), ("lib/a.pth", 2), ("share/activate.d/x", 3)]).hooks == ()


def test_an_old_archive_lists_its_files_without_sizes(tmp_path, config):
    path = tmp_path / "noarch" / "old-1.0-0.tar.bz2"
    path.parent.mkdir()
    with tarfile.open(path, "w:bz2") as archive:
        for name, data in (("info/files", b"etc/conda/activate.d/old.sh\nlib/x\n"), ("lib/x", b"x")):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    package = package_of(path)
    mirrors = Mirrors.parse(f"{URL}={tmp_path.as_uri()}")
    found = find([package], mirrors=mirrors, directories=config.directories)[package.sha256]
    assert (found.activation, found.installed) == (("etc/conda/activate.d/old.sh",), None)


def test_a_source_archive_is_not_looked_into(tmp_path, config):
    path = tmp_path / "thing-1.0.tar.gz"
    path.write_bytes(b"x")
    assert find([pypi_package(path)], mirrors=Mirrors.parse(""), directories=config.directories) == {}
