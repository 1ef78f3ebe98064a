"""A metadata service of Metaflow's on loopback, which answers with what runs of this machine recorded locally."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

#: Between the parts of a service's paths.
_KINDS = ("flows", "runs", "steps", "tasks")


@contextmanager
def metadata_service(directory: Path) -> Iterator[str]:
    """Serve what is in a `.metaflow` directory, read only; the service's URL.

    Args:
        directory: The directory, as Metaflow's local metadata provider writes it.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = {"version": "2.4.0"} if self.path == "/ping" else _answer(directory, self.path)
            body = json.dumps(found).encode()
            self.send_response(404 if found is None else 200)
            self.send_header("METADATA_SERVICE_VERSION", "2.4.0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(directory: Path, path: str) -> Any:
    """An object, the objects below one, or the metadata of a task; None for what is not there."""
    words = path.strip("/").split("?")[0].split("/")
    place = directory.joinpath(*words[1::2])
    if not (place / "_meta" / "_self.json").is_file():
        return None
    if len(words) % 2 == 0:
        return _read(place / "_meta" / "_self.json")
    if words[-1] in _KINDS:
        return [_read(found) for found in sorted(place.glob("*/_meta/_self.json"))]
    return [_read(found) for found in sorted((place / "_meta").glob("sysmeta_*.json"))]


def _read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))
