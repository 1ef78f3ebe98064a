from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from envtag import download
from envtag.download import Download, sessions
from envtag.errors import FatalError
from envtag.package import Package
from support.web import Server, web_server

DATA = bytes(range(256)) * 4096
PATH = "/noarch/thing-1.0-0.conda"


@pytest.fixture
def server() -> Iterator[Server]:
    with web_server() as running:
        running.files[PATH] = DATA
        yield running


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_FIRST_PAUSE_SECONDS", 0.001)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "thing"
    path.touch()
    return path


def fetched(url: str, target: Path) -> int:
    """Download the archive, which must come whole; how many bytes were counted."""
    counted: list[int] = []
    wanted = Package(manager="conda", name="thing", version="1.0", build="0", url=url, sha256="0" * 64, subdir="noarch")
    with sessions() as session:
        got = Download(package=wanted, url=url, target=target, session=session, count=counted.append).run()
    assert got == hashlib.sha256(DATA).hexdigest()
    assert target.read_bytes() == DATA
    return sum(counted)


def test_every_byte_is_counted(server: Server, target: Path):
    assert fetched(server.url + PATH, target) == len(DATA)


def test_a_broken_download_is_taken_up_where_it_broke_off(server: Server, target: Path):
    server.plan[PATH] = [("cut", 400_000), 503, ("cut", 400_000)]
    fetched(server.url + PATH, target)
    starts = [int(asked.removeprefix("bytes=").rstrip("-") or 0) for _, asked in server.asked]
    assert len(starts) == 4
    assert starts[0] == 0
    assert 0 < starts[1] == starts[2] < starts[3]


def test_a_server_without_ranges_is_asked_for_the_whole_again(server: Server, target: Path):
    server.ranges = False
    server.plan[PATH] = [("cut", 700_000)]
    fetched(server.url + PATH, target)


def test_what_was_received_too_much_of_starts_over(server: Server, target: Path):
    server.plan[PATH] = [("cut", 700_000), 416]
    fetched(server.url + PATH, target)
    assert server.asked[-1] == (PATH, "")


class Keyring(ModuleType):
    """A keyring that knows one service, as the package of that name does."""

    def __init__(self, service: str) -> None:
        super().__init__("keyring")
        self._service = service
        self.asked: list[str] = []

    def get_credential(self, service: str, username: str | None) -> SimpleNamespace | None:
        self.asked.append(service)
        return SimpleNamespace(username="me", password="secret") if service == self._service else None


@pytest.mark.parametrize("by", ["{}", "127.0.0.1:{}"])
def test_a_keyring_is_asked_where_the_server_wants_to_know_who_it_is(
    server: Server, target: Path, monkeypatch: pytest.MonkeyPatch, by: str
):
    host = server.url.partition("://")[2]
    keyring = Keyring(server.url if by == "{}" else host)
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    server.plan[PATH] = [401]
    fetched(server.url + PATH, target)
    assert server.authorization == ["", "Basic bWU6c2VjcmV0"]
    assert keyring.asked == [server.url, host][: len(keyring.asked)]


def test_a_refusal_is_told_with_where_credentials_come_from(
    server: Server, target: Path, monkeypatch: pytest.MonkeyPatch
):
    for keyring in (None, Keyring("elsewhere"), Keyring(server.url), SimpleNamespace()):
        monkeypatch.setitem(sys.modules, "keyring", keyring)
        server.plan[f"{PATH}?X-Amz-Signature=abc"] = [401, 401]
        with pytest.raises(FatalError, match="HTTP 401") as caught:
            fetched(server.url.replace("://", "://user:hunter2@") + PATH + "?X-Amz-Signature=abc", target)
        assert "keyring" in caught.value.hint
        told = caught.value.message + caught.value.hint + caught.value.detail
        assert "hunter2" not in told
        assert "Signature" not in told


@pytest.mark.parametrize(("wish", "least", "most"), [("3", 3, 3), ("900", 30, 30), ("", 0, 1), ("soon", 0, 1)])
def test_a_pause_follows_the_servers_wish_within_bounds(wish: str, least: float, most: float):
    assert least <= download._pause(1, wish) <= most
