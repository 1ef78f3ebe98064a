"""Asking GitHub: one request at a time, every refusal in one line, and the token in no message."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from envtag.errors import FatalError
from envtag.findings.escape import one_line

DEFAULT_URL = "https://api.github.com"
TOKENS = ("GH_TOKEN", "GITHUB_TOKEN")
_VERSION = "2022-11-28"
_ATTEMPTS = 3
_PAUSE_SECONDS = 0.5
_TIMEOUT_SECONDS = (15, 60)
_PASSING = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})
_PAGES = 100
_LONGEST = 300
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_AGAIN = "asking again is safe; githubstatus.com says whether GitHub is well"
_MOVED = ("the repository has moved", "name it by its new OWNER/REPO")
_NO_PLAN = (
    "the plan of this private repository's owner has no rulesets",
    "make the repository public, or move to a plan that has them, or to a server with the hook of `envtag hook`",
)
#: HTTP status to what it means here, and what to do about it.
_ANSWERS: Mapping[int, tuple[str, str]] = {
    **dict.fromkeys((301, 302, 307, 308), _MOVED),
    401: ("GitHub does not know the token", "renew what `GH_TOKEN` or `GITHUB_TOKEN` holds"),
    403: (
        "the token may not ({said})",
        "it takes a token with `Administration: write` of the repository; that of GitHub Actions has not",
    ),
    404: (
        "GitHub has no such thing, or the token may not see it",
        "correct OWNER/REPO; what is private, or may not be changed, looks the same to a token without rights",
    ),
    422: ("GitHub refuses what was sent: {said}", "its own words say which part"),
}


class RefusedError(FatalError):
    """GitHub's answer is no.

    Attributes:
        status: HTTP's.
        said: GitHub's own words.
    """

    def __init__(self, status: int, said: str, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.status = status
        self.said = said

    @property
    def no_plan(self) -> bool:
        """Whether it is because the plan of a private repository's owner has no such feature."""
        return self.status == HTTPStatus.FORBIDDEN and "upgrade to github" in self.said.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """GitHub's REST API, as one user.

    Attributes:
        url: Its root, without a trailing slash.
        token: What says who asks; empty for nobody.
    """

    url: str = DEFAULT_URL
    token: str = field(default="", repr=False)

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Api:
        """The API that variables name: `GITHUB_API_URL`, with the token in `GH_TOKEN` or `GITHUB_TOKEN`.

        Raises:
            FatalError: The URL is malformed, or the token would travel in the clear.
        """
        url = (environ.get("GITHUB_API_URL") or DEFAULT_URL).rstrip("/")
        token = next((environ[name].strip() for name in TOKENS if environ.get(name, "").strip()), "")
        try:
            parts = urlsplit(url)
            whole = bool(parts.hostname) and parts.scheme in {"http", "https"} and parts.port != 0
        except ValueError:
            whole = False
        if not whole or "@" in parts.netloc or parts.query or parts.fragment:
            raise FatalError("`GITHUB_API_URL` is not the URL of an API", f"for example `{DEFAULT_URL}`")
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise FatalError("`GITHUB_API_URL` is not `https`", "a token is not sent where others can read it")
        if not token.isascii() or not token.isprintable() or " " in token:
            raise FatalError("the token in `GH_TOKEN` or `GITHUB_TOKEN` is malformed", "copy it again")
        return cls(url=url, token=token)

    def get(self, what: str, path: str, **query: str) -> Any:
        """What a path holds.

        Args:
            what: What this is for, to say after "cannot" (`read the rulesets of ...`).
            path: Below the root, with a leading slash.
            query: Parameters.

        Raises:
            RefusedError: GitHub says no.
            FatalError: It does not answer, or not as it should.
        """
        return self._json(what, self._ask(what, "GET", self.url + path, query=query))

    def pages(self, what: str, path: str, **query: str) -> Iterator[Any]:
        """The items of a list, however many pages it has; arguments and errors as for `get`."""
        url: str | None = self.url + path
        parameters: Mapping[str, str] = {"per_page": "100", **query}
        for _ in range(_PAGES):
            response = self._ask(what, "GET", str(url), query=parameters)
            found = self._json(what, response)
            if not isinstance(found, list):
                raise self.odd(what)
            yield from found
            url, parameters = response.links.get("next", {}).get("url"), {}
            if url is None:
                return
            if not url.startswith(f"{self.url}/"):
                raise self.odd(what)  # the token goes nowhere else
        raise self.odd(what)

    def send(self, what: str, method: str, path: str, payload: Mapping[str, Any]) -> Any:
        """Make or change something, once; arguments and errors as for `get`."""
        return self._json(what, self._ask(what, method, self.url + path, payload=payload))

    def _ask(
        self, what: str, method: str, url: str, *, query: Mapping[str, str] | None = None, payload: Any = None
    ) -> Any:
        import requests

        headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": _VERSION, "User-Agent": "envtag"}
        reading = method == "GET"
        for attempt in range(_ATTEMPTS if reading else 1):
            if attempt:
                time.sleep(_PAUSE_SECONDS * 2**attempt)
            try:
                response = requests.request(
                    method, url, params=query, json=payload, headers=headers, auth=self._sign,
                    timeout=_TIMEOUT_SECONDS, allow_redirects=reading,
                )  # fmt: skip
            except requests.RequestException as error:
                lost = error
                continue
            if response.status_code not in _PASSING or attempt + 1 == _ATTEMPTS or not reading:
                break
        else:
            raise FatalError(
                f"cannot {what}: no answer from {self.url} ({type(lost).__name__})",
                "check the network and the proxy, and `GITHUB_API_URL` if it is set; asking again is safe",
            ) from None
        if response.status_code >= HTTPStatus.MULTIPLE_CHOICES:
            raise self._refused(what, response)
        return response

    def _sign(self, request: Any) -> Any:
        """Add the token; a line of `~/.netrc` would be sent in its place otherwise."""
        if self.token:
            request.headers["Authorization"] = f"Bearer {self.token}"
        return request

    def _refused(self, what: str, response: Any) -> RefusedError:
        status = int(response.status_code)
        said = self._said(response)
        message, hint = self._explained(status, said, response.headers)
        return RefusedError(status, said, f"cannot {what}: {message}", hint)

    def _explained(self, status: int, said: str, headers: Mapping[str, str]) -> tuple[str, str]:
        """A refusal in words, and what to do about it."""
        limited = headers.get("x-ratelimit-remaining") == "0" or "retry-after" in headers
        if status in {403, 429} and (limited or "rate limit" in said.lower()):
            return "GitHub's rate limit is used up", f"{_when(headers)}; a token has a larger one"
        if status == HTTPStatus.FORBIDDEN and "upgrade to github" in said.lower():
            return _NO_PLAN
        if status == HTTPStatus.UNAUTHORIZED and not self.token:
            return "GitHub wants a token", "set `GH_TOKEN` or `GITHUB_TOKEN`; `gh auth token` prints yours"
        message, hint = _ANSWERS.get(status, (f"GitHub answers {status}: {{said}}", _AGAIN))
        return message.format(said=said), hint

    def _said(self, response: Any) -> str:
        """GitHub's own words on one line, without the token."""
        try:
            document = response.json()
        except ValueError:
            document = {}
        parts = []
        if isinstance(document, dict):
            errors = document.get("errors") or []
            parts = [document.get("message"), *(errors if isinstance(errors, list) else [errors])]
        texts = [item.get("message") or item.get("code") if isinstance(item, dict) else item for item in parts]
        text = "; ".join(str(item).rstrip(".") for item in texts if item) or HTTPStatus(response.status_code).phrase
        if self.token:
            text = text.replace(self.token, "***")
        return one_line(text)[:_LONGEST]

    def _json(self, what: str, response: Any) -> Any:
        try:
            return response.json()
        except ValueError:
            raise self.odd(what) from None

    def odd(self, what: str) -> FatalError:
        """The error for an answer that is none of GitHub's."""
        return FatalError(
            f"cannot {what}: {self.url} does not answer as GitHub does", "check `GITHUB_API_URL`, and the proxy"
        )


def _when(headers: Mapping[str, str]) -> str:
    """When to come back, as a limit's headers say it."""
    after, reset = headers.get("retry-after", ""), headers.get("x-ratelimit-reset", "")
    if after.isdigit():
        return f"try again in {after} s"
    if reset.isdigit():
        return f"try again after {time.strftime('%H:%M:%S UTC', time.gmtime(int(reset)))}"
    return "try again later"
