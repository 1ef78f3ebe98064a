from __future__ import annotations

import hashlib
import io
import json
import platform
import re
import tarfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from envtag.config import Directories
from envtag.dists import dists_of_paths, provided_dists
from envtag.engines import Dist
from envtag.errors import FatalError
from envtag.fetch import archive_path
from envtag.package import Package
from envtag.platforms import current_platform
from envtag.store import open_store
from envtag.store.keys import object_key
from envtag.urls import Mirrors
from support.packages import CANONICAL, conda_package


class Server:
    """A web server over a directory, with or without range requests; `sent` are the bytes of each answer."""

    def __init__(self, directory: Path, *, ranges: bool) -> None:
        self.directory, self.ranges = directory, ranges
        self.sent: list[tuple[str, int]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"server_of": self}))
        self._server.daemon_threads = True
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server_of: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.server_of.directory / self.path.lstrip("/")
        if not path.is_file():
            self._answer(404, b"", {})
            return
        data = path.read_bytes()
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if asked is None or not self.server_of.ranges:
            self._answer(200, data, {})
            return
        first, last = asked.groups()
        start = int(first) if first else max(0, len(data) - int(last))
        end = min(int(last), len(data) - 1) if first and last else len(data) - 1
        self._answer(206, data[start : end + 1], {"Content-Range": f"bytes {start}-{end}/{len(data)}"})

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:
        """Answers are kept in `Server.sent`."""

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.server_of.sent.append((self.path, len(body)))
            self.wfile.write(body)


@pytest.fixture(params=[True, False], ids=["ranges", "no-ranges"])
def server(request: pytest.FixtureRequest, conda_channel: Path) -> Iterator[Server]:
    served = Server(conda_channel, ranges=request.param)
    yield served
    served.stop()


@pytest.fixture
def directories(tmp_path: Path) -> Directories:
    return Directories(data=tmp_path / "data", cache=tmp_path / "cache")


def _mirrors(where: str) -> Mirrors:
    return Mirrors.parse(f"{CANONICAL}={where}")


def _of(packages: list[Package], where: str, directories: Directories) -> tuple[Dist, ...]:
    return provided_dists(packages, mirrors=_mirrors(where), directories=directories, store=None)


def _tarball(path: Path, members: dict[str, bytes]) -> Package:
    """A .tar.bz2 of some members, as a locked package that depends on Python."""
    with tarfile.open(path, "w:bz2") as archive:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    name, version, build = path.name.removesuffix(".tar.bz2").split("-")
    return Package(
        manager="conda",
        name=name,
        version=version,
        build=build,
        subdir="noarch",
        url=path.as_uri(),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        md5="0" * 32,
        depends=("python",),
    )


def test_dists_are_those_of_the_packages_own_listing(conda_channel: Path, directories: Directories):
    packages = [
        conda_package(conda_channel, "pytorchish", build="py311", extension="tar.bz2"),
        conda_package(conda_channel, "numpyish", "2.0", build="py311"),
        conda_package(conda_channel, "alpha", "1.0"),
        conda_package(conda_channel, "libarch", "2.0"),
        conda_package(conda_channel, "tzish"),
    ]
    found = _of(packages, conda_channel.as_uri(), directories)
    assert [(item.name, item.version, item.by.split()[0]) for item in found] == [
        ("alpha", "1.0", "alpha"),
        ("numpyish", "2.0", "numpyish"),
        ("torchish", "1.0", "pytorchish"),
    ]
    assert found[1].by == str(packages[1])


def test_what_was_read_once_is_known_by_its_hash(conda_channel: Path, directories: Directories):
    package = conda_package(conda_channel, "alpha", "1.0")
    first = _of([package], conda_channel.as_uri(), directories)
    [entry] = directories.dists.rglob("*.json")
    assert entry.stem == package.sha256
    assert _of([package], "file:///nowhere", directories) == first
    entry.write_text('{"version":', "utf-8")
    with pytest.raises(FatalError):
        _of([package], "file:///nowhere", directories)
    entry.write_text('{"version": 0, "dists": []}', "utf-8")
    assert _of([package], conda_channel.as_uri(), directories) == first


def test_over_http_only_the_listing_is_read_if_the_server_can(
    server: Server, conda_channel: Path, directories: Directories
):
    package = conda_package(conda_channel, "python", platform.python_version(), extension="conda")
    package = package._replace(depends=("python",))  # a big archive, looked into as if it brought dists
    size = (conda_channel / current_platform() / package.filename).stat().st_size
    assert _of([package], server.url, directories) == _of([package], server.url, directories)
    read = sum(count for _, count in server.sent)
    if server.ranges:
        assert read < size / 2
        assert not archive_path(directories, package).exists()
    else:
        assert hashlib.sha256(archive_path(directories, package).read_bytes()).hexdigest() == package.sha256


def test_over_http_every_format_is_read(server: Server, conda_channel: Path, directories: Directories):
    packages = [
        conda_package(conda_channel, "alpha", "2.0"),
        conda_package(conda_channel, "beta", "1.0", extension="tar.bz2"),
        conda_package(conda_channel, "numpyish", "1.0", build="py312"),
    ]
    found = _of(packages, server.url, directories)
    assert [(item.name, item.version) for item in found] == [("alpha", "2.0"), ("beta", "1.0"), ("numpyish", "1.0")]


def test_an_archive_at_hand_is_not_fetched_again(conda_channel: Path, directories: Directories, tmp_path: Path):
    package = conda_package(conda_channel, "alpha", "2.0")
    kept = archive_path(directories, package)
    kept.parent.mkdir(parents=True)
    kept.write_bytes((conda_channel / "noarch" / package.filename).read_bytes())
    assert [item.name for item in _of([package], "http://127.0.0.1:9", directories)] == ["alpha"]
    store = open_store((tmp_path / "store").as_uri())
    store.create(object_key(package.sha256, "conda"), kept, package.sha256)
    kept.unlink()
    other = Directories(data=tmp_path / "data", cache=tmp_path / "other")
    found = provided_dists([package], mirrors=_mirrors("http://127.0.0.1:9"), directories=other, store=store)
    assert [item.name for item in found] == ["alpha"]


def test_a_local_archive_with_other_bytes_is_refused(conda_channel: Path, directories: Directories, tmp_path: Path):
    package = conda_package(conda_channel, "alpha", "2.0")
    (tmp_path / "noarch").mkdir()
    data = (conda_channel / "noarch" / conda_package(conda_channel, "beta", "2.0").filename).read_bytes()
    (tmp_path / "noarch" / package.filename).write_bytes(data)
    with pytest.raises(FatalError, match=r"alpha 2\.0 .*other bytes"):
        _of([package], tmp_path.as_uri(), directories)
    assert not list(directories.dists.rglob("*.json"))


def test_a_package_that_cannot_be_had_is_named(conda_channel: Path, directories: Directories):
    package = conda_package(conda_channel, "alpha", "2.0")
    with pytest.raises(FatalError, match=r"cannot tell which PyPI packages conda brings: .*alpha 2\.0") as caught:
        _of([package], "file:///nowhere", directories)
    assert "archives" in caught.value.hint


def test_an_old_package_without_paths_json_is_read_by_its_list_of_files(directories: Directories, tmp_path: Path):
    listing = b"site-packages/old_one-1.2.dist-info/METADATA\nsite-packages/old_one.py\n"
    package = _tarball(tmp_path / "oldone-1.2-0.tar.bz2", {"info/index.json": b"{}", "info/files": listing})
    assert _of([package], "file:///nowhere", directories) == (Dist(name="old-one", version="1.2", by="oldone 1.2 0"),)


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"info/index.json": b"{}"}, "neither"),
        ({"info/paths.json": b"{"}, "malformed"),
        ({"info/paths.json": json.dumps({"paths": [{}]}).encode()}, "malformed"),
    ],
)
def test_a_package_without_a_usable_listing_is_refused(
    members: dict[str, bytes], why: str, directories: Directories, tmp_path: Path
):
    package = _tarball(tmp_path / "odd-1.0-0.tar.bz2", members)
    with pytest.raises(FatalError, match=rf"conda package `odd 1\.0 0` brings: .*{why}"):
        _of([package], "file:///nowhere", directories)


def test_a_damaged_archive_is_refused(directories: Directories, tmp_path: Path):
    package = _tarball(tmp_path / "odd-1.0-0.tar.bz2", {"info/files": b""})
    (tmp_path / "odd-1.0-0.tar.bz2").write_bytes(b"not an archive")
    broken = package._replace(sha256=hashlib.sha256(b"not an archive").hexdigest())
    with pytest.raises(FatalError, match=r"`odd 1\.0 0`"):
        _of([broken], "file:///nowhere", directories)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("lib/python3.11/site-packages/numpy-1.26.4.dist-info/METADATA", [("numpy", "1.26.4")]),
        ("Lib/site-packages/PyYAML-6.0.1.dist-info/METADATA", [("pyyaml", "6.0.1")]),
        ("site-packages/zope.interface-6.1.dist-info/METADATA", [("zope-interface", "6.1")]),
        ("site-packages/two-part-1.0+cpu.dist-info/METADATA", [("two-part", "1.0+cpu")]),
        ("site-packages/old-1.0-py3.11.egg-info", [("old", "1.0")]),
        ("site-packages/old_thing-1.0-py3.11-linux-x86_64.egg-info/PKG-INFO", [("old-thing", "1.0")]),
        ("site-packages/nothing.egg-info/PKG-INFO", []),
        ("site-packages/setuptools/_vendor/wheel-0.43.0.dist-info/METADATA", []),
        ("site-packages/numpy-1.26.4.dist-info/RECORD", []),
        ("share/numpy-1.26.4.dist-info/METADATA", []),
    ],
)
def test_a_dist_is_what_lies_directly_in_site_packages(path: str, expected: list[tuple[str, str]]):
    assert dists_of_paths([path]) == expected
