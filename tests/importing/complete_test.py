from __future__ import annotations

import pytest

from envtag.errors import FatalError
from envtag.importing.complete import complete
from envtag.importing.model import Entry, Imported
from envtag.output import Output
from envtag.package import Package
from envtag.urls import Mirrors
from support.foreign import CHOICE
from support.packages import CANONICAL, conda_package, pypi_package
from support.story import HERE


@pytest.fixture
def config(client, conda_channel):
    return client.config._replace(mirrors=Mirrors.parse(f"{CANONICAL}={conda_channel.as_uri()}"))


def imported(*packages: Package, **fields) -> Imported:
    return Imported(
        entries={HERE: tuple(Entry(package=item, where=f"x:{n}") for n, item in enumerate(packages, 1))}, **fields
    )


def run(what, config, *, offline=False):
    return complete(what, CHOICE, config=config, offline=offline, output=Output())


def test_what_is_complete_is_left_alone_and_nobody_is_asked(client, conda_channel):
    alpha = conda_package(conda_channel, "alpha")
    done = run(imported(alpha), client.config, offline=True)
    assert done.packages == {HERE: (alpha,)}
    assert done.fetched == ()


def test_a_channel_gives_what_is_missing_and_it_is_said(config, conda_channel):
    alpha, python = conda_package(conda_channel, "alpha"), conda_package(conda_channel, "python")
    done = run(imported(alpha._replace(sha256=""), python._replace(md5="", size=None)), config)
    assert [item.sha256 for item in done.packages[HERE]] == [alpha.sha256, python.sha256]
    assert done.fetched == (
        "sha256 of 1 package (alpha), as their channels state them",
        "md5 of 1 package (python), as their channels state them",
        "size of 1 package (python), as their channels state them",
    )


def test_a_channel_that_is_silent_leaves_sizes_out(config, conda_channel, tmp_path, capsys):
    alpha = conda_package(conda_channel, "alpha")
    silent = config._replace(mirrors=Mirrors.parse(f"{CANONICAL}={(tmp_path / 'no').as_uri()}"))
    done = run(imported(alpha._replace(size=None)), silent)
    assert done.packages[HERE][0].size is None
    assert "cannot be read" in capsys.readouterr().err


def test_pins_get_the_file_that_the_index_has(client, pypi_index):
    wheel = pypi_package(pypi_index.directory / "alpha-2.0-py3-none-any.whl")
    pin = Package(manager="pypi", name="alpha", version="2.0", url="", sha256="")
    done = run(imported(pin, index_url=pypi_index.url, python="3.11"), client.config)
    assert done.packages[HERE][0].sha256 == wheel.sha256
    assert done.fetched == (f"hashes of 1 package (alpha), as the index states them for {HERE}",)
    with pytest.raises(FatalError, match=r"x:1: only an index can say where `alpha 2.0` is, and this is offline"):
        run(imported(pin, python="3.11"), client.config, offline=True)


def test_offline_refuses_what_has_no_hash(config, conda_channel):
    alpha = conda_package(conda_channel, "alpha")._replace(md5="")
    with pytest.raises(FatalError, match=r"x:1: states no full set of hashes of alpha .*, and this is offline"):
        run(imported(alpha), config, offline=True)


def test_another_hash_of_the_channel_is_an_error(config, conda_channel):
    alpha = conda_package(conda_channel, "alpha")._replace(md5="0" * 32, size=None)
    with pytest.raises(FatalError, match=f"x:1: states md5 {'0' * 32} of alpha .*, and its channel states"):
        run(imported(alpha), config)
