"""A PyPI index on the loopback interface, over a directory of wheels and sdists: PEP 503, 658, 691, 700."""

from __future__ import annotations

import hashlib
import html
import json
import tarfile
import zipfile
from datetime import datetime, timezone
from email.parser import HeaderParser
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

from support.web import LoopbackServer
from support.wheels import NEW, OLD, make_sdist, make_wheel, normalized

_JSON = "application/vnd.pypi.simple.v1+json"
_HTML = "text/html; charset=utf-8"


class Index:
    """A running index; also serves any file below its directory under `/files/`.

    Attributes:
        directory: The distributions it offers, read anew at each request: write a wheel into it and it is published.
        url: Its PEP 503 root (`http://127.0.0.1:PORT/simple`), for `--index-url`.
        requests: The path of every request so far, in order of arrival.
        instead: URL path to bytes that are served in place of what is advertised (tampering).
        failures: URL path to status codes that are answered first, one a request, before it works (retries).
        login: The Authorization header that it demands, empty for none.
        refusal: The status that a request without it is answered with.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.requests: list[str] = []
        self.instead: dict[str, bytes] = {}
        self.failures: dict[str, list[int]] = {}
        self.login = ""
        self.refusal = HTTPStatus.UNAUTHORIZED
        self._facts: dict[tuple[str, int, int], dict[str, Any]] = {}
        self._server = LoopbackServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"index": self}))
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def root(self) -> str:
        """The server's root URL, without a trailing slash."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        return f"{self.root}/simple"

    def file_url(self, filename: str) -> str:
        """The URL of one distribution."""
        return f"{self.root}/files/{filename}"

    def stop(self) -> None:
        """Stop serving; its URLs are refused from now on."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def files(self, project: str) -> list[dict[str, Any]]:
        """PEP 691 file entries of one project, in order of file name."""
        found = [self._describe(path) for path in self._distributions()]
        return [entry for entry in found if entry["project"] == project]

    def projects(self) -> list[str]:
        return sorted({self._describe(path)["project"] for path in self._distributions()})

    def metadata(self, filename: str) -> bytes | None:
        """The METADATA of one wheel."""
        path = self.directory / filename
        return _core_metadata(path) if path.suffix == ".whl" and path.is_file() else None

    def _distributions(self) -> list[Path]:
        return sorted(p for p in self.directory.iterdir() if p.name.endswith((".whl", ".tar.gz")))

    def _describe(self, path: Path) -> dict[str, Any]:
        stat = path.stat()
        key = (path.name, stat.st_mtime_ns, stat.st_size)
        if key not in self._facts:
            metadata = _core_metadata(path)
            headers = HeaderParser().parsestr(metadata.decode())
            uploaded = datetime.fromtimestamp(stat.st_mtime, timezone.utc)
            self._facts[key] = {
                "project": normalized(headers["Name"]),
                "version": headers["Version"],
                "filename": path.name,
                "url": f"/files/{path.name}",
                "hashes": {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()},
                "requires-python": headers.get("Requires-Python"),
                "size": stat.st_size,
                "upload-time": uploaded.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                "core-metadata": {"sha256": hashlib.sha256(metadata).hexdigest()} if path.suffix == ".whl" else False,
                "yanked": False,
            }
        return self._facts[key]


class _Handler(BaseHTTPRequestHandler):
    index: Index
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.index.requests.append(path)
        if self.index.login and self.headers.get("Authorization") != self.index.login:
            self._answer(self.index.refusal, _HTML, b"who are you?")
            return
        statuses = self.index.failures.get(path)
        if statuses:
            self._answer(HTTPStatus(statuses.pop(0)), _HTML, b"as the test asked")
            return
        kind, body = self._find(path)
        if body is None:
            self._answer(HTTPStatus.NOT_FOUND, _HTML, b"not here")
        else:
            self._answer(HTTPStatus.OK, kind, body)

    do_HEAD = do_GET  # noqa: N815 - the name that http.server calls

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are kept in `Index.requests`, not printed."""

    def _find(self, path: str) -> tuple[str, bytes | None]:
        if path in self.index.instead:
            return "application/octet-stream", self.index.instead[path]
        if path.startswith("/files/"):
            return "application/octet-stream", self._file(path.removeprefix("/files/"))
        parts = [part for part in path.split("/") if part]
        if parts == ["simple"]:
            return self._listing()
        if len(parts) == 2 and parts[0] == "simple":
            return self._project(parts[1])
        return _HTML, None

    def _file(self, name: str) -> bytes | None:
        target = (self.index.directory / name).resolve()
        if not target.is_relative_to(self.index.directory.resolve()):
            return None
        if target.is_file():
            return target.read_bytes()
        return self.index.metadata(name.removesuffix(".metadata")) if name.endswith(".metadata") else None

    def _listing(self) -> tuple[str, bytes]:
        names = self.index.projects()
        if self._wants_json():
            return _JSON, _json({"meta": {"api-version": "1.1"}, "projects": [{"name": name} for name in names]})
        return _HTML, "".join(f'<a href="/simple/{name}/">{name}</a>\n' for name in names).encode()

    def _project(self, name: str) -> tuple[str, bytes | None]:
        files = self.index.files(name)
        if not files:
            return _HTML, None
        if self._wants_json():
            versions = sorted({entry["version"] for entry in files})
            shown = [{key: entry[key] for key in entry if key not in {"project", "version"}} for entry in files]
            return _JSON, _json({"meta": {"api-version": "1.1"}, "name": name, "versions": versions, "files": shown})
        return _HTML, "".join(map(_anchor, files)).encode()

    def _wants_json(self) -> bool:
        return _JSON in self.headers.get("Accept", "")

    def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if status == HTTPStatus.UNAUTHORIZED:
            self.send_header("WWW-Authenticate", 'Basic realm="test"')
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


def write_story(directory: Path) -> None:
    """Write the distributions that the tests' stories are about.

    `alpha` 1.0, and 2.0 which needs `beta>=2`; `beta` 1.0 and 2.0; `gamma` with wheels per platform (none for
    osx-64); `delta` as an sdist only; `epsilon` that needs `beta` on Windows only; `omega` for a Python to come;
    `numpyish`, `torchish` and `zeta` for environments that conda and PyPI share; `click-like` with an extra.
    """
    for version, uploaded in (("1.0", OLD), ("2.0", NEW)):
        needs = ["beta>=2"] if version == "2.0" else ["beta"]
        make_wheel(
            directory, "alpha", version, requires=needs, scripts={"alpha": "alpha:main"}, uploaded=uploaded,
            requires_python=">=3.8",
        )  # fmt: skip
        make_wheel(directory, "beta", version, uploaded=uploaded)
        make_wheel(directory, "numpyish", version, uploaded=uploaded)
        make_wheel(directory, "torchish", version, requires=["numpyish"], uploaded=uploaded)
    for minor in (10, 11, 12, 13):
        for platform in (
            "manylinux_2_17_x86_64.manylinux2014_x86_64",
            "manylinux_2_17_aarch64.manylinux2014_aarch64",
            "macosx_11_0_arm64",
            "win_amd64",
        ):
            make_wheel(directory, "gamma", "1.0", tag=f"cp3{minor}-cp3{minor}-{platform}")
    make_sdist(directory, "delta", "1.0", requires=["beta"])
    make_wheel(directory, "epsilon", "1.0", requires=["beta ; sys_platform == 'win32'"])
    make_wheel(directory, "omega", "1.0", requires_python=">=3.99")
    make_wheel(directory, "zeta", "1.0", requires=["numpyish<2", "beta"])
    make_wheel(directory, "zeta", "2.0", requires=["numpyish>=2", "torchish"], uploaded=NEW)
    make_wheel(
        directory, "click-like", "1.0", extras={"colour": ["epsilon"]}, scripts={"click-like": "click_like:main"}
    )


def _core_metadata(path: Path) -> bytes:
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as archive:
            name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
            return archive.read(name)
    with tarfile.open(path) as archive:
        member = next(item for item in archive if item.name.endswith("/PKG-INFO"))
        stream = archive.extractfile(member)
        assert stream is not None
        return stream.read()


def _anchor(entry: dict[str, Any]) -> str:
    attributes = ""
    if entry["requires-python"]:
        attributes += f' data-requires-python="{html.escape(entry["requires-python"])}"'
    if entry["core-metadata"]:
        attributes += f' data-core-metadata="sha256={entry["core-metadata"]["sha256"]}"'
    link = f"{entry['url']}#sha256={entry['hashes']['sha256']}"
    return f'<a href="{link}"{attributes}>{entry["filename"]}</a>\n'


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
