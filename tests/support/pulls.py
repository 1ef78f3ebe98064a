"""GitHub's REST API on the loopback interface, as far as pull requests, their comments and workflow runs go."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from support.workflow import SLUG, TOKEN

BOT = "github-actions[bot]"


@dataclass
class Pulls:
    """A running server with one repository.

    Attributes:
        url: Its root.
        pulls: The open pull requests, as the API tells them.
        comments: Of all pull requests: `id`, `number`, `user`, `body`.
        runs: Commits of successful runs of a workflow, the newest first: file to commits.
        requests: Method and path of each request.
    """

    url: str
    pulls: list[dict[str, Any]] = field(default_factory=list)
    comments: list[dict[str, Any]] = field(default_factory=list)
    runs: dict[str, list[str]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)

    def open(self, number: int, branch: str, sha: str, *, repository: str = SLUG) -> dict[str, Any]:
        """Open a pull request to `main`, or let one that is open have another head."""
        head = {"ref": branch, "sha": sha, "repo": {"full_name": repository}}
        pull = {"number": number, "head": head, "base": {"ref": "main"}}
        self.pulls = [*(item for item in self.pulls if item["number"] != number), pull]
        return pull

    def said(self, number: int) -> list[str]:
        """The comments on a pull request."""
        return [item["body"] for item in self.comments if item["number"] == number]

    def answer(self, method: str, path: str, query: dict[str, str], payload: Any) -> tuple[int, Any]:
        """What GitHub answers."""
        below = path.removeprefix(f"/repos/{SLUG}").strip("/").split("/")
        if (method, below) == ("GET", ["pulls"]):
            owner, _, branch = query["head"].partition(":")
            heads = [(item, item["head"]) for item in self.pulls]
            return 200, [
                item
                for item, head in heads
                if head["ref"] == branch and head["repo"]["full_name"].partition("/")[0] == owner
            ]
        if below[:2] == ["actions", "workflows"]:
            return 200, {"workflow_runs": [{"head_sha": sha} for sha in self.runs.get(below[2], [])]}
        if below[0] == "issues" and below[-1] == "comments":
            number = int(below[1])
            if method == "GET":
                return 200, [item for item in self.comments if item["number"] == number]
            made = {"id": 1000 + len(self.comments), "number": number, "user": {"login": BOT}, **payload}
            self.comments.append(made)
            return 201, made
        if method == "PATCH" and below[:2] == ["issues", "comments"]:
            found = next(item for item in self.comments if item["id"] == int(below[2]))
            found.update(payload)
            return 200, found
        return 404, {"message": "Not Found"}


class _Handler(BaseHTTPRequestHandler):
    state: Pulls
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PATCH(self) -> None:
        self._serve()

    def _serve(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        split = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(split.query).items()}
        self.state.requests.append(f"{self.command} {split.path}")
        status, answer = 401, {"message": "Bad credentials"}
        if self.headers.get("Authorization") == f"Bearer {TOKEN}":
            status, answer = self.state.answer(self.command, split.path, query, json.loads(data) if data else None)
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def pulls_server() -> Iterator[Pulls]:
    """A running server without pull requests."""
    handler = type("Running", (_Handler,), {})
    running = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    running.daemon_threads = True
    handler.state = state = Pulls(f"http://127.0.0.1:{running.server_address[1]}")  # type: ignore[attr-defined]
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        running.shutdown()
        running.server_close()
        thread.join()
