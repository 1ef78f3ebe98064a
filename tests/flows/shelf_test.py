from __future__ import annotations

import os

import pytest

from conftest import Client
from envtag.errors import FatalError
from envtag.flows.shelf import Shelf
from envtag.manifest import Manifest
from envtag.names import FullId
from support.locks import FLASK, NUMPY, PYTHON, SAMPLE

BARE = SAMPLE._replace(sources=(), content_hash="", base="", base_lock="")
ONE = Manifest(lock=BARE._replace(packages=(NUMPY, PYTHON)))
TWO = Manifest(lock=BARE._replace(packages=(NUMPY, PYTHON, FLASK)))


def test_what_is_kept_is_found_by_request_and_by_id(client: Client):
    shelf = Shelf(client.config)
    assert shelf.newest(ONE.lock.request, "linux-64") is None
    shelf.keep(ONE)
    assert shelf.newest(ONE.lock.request, "linux-64") == ONE
    assert shelf.newest(ONE.lock.request, "win-64") is None
    found = shelf.find(FullId(request=ONE.lock.request, lock=ONE.lock.id))
    assert found is not None
    assert found.platforms == ("linux-64",)
    assert found.manifest("linux-64", None) == ONE
    assert shelf.find(FullId(request=ONE.lock.request, lock="0" * 40)) is None
    with pytest.raises(FatalError, match="not locked for `win-64`"):
        found.lock("win-64")


def test_the_last_one_is_the_newest(client: Client):
    shelf = Shelf(client.config)
    shelf.keep(ONE)
    shelf.keep(TWO)
    place = client.config.directories.data / "resolved" / ONE.lock.request / "linux-64"
    os.utime(place / f"{ONE.lock.id}.json", (1, 1))
    assert shelf.newest(ONE.lock.request, "linux-64") == TWO


def test_what_is_damaged_is_not_there(client: Client):
    shelf = Shelf(client.config)
    shelf.keep(ONE)
    path = client.config.directories.data / "resolved" / ONE.lock.request / "linux-64" / f"{ONE.lock.id}.json"
    path.write_bytes(path.read_bytes()[:100])
    assert shelf.newest(ONE.lock.request, "linux-64") is None
    path.write_bytes(TWO.to_bytes())
    assert shelf.newest(ONE.lock.request, "linux-64") is None
