from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from envtag import fetch
from envtag.config import Directories
from envtag.errors import FatalError
from envtag.output import Output
from envtag.package import Package
from envtag.store import Store, open_store
from envtag.store.keys import object_key
from envtag.urls import Mirrors

DATA = bytes(range(256)) * 4096


@dataclass
class Server:
    """A web server that answers each path with what a test planned.

    Attributes:
        url: Its root.
        files: Path to content.
        plan: Path to what is done first, one a request: a status code, or ("cut", N): close after N bytes.
        asked: (path, Range header) of each request.
    """

    url: str
    files: dict[str, bytes] = field(default_factory=dict)
    plan: dict[str, list[Any]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    authorization: list[str] = field(default_factory=list)
    ranges: bool = True


class Handler(BaseHTTPRequestHandler):
    server_state: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        state = self.server_state
        asked = self.headers.get("Range", "")
        state.asked.append((self.path, asked))
        state.authorization.append(self.headers.get("Authorization", ""))
        planned = state.plan.get(self.path, [])
        step = planned.pop(0) if planned else None
        if isinstance(step, int) or self.path not in state.files:
            self.send_response(step or 404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        data = state.files[self.path]
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and state.ranges else 0
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        if isinstance(step, tuple):
            self.wfile.write(data[start : start + step[1]])
            self.close_connection = True
        else:
            self.wfile.write(data[start:])

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    handler = type("Planned", (Handler,), {})
    running = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    running.daemon_threads = True
    state = Server(f"http://127.0.0.1:{running.server_address[1]}")
    handler.server_state = state  # type: ignore[attr-defined]
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield state
    running.shutdown()
    running.server_close()
    thread.join()


@pytest.fixture
def directories(tmp_path: Path) -> Directories:
    return Directories(data=tmp_path / "data", cache=tmp_path / "cache")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store((tmp_path / "store").as_uri())


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "_FIRST_PAUSE_SECONDS", 0.001)


def package(url: str, data: bytes = DATA, name: str = "thing") -> Package:
    return Package(
        manager="conda",
        name=name,
        version="1.0",
        build="0",
        url=f"{url}/noarch/{name}-1.0-0.conda",
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        subdir="noarch",
    )


def get(directories: Directories, *packages: Package, **settings: Any) -> Any:
    defaults = {"store": None, "mirrors": Mirrors(), "offline": False, "output": Output()}
    return fetch.fetch_archives(packages, directories=directories, **{**defaults, **settings})


def left_over(directories: Directories) -> list[Path]:
    return [path for path in directories.archives.rglob("*") if path.is_file()]


def test_an_archive_is_downloaded_once_and_kept_under_its_name(server: Server, directories: Directories):
    wanted = package(server.url)
    server.files["/noarch/thing-1.0-0.conda"] = DATA
    path = get(directories, wanted)[wanted.sha256]
    assert path == directories.archives / wanted.sha256[:2] / wanted.sha256 / "thing-1.0-0.conda"
    assert path.read_bytes() == DATA
    assert get(directories, wanted) == {wanted.sha256: path}
    assert get(directories, wanted, offline=True) == {wanted.sha256: path}
    assert len(server.asked) == 1


def test_nothing_wanted_is_nothing_done(directories: Directories):
    assert get(directories) == {}
    assert not directories.cache.exists()


def test_a_damaged_archive_in_the_cache_is_fetched_anew(server: Server, directories: Directories):
    wanted = package(server.url)
    server.files["/noarch/thing-1.0-0.conda"] = DATA
    path = get(directories, wanted)[wanted.sha256]
    path.write_bytes(b"edited")
    assert get(directories, wanted)[wanted.sha256].read_bytes() == DATA
    assert len(server.asked) == 2


def test_wrong_bytes_from_an_origin_are_refused_by_name_and_not_kept(server: Server, directories: Directories):
    wanted = package(server.url)
    server.files["/noarch/thing-1.0-0.conda"] = b"evil"
    got = hashlib.sha256(b"evil").hexdigest()
    with pytest.raises(FatalError) as caught:
        get(directories, wanted)
    for part in ("thing 1.0 0", wanted.sha256, got, f"{server.url}/noarch/thing-1.0-0.conda"):
        assert part in caught.value.message
    assert len(server.asked) == 1
    assert left_over(directories) == []


def test_a_broken_download_is_taken_up_where_it_broke_off(server: Server, directories: Directories):
    wanted = package(server.url)
    path = "/noarch/thing-1.0-0.conda"
    server.files[path] = DATA
    server.plan[path] = [("cut", 400_000), 503, ("cut", 400_000)]
    assert get(directories, wanted)[wanted.sha256].read_bytes() == DATA
    starts = [int(asked.removeprefix("bytes=").rstrip("-") or 0) for _, asked in server.asked]
    assert len(starts) == 4
    assert starts[0] == 0
    assert 0 < starts[1] == starts[2] < starts[3]


def test_a_server_without_ranges_is_asked_for_the_whole_again(server: Server, directories: Directories):
    wanted = package(server.url)
    server.ranges = False
    server.files["/noarch/thing-1.0-0.conda"] = DATA
    server.plan["/noarch/thing-1.0-0.conda"] = [("cut", 700_000)]
    assert get(directories, wanted)[wanted.sha256].read_bytes() == DATA


def test_what_was_received_too_much_of_starts_over(server: Server, directories: Directories):
    wanted = package(server.url)
    server.files["/noarch/thing-1.0-0.conda"] = DATA
    server.plan["/noarch/thing-1.0-0.conda"] = [("cut", 700_000), 416]
    assert get(directories, wanted)[wanted.sha256].read_bytes() == DATA
    assert server.asked[-1] == ("/noarch/thing-1.0-0.conda", "")


def test_a_server_that_stays_down_is_an_error_after_bounded_attempts(server: Server, directories: Directories):
    wanted = package(server.url)
    server.plan["/noarch/thing-1.0-0.conda"] = [503] * 50
    server.files["/noarch/thing-1.0-0.conda"] = DATA
    with pytest.raises(FatalError, match=r"cannot fetch thing 1.0 0 from http://127.0.0.1.*: HTTP 503"):
        get(directories, wanted)
    assert len(server.asked) == 5
    assert left_over(directories) == []


def test_a_missing_package_is_not_asked_for_twice(server: Server, directories: Directories):
    with pytest.raises(FatalError, match="HTTP 404") as caught:
        get(directories, package(server.url))
    assert "removed there" in caught.value.hint
    assert len(server.asked) == 1


def test_a_host_that_does_not_answer_is_named_without_its_credentials(directories: Directories):
    with pytest.raises(FatalError, match=r"no usable answer from `127.0.0.1`") as caught:
        get(directories, package("http://user:secret@127.0.0.1:9"))
    assert "secret" not in caught.value.message + caught.value.hint + caught.value.detail


def test_credentials_come_from_netrc(
    server: Server, directories: Directories, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    wanted = package(server.url)
    server.files["/noarch/thing-1.0-0.conda"] = DATA
    get(directories, wanted)
    assert server.authorization[0].startswith("Basic ")


def test_mirrors_are_asked_in_place_of_origins(server: Server, directories: Directories):
    wanted = package("https://conda.example.org/main")
    server.files["/mirror/noarch/thing-1.0-0.conda"] = DATA
    mirrors = Mirrors.parse(f"https://conda.example.org/main={server.url}/mirror")
    assert get(directories, wanted, mirrors=mirrors)[wanted.sha256].read_bytes() == DATA


def test_files_are_used_where_they_lie_after_a_check(directories: Directories, tmp_path: Path):
    wanted = package(tmp_path.as_uri())
    path = tmp_path / "noarch" / "thing-1.0-0.conda"
    path.parent.mkdir()
    path.write_bytes(DATA)
    assert get(directories, wanted) == {wanted.sha256: path}
    path.write_bytes(b"evil")
    with pytest.raises(FatalError, match=r"thing 1.0 0 has other bytes than its lock says"):
        get(directories, wanted)
    path.unlink()
    with pytest.raises(FatalError, match="does not exist"):
        get(directories, wanted)


@pytest.mark.parametrize("name", ["..%2F..%2Fevil.conda", "a%5Cb.conda", ".hidden.conda", ""])
def test_a_name_that_would_leave_its_directory_is_refused(directories: Directories, name):
    wanted = replace(package("http://127.0.0.1:9"), url=f"http://127.0.0.1:9/noarch/{name}")
    with pytest.raises(FatalError, match="which is no file name"):
        get(directories, wanted)


def test_a_scheme_that_is_not_known_is_named(directories: Directories):
    with pytest.raises(FatalError, match="`ftp` URLs are not supported"):
        get(directories, package("ftp://host.example.org"))


def test_the_store_is_asked_first_and_read_in_place(directories: Directories, store: Store):
    wanted = package("http://127.0.0.1:9")
    store.create(object_key(wanted.sha256, "conda"), DATA, wanted.sha256)
    found = get(directories, wanted, store=store, offline=True)
    assert found == {wanted.sha256: store.local_path(object_key(wanted.sha256, "conda"))}


def test_a_tampered_object_is_refused_by_name_and_not_replaced_by_the_origin(
    server: Server, directories: Directories, store: Store
):
    wanted = package(server.url)
    server.files["/noarch/thing-1.0-0.conda"] = DATA
    key = object_key(wanted.sha256, "conda")
    store.create(key, DATA, wanted.sha256)
    path = store.local_path(key)
    assert path is not None
    path.write_bytes(b"evil")
    with pytest.raises(FatalError) as caught:
        get(directories, wanted, store=store)
    for part in ("thing 1.0 0", key, wanted.sha256, hashlib.sha256(b"evil").hexdigest()):
        assert part in caught.value.message
    assert server.asked == []


class Remote:
    """A store whose objects are not files on this machine."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def local_path(self, key: str) -> None:
        return None


def test_objects_of_a_remote_store_are_downloaded_and_verified(directories: Directories, store: Store):
    wanted = package("http://127.0.0.1:9")
    key = object_key(wanted.sha256, "conda")
    store.create(key, DATA, wanted.sha256)
    path = get(directories, wanted, store=Remote(store))[wanted.sha256]
    assert path == fetch.archive_path(directories, wanted)
    path.unlink()
    in_store = store.local_path(key)
    assert in_store is not None
    in_store.write_bytes(b"evil")
    with pytest.raises(FatalError, match=f"thing 1.0 0: `{key}` in .* has other bytes"):
        get(directories, wanted, store=Remote(store))
    assert left_over(directories) == []


def test_offline_names_what_is_missing_and_how_much(server: Server, directories: Directories, store: Store):
    packages = [package(server.url, name=f"thing{number}", data=b"%d" % number) for number in range(5)]
    with pytest.raises(FatalError) as caught:
        get(directories, *packages, store=store, offline=True)
    assert caught.value.message.startswith("thing0 1.0 0, thing1 1.0 0, thing2 1.0 0 and 2 more not in the store")
    assert server.asked == []


def test_many_archives_come_side_by_side_and_one_failure_is_told(server: Server, directories: Directories):
    packages = [package(server.url, name=f"thing{number}", data=b"%d" % number) for number in range(20)]
    for number in range(20):
        server.files[f"/noarch/thing{number}-1.0-0.conda"] = b"%d" % number
    found = get(directories, *packages)
    assert {path.name for path in found.values()} == {f"thing{number}-1.0-0.conda" for number in range(20)}
    found[packages[7].sha256].unlink()
    del server.files["/noarch/thing7-1.0-0.conda"]
    with pytest.raises(FatalError, match="thing7"):
        get(directories, *packages)


@pytest.mark.parametrize(("wish", "least", "most"), [("3", 3, 3), ("900", 30, 30), ("", 0, 1), ("soon", 0, 1)])
def test_a_pause_follows_the_servers_wish_within_bounds(wish, least, most):
    assert least <= fetch._pause(1, wish) <= most
