from __future__ import annotations

import hashlib

import pytest

from envtag.archives import archive_path
from envtag.errors import FatalError
from envtag.importing.hashes import hashed, sizes
from envtag.importing.model import Entry
from envtag.output import Output
from envtag.urls import Mirrors
from support.packages import CANONICAL, conda_package, pypi_package
from support.web import web_server

BETA = "https://files.example.org/beta-1.0-py3-none-any.whl"


def bare(package):
    return Entry(package=package._replace(sha256="", md5="", size=None, depends=()), where="list:3")


@pytest.fixture
def config(client, conda_channel, pypi_index):
    mirrors = f"{CANONICAL}={conda_channel.as_uri()} https://files.example.org={pypi_index.root}/files"
    return client.config._replace(mirrors=Mirrors.parse(mirrors))


def test_an_archive_says_what_it_is(config, conda_channel):
    alpha = conda_package(conda_channel, "alpha")
    found = hashed([bare(alpha)], config=config, output=Output())[alpha.url]
    assert (found.sha256, found.md5, found.size) == (alpha.sha256, alpha.md5, alpha.size)
    assert found.depends == alpha.depends


def test_a_download_is_hashed_and_kept(config, pypi_index):
    wheel = pypi_package(pypi_index.directory / "beta-1.0-py3-none-any.whl", BETA)
    found = hashed([bare(wheel)], config=config, output=Output())[wheel.url]
    assert (found.sha256, found.size) == (wheel.sha256, wheel.size)
    kept = archive_path(config.directories, found)
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == wheel.sha256
    assert sorted(path.name for path in config.directories.archives.iterdir()) == [wheel.sha256[:2]]


def test_conda_archives_from_a_server_are_looked_into_as_well(config, conda_channel, tmp_path):
    alpha = conda_package(conda_channel, "alpha")
    with web_server() as server:
        server.files[f"/{alpha.subdir}/{alpha.filename}"] = (conda_channel / alpha.subdir / alpha.filename).read_bytes()
        remote = config._replace(mirrors=Mirrors.parse(f"{CANONICAL}={server.url}"))
        found = hashed([bare(alpha)], config=remote, output=Output())[alpha.url]
    assert (found.sha256, found.depends) == (alpha.sha256, alpha.depends)


def test_a_stated_hash_is_held_to(config, conda_channel):
    alpha = conda_package(conda_channel, "alpha")
    entry = Entry(package=alpha._replace(sha256="", md5="0" * 32), where="list:3")
    with pytest.raises(FatalError, match=f"list:3: alpha .* other bytes than is stated: md5 {'0' * 32} is"):
        hashed([entry], config=config, output=Output())


def test_what_cannot_be_had_is_named(config, conda_channel, tmp_path):
    alpha = conda_package(conda_channel, "alpha")
    gone = alpha._replace(url=alpha.url.replace("alpha-", "gone-"))
    with pytest.raises(FatalError, match=r"list:3: cannot hash alpha .*does not exist"):
        hashed([bare(gone)], config=config, output=Output())
    absent = alpha._replace(manager="pypi", url="https://files.example.org/no-1.0-py3-none-any.whl")
    with pytest.raises(FatalError, match=r"list:3: its hash is not stated, and cannot fetch alpha .*HTTP 404"):
        hashed([bare(absent)], config=config, output=Output())
    odd = alpha._replace(url="ftp://host.example.org/linux-64/alpha-1.0-0.conda")
    with pytest.raises(FatalError, match="'ftp' URLs are not supported"):
        hashed([bare(odd)], config=config, output=Output())


def test_sizes_are_asked_of_servers_and_left_out_where_they_are_not_told(config, pypi_index, tmp_path):
    wheel = pypi_package(pypi_index.directory / "beta-1.0-py3-none-any.whl", BETA)
    local = pypi_package(pypi_index.directory / "beta-2.0-py3-none-any.whl")
    gone = wheel._replace(url="https://files.example.org/no.whl")
    dead = wheel._replace(url="http://127.0.0.1:9/no.whl")
    assert sizes([wheel, local, gone, dead], config=config) == {wheel.url: wheel.size, local.url: local.size}
