"""One archive from a web server: taken up again where it broke off, hashed on the way, credentials never told."""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from envtag import credentials
from envtag.credentials import Credential, Credentials, login_hint
from envtag.errors import FatalError
from envtag.urls import host_of, without_credentials

if TYPE_CHECKING:
    import requests

    from envtag.package import Package
    from envtag.request import Login as SpecLogin

_ATTEMPTS = 5
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
_TIMEOUT_SECONDS = (15.0, 60.0)  # to connect, and between two reads
_BLOCK = 1 << 18
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
_PARTIAL, _ERROR, _NOT_SATISFIABLE = 206, 400, 416
_REFUSED, _GONE = (401, 403), 404


@dataclass(slots=True, kw_only=True)
class Download:
    """One archive on its way; where its server asks who wants it, the client's credentials and a keyring say so.

    Attributes:
        package: What it is, for its hash and for errors.
        url: Where it is fetched from; may hold credentials.
        target: The file that it is written to; it is there, and empty.
        session: Gives the session of the thread that calls.
        count: Called with the number of bytes of each block.
    """

    package: Package
    url: str
    target: Path
    session: Callable[[], requests.Session]
    count: Callable[[int], None]
    _digest: Any = field(default_factory=hashlib.sha256)
    _login: Login | None = None

    def run(self) -> str:
        """Download it; returns the SHA-256 of what came, 64 hex digits.

        Raises:
            FatalError: The server refuses, or does not answer as it should after a bounded number of attempts.
        """
        import requests

        broken = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with self._ask(self.target.stat().st_size) as answer:
                    if answer.status_code in _TRANSIENT and attempt < _ATTEMPTS:
                        time.sleep(_pause(attempt, answer.headers.get("Retry-After", "")))
                        continue
                    if answer.status_code >= _ERROR:
                        raise self._refused(answer.status_code)
                    self._receive(answer)
                break
            except broken as error:
                if attempt == _ATTEMPTS:
                    raise self._unreachable(error) from error
                time.sleep(_pause(attempt, ""))
            except requests.RequestException as error:
                raise self._unreachable(error) from error
        return str(self._digest.hexdigest())

    def _ask(self, have: int) -> requests.Response:
        headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
        answer = self.session().get(self.url, headers=headers, stream=True, timeout=_TIMEOUT_SECONDS, auth=self._login)
        if answer.status_code in _REFUSED and self._login is None:
            known = Credentials()
            if known.ask(self.url):
                self._login = Login(known)
                answer.close()
                return self._ask(have)
        if have and answer.status_code == _NOT_SATISFIABLE:
            answer.close()
            self.target.write_bytes(b"")
            return self._ask(0)
        return answer

    def _receive(self, answer: requests.Response) -> None:
        resumed = answer.status_code == _PARTIAL
        if not resumed:
            self._digest = hashlib.sha256()
        with self.target.open("ab" if resumed else "wb") as stream:
            for block in answer.iter_content(_BLOCK):
                stream.write(block)
                self._digest.update(block)
                self.count(len(block))

    def _refused(self, status: int) -> FatalError:
        hint = login_hint(host_of(self.url)) if status in _REFUSED else ""
        if status == _GONE:
            hint = "it was removed there: only a store that holds it can still give it"
        return FatalError(f"cannot fetch {self.package} from {without_credentials(self.url)}: HTTP {status}", hint)

    def _unreachable(self, error: Exception) -> FatalError:
        host = urlsplit(self.url).hostname or ""
        return FatalError(
            f"cannot fetch {self.package}: no usable answer from `{host}` ({type(error).__name__})",
            "look at the network, the proxy variables and `ENVTAG_MIRRORS`",
        )


class Login:
    """Shows each host what is known for it, as requests wants it; `~/.netrc` has the say where nothing is.

    Args:
        known: The client's credentials.
    """

    def __init__(self, known: Credentials) -> None:
        self._known = known

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add what the host of a request is shown."""
        from requests.utils import get_netrc_auth

        url = request.url or ""
        found = self._known.of(url)
        if found is None:
            pair = get_netrc_auth(url)
            found = Credential(username=pair[0], password=pair[1]) if pair is not None else None
        if found is not None:
            request.url = found.url(url)
            if found.header:
                request.headers["Authorization"] = found.header
        return request


@contextmanager
def sessions(logins: Sequence[SpecLogin] = ()) -> Iterator[Callable[[], requests.Session]]:
    """One HTTP session a thread, made when it is first needed; it logs in where it can, and honours proxy variables.

    Args:
        logins: How specs say to log in.
    """
    local = threading.local()
    login = Login(credentials.load(logins=logins))
    opened: list[requests.Session] = []

    def session() -> requests.Session:
        if not hasattr(local, "session"):
            import requests

            local.session = requests.Session()
            local.session.auth = login
            opened.append(local.session)
        found: requests.Session = local.session
        return found

    try:
        yield session
    finally:
        for made in opened:
            made.close()


def _pause(attempt: int, retry_after: str) -> float:
    """Seconds to wait before the next attempt: the server's wish if it has one, else doubling with a jitter."""
    if retry_after.isdigit():
        return min(float(retry_after), _LONGEST_PAUSE_SECONDS)
    doubled: float = _FIRST_PAUSE_SECONDS * 2 ** (attempt - 1)
    return min(doubled, _LONGEST_PAUSE_SECONDS) * random.uniform(0.75, 1.25)  # noqa: S311 - no secret
