"""A web server on the loopback interface that answers each path as a test planned."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote


class LoopbackServer(ThreadingHTTPServer):
    """One that leaves nobody standing at the door: a solver comes with dozens of requests at once."""

    daemon_threads = True
    request_queue_size = 256


@dataclass
class Server:
    """A web server that answers each path with what a test planned.

    Attributes:
        url: Its root.
        files: Path to content.
        plan: Path to what is done first, one a request: a status code, or ("cut", N): close after N bytes.
        asked: (path, Range header) of each request.
        authorization: The Authorization header of each request.
        ranges: Whether it answers range requests.
        login: The Authorization header that it demands, empty for none.
        refusal: What a request without it is answered with.
        directory: Whose files it has beside `files`, if any.
    """

    url: str
    files: dict[str, bytes] = field(default_factory=dict)
    plan: dict[str, list[Any]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    authorization: list[str] = field(default_factory=list)
    ranges: bool = True
    login: str = ""
    refusal: int = 401
    directory: Path | None = None

    def content(self, path: str) -> bytes | None:
        """What is at a path; None for nothing."""
        if path in self.files or self.directory is None:
            return self.files.get(path)
        target = self.directory / unquote(path).lstrip("/")
        return target.read_bytes() if target.is_file() else None


class _Handler(BaseHTTPRequestHandler):
    server_state: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        state = self.server_state
        asked = self.headers.get("Range", "")
        state.asked.append((self.path, asked))
        state.authorization.append(self.headers.get("Authorization", ""))
        planned = state.plan.get(self.path, [])
        step = planned.pop(0) if planned else None
        if state.login and self.headers.get("Authorization") != state.login:
            self.send_response(state.refusal)
            self.send_header("WWW-Authenticate", 'Basic realm="test"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        data = state.content(self.path)
        if isinstance(step, int) or data is None:
            self.send_response(step or 404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and state.ranges else 0
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        if self.command == "HEAD":
            return
        if isinstance(step, tuple):
            self.wfile.write(data[start : start + step[1]])
            self.close_connection = True
        else:
            self.wfile.write(data[start:])

    do_HEAD = do_GET  # noqa: N815 - the name that http.server calls

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def web_server() -> Iterator[Server]:
    """A running server; nothing is planned, and it has no files."""
    handler = type("Planned", (_Handler,), {})
    running = LoopbackServer(("127.0.0.1", 0), handler)
    state = Server(f"http://127.0.0.1:{running.server_address[1]}")
    handler.server_state = state  # type: ignore[attr-defined]
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        running.shutdown()
        running.server_close()
        thread.join()
