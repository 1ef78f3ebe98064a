"""GitHub's REST API on the loopback interface, as far as rulesets go: it answers as GitHub is known to.

Who asks is known by the token: `ADMIN` may change rulesets and sees who may bypass them, `READER` may do neither,
nobody may read what is public; any other token is not known.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

ADMIN = "ghp_admin0hunter2"
READER = "ghp_reader0hunter2"
RULES = frozenset({
    "creation", "update", "deletion", "non_fast_forward", "pull_request", "required_linear_history",
    "required_signatures", "required_status_checks",
})  # fmt: skip
PULL_REQUEST = frozenset({
    "required_approving_review_count", "require_code_owner_review", "dismiss_stale_reviews_on_push",
    "require_last_push_approval", "required_review_thread_resolution",
})  # fmt: skip
STATUS_CHECKS = frozenset({"strict_required_status_checks_policy", "required_status_checks"})


@dataclass
class GitHub:
    """A running server with one repository, `team/envs`.

    Attributes:
        url: Its root.
        rulesets: By id, as its owner sees them.
        private: Whether the repository is.
        paid: Whether its owner's plan has rulesets for private repositories.
        owner_errors: What the endpoint about CODEOWNERS answers; None where there is no such file.
        project: Its `pyproject.toml`, empty for none.
        checks: What is reported on the default branch.
        plan: What the next requests are answered with instead: (method and part of path, status, headers, body).
        requests: Method and path of each request.
        authorization: The header of each request.
        per_page: The longest page.
        actions: The id of GitHub Actions, which servers other than github.com give themselves.
    """

    url: str
    rulesets: dict[int, dict[str, Any]] = field(default_factory=dict)
    private: bool = False
    paid: bool = True
    owner_errors: list[dict[str, Any]] | None = field(default_factory=list)
    project: str = ""
    checks: list[dict[str, Any]] = field(default_factory=list)
    plan: list[tuple[str, int, dict[str, str], Any]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    authorization: list[str] = field(default_factory=list)
    per_page: int = 100
    actions: int = 15368

    def add(self, ruleset: dict[str, Any], **more: Any) -> int:
        """Give the repository a ruleset; its id."""
        number = max(self.rulesets, default=40) + 1
        stated = {"source_type": "Repository", "source": "team/envs", "bypass_actors": [], **ruleset, **more}
        self.rulesets[number] = {"id": number, **stated}
        return number

    def environ(self, token: str = "") -> dict[str, str]:
        """The variables that make a client ask it."""
        return {"GITHUB_API_URL": self.url, **({"GH_TOKEN": token} if token else {})}

    def written(self) -> list[str]:
        """The requests that may change something."""
        return [text for text in self.requests if not text.startswith("GET ")]


def mistakes(ruleset: dict[str, Any]) -> list[str]:
    """What GitHub's published schema of a ruleset refuses in one, in words.

    From the OpenAPI description: `POST /repos/{owner}/{repo}/rulesets`.
    """
    found = [f"{key} is missing" for key in ("name", "enforcement") if key not in ruleset]
    known = {"name", "target", "enforcement", "bypass_actors", "conditions", "rules"}
    found += [f"{key} is not permitted" for key in sorted(set(ruleset) - known)]
    if ruleset.get("target") not in {"branch", "tag", "push"}:
        found.append("Invalid target")
    if ruleset.get("enforcement") not in {"active", "disabled", "evaluate"}:
        found.append("Invalid enforcement")
    names = ruleset.get("conditions", {}).get("ref_name", {})
    for key in ("include", "exclude"):
        for text in names.get(key, ["missing"]):
            if not text.startswith(("refs/", "~ALL", "~DEFAULT_BRANCH")):
                found.append(f"Invalid conditions: {key}")
    for actor in ruleset.get("bypass_actors", ()):
        if (actor.get("actor_type"), actor.get("actor_id")) == ("Integration", 15368):
            found.append("Actor GitHub Actions integration must be part of the ruleset source or owner organization")
    return [*found, *(text for rule in ruleset.get("rules", ()) for text in _rule_mistakes(rule))]


def _rule_mistakes(rule: dict[str, Any]) -> list[str]:  # noqa: PLR0911 - one for each answer
    kind, parameters = rule.get("type"), rule.get("parameters")
    if kind not in RULES or set(rule) - {"type", "parameters"}:
        return [f"Invalid rule '{kind}'"]
    if kind == "pull_request" and (not isinstance(parameters, dict) or PULL_REQUEST - set(parameters)):
        return ["Invalid rule 'pull_request': Invalid parameters"]
    if kind == "required_status_checks":
        if not isinstance(parameters, dict) or STATUS_CHECKS - set(parameters):
            return ["Invalid rule 'required_status_checks': Invalid parameters"]
        checks = parameters["required_status_checks"]
        if not all(isinstance(check.get("context"), str) for check in checks):
            return ["Invalid rule 'required_status_checks': context is missing"]
        if not all(isinstance(check.get("integration_id", 1), int) for check in checks):
            return ["Invalid rule 'required_status_checks': integration_id"]
    if kind in {"creation", "deletion", "non_fast_forward"} and parameters:
        return [f"Invalid rule '{kind}': Invalid parameters"]
    return []


class _Handler(BaseHTTPRequestHandler):
    state: GitHub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        state, split = self.state, urlsplit(self.path)
        self.query = {key: values[0] for key, values in parse_qs(split.query).items()}
        asked = f"{self.command} {split.path}"
        state.requests.append(asked)
        state.authorization.append(self.headers.get("Authorization", ""))
        for planned in state.plan:
            if planned[0] in asked:
                state.plan.remove(planned)
                self._send(*planned[1:])
                return
        self._send(*self._answer(split.path, json.loads(body) if body else None))

    def _answer(self, path: str, payload: Any) -> tuple[int, dict[str, str], Any]:  # noqa: PLR0911 - one for each answer
        state = self.state
        self.user = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.user and self.user not in {ADMIN, READER}:
            return _said(401, "Bad credentials")
        if path == "/apps/github-actions":
            return 200, {}, {"id": state.actions, "slug": "github-actions"}
        below = path.removeprefix("/repos/team/envs")
        if below == path or (state.private and not self.user):
            return _said(404, "Not Found")
        if below == "":
            return 200, {}, {"default_branch": "main", "private": state.private}
        if below == "/codeowners/errors":
            return _said(404, "Not Found") if state.owner_errors is None else (200, {}, {"errors": state.owner_errors})
        if below == "/contents/pyproject.toml" and state.project:
            return 200, {}, {"encoding": "base64", "content": base64.encodebytes(state.project.encode()).decode()}
        if below == "/commits/main/check-runs":
            runs = [run for run in state.checks if run["name"] == self.query["check_name"]]
            return 200, {}, {"total_count": len(runs), "check_runs": runs}
        if below.startswith("/rulesets"):
            if state.private and not state.paid:
                return _said(403, "Upgrade to GitHub Pro or make this repository public to enable this feature.")
            return self._rulesets(below.removeprefix("/rulesets").strip("/"), payload)
        return _said(404, "Not Found")

    def _rulesets(self, number: str, payload: Any) -> tuple[int, dict[str, str], Any]:  # noqa: PLR0911 - one for each answer
        state = self.state
        if self.command == "GET":
            return self._listed() if not number else self._one(int(number))
        if self.user == READER:
            return _said(403, "Resource not accessible by personal access token")
        if self.user != ADMIN:
            return _said(401, "Requires authentication")
        wrong = mistakes(payload)
        named = [item["id"] for item in state.rulesets.values() if item["name"] == payload["name"]]
        if any(str(other) != number for other in named):
            wrong.append("Name must be unique")
        if wrong:
            return 422, {}, {"message": "Validation Failed", "errors": wrong}
        if self.command == "POST":
            return 201, {}, state.rulesets[state.add(payload)]
        if int(number) not in state.rulesets:
            return _said(404, "Not Found")
        state.rulesets[int(number)].update(payload)
        return self._one(int(number))

    def _listed(self) -> tuple[int, dict[str, str], Any]:
        state = self.state
        length = min(int(self.query.get("per_page", 30)), state.per_page)
        page = int(self.query.get("page", 1))
        summaries = [
            {key: item[key] for key in ("id", "name", "target", "enforcement", "source_type", "source")}
            for item in state.rulesets.values()
        ]
        more = page * length < len(summaries)
        link = f'<{state.url}/repos/team/envs/rulesets?per_page={length}&page={page + 1}>; rel="next"'
        return 200, {"Link": link} if more else {}, summaries[(page - 1) * length : page * length]

    def _one(self, number: int) -> tuple[int, dict[str, str], Any]:
        found = self.state.rulesets.get(number)
        if found is None:
            return _said(404, "Not Found")
        hidden = self.user != ADMIN or found["source_type"] != "Repository"
        return 200, {}, {key: value for key, value in found.items() if not (hidden and key == "bypass_actors")}

    def _send(self, status: int, headers: dict[str, str], body: Any) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _said(status: int, message: str) -> tuple[int, dict[str, str], Any]:
    return status, {}, {"message": message, "documentation_url": "https://docs.github.com/rest"}


@contextmanager
def github_server() -> Iterator[GitHub]:
    """A running server."""
    handler = type("Planned", (_Handler,), {})
    running = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    running.daemon_threads = True
    state = GitHub(f"http://127.0.0.1:{running.server_address[1]}")
    handler.state = state  # type: ignore[attr-defined]  # a class of its own for each server
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        running.shutdown()
        running.server_close()
        thread.join()
