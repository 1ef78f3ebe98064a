from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from envtag import download, fetch
from envtag.config import Directories
from envtag.errors import FatalError
from envtag.output import Output
from envtag.package import Package
from envtag.store import Store, open_store
from envtag.store.keys import object_key
from envtag.urls import Mirrors
from envtag.util.process import run
from support.web import Server, web_server

DATA = bytes(range(256)) * 4096


@pytest.fixture
def server() -> Iterator[Server]:
    with web_server() as running:
        yield running


@pytest.fixture
def directories(tmp_path: Path) -> Directories:
    return Directories(data=tmp_path / "data", cache=tmp_path / "cache")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store((tmp_path / "store").as_uri())


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_FIRST_PAUSE_SECONDS", 0.001)


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
    return [path for path in directories.archives.glob("??/*/*") if path.is_file()]


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
    wanted = package("http://127.0.0.1:9")._replace(url=f"http://127.0.0.1:9/noarch/{name}")
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


def damaged(store: Store, wanted: Package, data: bytes = b"evil") -> str:
    """Put a package into a store, then other bytes in its place; its key."""
    key = object_key(wanted.sha256, "conda")
    store.create(key, DATA, wanted.sha256)
    path = store.local_path(key)
    assert path is not None
    path.write_bytes(data)
    return key


@pytest.mark.parametrize("data", [b"evil", DATA[:-1], b""])
@pytest.mark.parametrize("remote", [False, True])
def test_a_damaged_object_is_told_and_its_package_taken_from_the_origin_once(
    server: Server,
    directories: Directories,
    store: Store,
    capsys: pytest.CaptureFixture[str],
    data: bytes,
    remote: bool,
):
    wanted = package(server.url)
    server.files["/noarch/thing-1.0-0.conda"] = DATA
    key = damaged(store, wanted, data)
    path = get(directories, wanted, store=Remote(store) if remote else store)[wanted.sha256]
    assert path == fetch.archive_path(directories, wanted)
    assert path.read_bytes() == DATA
    assert len(server.asked) == 1
    told = capsys.readouterr().err
    assert told.startswith(
        f"warning: thing 1.0 0 is taken from its origin, since `{key}` in {store.url} has other bytes"
    )
    for part in (wanted.sha256, hashlib.sha256(data).hexdigest(), "remove it there and publish"):
        assert part in told
    assert store.read(key) == data


@pytest.mark.parametrize("remote", [False, True])
def test_a_damaged_object_is_an_error_offline_and_nothing_of_it_is_kept(
    server: Server, directories: Directories, store: Store, remote: bool
):
    wanted = package(server.url)
    server.files["/noarch/thing-1.0-0.conda"] = DATA
    key = damaged(store, wanted)
    with pytest.raises(FatalError) as caught:
        get(directories, wanted, store=Remote(store) if remote else store, offline=True)
    for part in ("thing 1.0 0", f"`{key}` in {store.url}", wanted.sha256, hashlib.sha256(b"evil").hexdigest()):
        assert part in caught.value.message
    assert "publish its environment again" in caught.value.hint
    assert server.asked == []
    assert left_over(directories) == []


def test_an_object_that_is_gone_comes_from_the_origin(server: Server, directories: Directories, store: Store):
    wanted = package(server.url)
    server.files["/noarch/thing-1.0-0.conda"] = DATA
    assert get(directories, wanted, store=Remote(store))[wanted.sha256].read_bytes() == DATA


def test_a_wheel_that_was_built_and_is_gone_is_named(directories: Directories, store: Store):
    wanted = package("http://127.0.0.1:9")._replace(manager="pypi", url="envtag-build:thing-1.0-py3-none-any.whl")
    with pytest.raises(FatalError, match=r"`thing-1.0-py3-none-any.whl`, which was built of .* is not in file:"):
        get(directories, wanted, store=store)


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
    assert path.read_bytes() == DATA


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


def test_many_who_want_one_archive_at_once_download_it_once(server: Server, directories: Directories):
    wanted = package(server.url)
    server.files["/noarch/thing-1.0-0.conda"] = DATA
    with ThreadPoolExecutor(8) as threads:
        paths = {answer[wanted.sha256] for answer in threads.map(lambda _: get(directories, wanted), range(8))}
    assert paths == {fetch.archive_path(directories, wanted)}
    assert len(server.asked) == 1


def test_what_a_killed_download_left_is_removed_by_the_next_one(server: Server, directories: Directories):
    wanted = package(server.url)
    server.files["/noarch/thing-1.0-0.conda"] = DATA
    left = fetch.archive_path(directories, wanted).parent / ".thing-1.0-0.conda.abc.tmp"
    left.parent.mkdir(parents=True)
    left.write_bytes(DATA[:10])
    get(directories, wanted)
    assert left_over(directories) == [fetch.archive_path(directories, wanted)]


_LIMITED = """
import resource, sys
from pathlib import Path
from envtag import fetch
from envtag.config import Directories
from envtag.errors import FatalError
from envtag.output import Output
from envtag.package import Package
from envtag.store import open_store
from envtag.urls import Mirrors
from envtag.util.process import run

url, sha256, store, place = sys.argv[1:]
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
wanted = Package(
    manager="conda", name="thing", version="1.0", build="0", url=url, sha256=sha256, subdir="noarch"
)
opened = open_store(store) if store else None
if opened is not None:
    type(opened).local_path = lambda self, key: None
try:
    fetch.fetch_archives(
        [wanted], store=opened, mirrors=Mirrors(), offline=False, output=Output(),
        directories=Directories(data=Path(place), cache=Path(place)),
    )
except FatalError as error:
    print(error.message)
    print(error.hint)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such limit")
@pytest.mark.parametrize("stored", [False, True])
def test_a_disk_that_is_full_is_named_and_keeps_nothing(
    server: Server, directories: Directories, store: Store, stored: bool
):
    wanted = package(server.url)
    server.files["/noarch/thing-1.0-0.conda"] = DATA
    if stored:
        store.create(object_key(wanted.sha256, "conda"), DATA, wanted.sha256)
    words = [wanted.url, wanted.sha256, store.url if stored else "", str(directories.cache)]
    done = run([sys.executable, "-c", _LIMITED, *words])
    assert done.stderr == b""
    told = done.text().splitlines()
    assert told[0] == f"thing 1.0 0 cannot be kept in `{directories.archives}`: File too large"
    assert "make room there" in told[1]
    assert left_over(directories) == []
    assert get(directories, wanted)[wanted.sha256].read_bytes() == DATA


def test_archives_are_had_one_at_a_time_without_a_word(
    server: Server, directories: Directories, capsys: pytest.CaptureFixture[str]
):
    wanted, odd = package(server.url), package(server.url)._replace(url=f"{server.url}/..%2Fx.conda")
    server.files["/noarch/thing-1.0-0.conda"] = DATA
    with fetch.fetcher(store=None, mirrors=Mirrors(), directories=directories, offline=False) as have:
        assert have(wanted) == fetch.archive_path(directories, wanted)
        with pytest.raises(FatalError, match="no file name"):
            have(odd)
    assert tuple(capsys.readouterr()) == ("", "")
