"""An Azure storage account on the loopback interface: Azurite behind a proxy that holds it to what Azure promises; it
fails as it is asked to.
"""

from __future__ import annotations

import base64
import http.client
import itertools
import socket
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from urllib.parse import unquote

from support.azurite import running
from support.faults import Fault

ACCOUNT = "envtagtests"
#: The account's key; neither it nor what it says must be seen anywhere.
KEY = base64.b64encode(b"hunter2-secret-of-the-account").decode()
_WRITES = frozenset({"PUT", "DELETE"})
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host"})
_NO_BODY = frozenset({204, 304})
#: What Azurite says in other words than Azure: a part of its text, its code, Azure's.
_WORDS = (
    (b"Provided contentMD5 doesn't match", "InvalidOperation", "Md5Mismatch"),
    (b"Server failed to authenticate", "AuthorizationFailure", "AuthenticationFailed"),
)


class AzureServer:
    """A running account.

    Writes are carried out one after another, as in Azure, where Azurite checks a condition and writes in two steps.

    Attributes:
        url: The account's endpoint.
        requests: Method and path with query of every request so far.
        faults: What the next requests meet.
        spoiled: A part of the path of the next request whose body is changed on its way; empty for none.
    """

    def __init__(self, program: Path, directory: Path) -> None:
        self.requests: list[str] = []
        self.faults: list[Fault] = []
        self.spoiled = ""
        self.writing = Lock()
        self._taking = Lock()
        self._numbers = itertools.count(1)
        self._stack = ExitStack()
        self.port = self._stack.enter_context(running(program, directory, ACCOUNT, KEY))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), lambda *arguments: _Handler(self, *arguments))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/{ACCOUNT}"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._stack.close()

    def reset(self) -> None:
        """Forget requests and faults."""
        self.requests.clear()
        self.faults.clear()
        self.spoiled = ""

    def variables(self) -> dict[str, str]:
        """What a client needs to use it."""
        return {"AZURE_STORAGE_CONNECTION_STRING": self.connection_string()}

    def connection_string(self) -> str:
        """The account with its key, in Azure's form."""
        return f"AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={self.url};"

    def client(self) -> Any:
        """A client of the SDK's own, to look and meddle past the code under test."""
        from azure.storage.blob import BlobServiceClient

        return BlobServiceClient.from_connection_string(self.connection_string(), retry_total=0)

    def container(self) -> str:
        """Make a new container; its name."""
        name = f"container-{next(self._numbers)}"
        with self.client() as client:
            client.create_container(name)
        return name

    def put(self, container: str, name: str, data: bytes) -> None:
        """Write an object as somebody does who keeps to no rule."""
        with self.client() as client:
            client.get_blob_client(container, name).upload_blob(data, overwrite=True)

    def seen(self, method: str, contains: str = "") -> int:
        """How many requests of a kind there were."""
        return len([text for text in self.requests if text.startswith(f"{method} ") and contains in text])

    def take(self, method: str, path: str) -> tuple[Fault | None, bool]:
        """The fault that a request meets, and whether its body is changed."""
        with self._taking:
            self.requests.append(f"{method} {path}")
            spoil = method == "PUT" and bool(self.spoiled) and self.spoiled in path
            if spoil:
                self.spoiled = ""
            for fault in self.faults:
                if fault.times and fault.method == method and fault.contains in path:
                    fault.times -= 1
                    return fault, spoil
        return None, spoil


class _Handler(BaseHTTPRequestHandler):
    """One connection of a client, with one of its own to Azurite."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wfile: Any

    def __init__(self, server: AzureServer, *arguments: Any) -> None:
        self.azure = server
        self._upstream: http.client.HTTPConnection | None = None
        super().__init__(*arguments)

    def log_message(self, format: str, *_: Any) -> None:
        """Say nothing."""

    def finish(self) -> None:
        """Close both connections."""
        if self._upstream is not None:
            self._upstream.close()
        super().finish()

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault, spoil = self.azure.take(self.command, unquote(self.path))
        if fault is not None and fault.status:
            self._send(fault.status, {"x-ms-error-code": fault.code} if fault.code else {}, _error(fault.code))
            return
        if fault is not None and not (fault.done or fault.cut):
            self._break()
            return
        if spoil:
            body = body[:-1] + bytes([body[-1] ^ 1])
        if self.command in _WRITES:
            with self.azure.writing:
                status, headers, answer = self._forward(body)
        else:
            status, headers, answer = self._forward(body)
        if fault is not None and fault.done:
            self._break()
        else:
            self._send(status, headers, answer, cut=fault is not None)

    do_GET = do_HEAD = do_PUT = do_DELETE = _serve  # noqa: N815 - the names that http.server calls

    def _forward(self, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        if self._upstream is None:
            self._upstream = http.client.HTTPConnection("127.0.0.1", self.azure.port, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        if self.command == "PUT" or body:
            headers["Content-Length"] = str(len(body))
        self._upstream.request(self.command, self.path, body or None, headers)
        response = self._upstream.getresponse()
        answer = response.read()
        kept = {name: value for name, value in response.getheaders() if name.lower() not in _HOP}
        if self.command == "HEAD" and response.getheader("Content-Length"):
            kept["Content-Length"] = str(response.getheader("Content-Length"))
        for text, said, code in _WORDS:
            if text in answer:
                kept["x-ms-error-code"] = code
                answer = answer.replace(said.encode(), code.encode())
        return response.status, kept, answer

    def _send(self, status: int, headers: Mapping[str, str], body: bytes, *, cut: bool = False) -> None:
        if self.command == "HEAD":
            body = b""
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status not in _NO_BODY and "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(ConnectionError):  # the client that was meant to get it is gone, as tests want it
            self.wfile.write(body[: len(body) // 2] if cut else body)
            if cut:
                self._break()

    def _break(self) -> None:
        """Break the connection as a crashed server does."""
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)


def _error(code: str) -> bytes:
    return f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>as asked, {KEY}</Message></Error>'.encode()
