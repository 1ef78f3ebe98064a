"""How Google Cloud Storage is asked: its JSON API, by the SDK's credentials, and again only where that is safe.

The SDK's own calls repeat requests where nobody sees it, and need two requests to learn which generation was read; here
each request is one, so that a writer knows whether an answer of its own was lost.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from envtag.errors import FatalError
from envtag.store.attempts import ATTEMPTS, pause
from envtag.store.gcs_errors import RefusalError, asking

_TIMEOUT_SECONDS = (15, 60)  # to connect, and between two reads
_CONNECTIONS = 32
_SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"
_METADATA_SECONDS = 2  # for the server that only machines of Google Cloud have
_METADATA_ATTEMPTS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the server answered.

    Attributes:
        response: The answer as `requests` gives it.
        again: It was asked for before, and that answer was lost or an error: the request may have been carried out.
    """

    response: Any
    again: bool

    @property
    def status(self) -> int:
        """The HTTP status."""
        return int(self.response.status_code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Whom to ask, and as whom; for all threads.

    Attributes:
        session: A session of `requests` that adds the credentials.
        endpoint: The server's URL, without a trailing slash.
    """

    session: Any
    endpoint: str

    def objects(self, bucket: str, name: str | None = None) -> str:
        """The URL of a bucket's objects, or of one of them."""
        base = f"{self.endpoint}/storage/v1/b/{quote(bucket, safe='')}/o"
        return base if name is None else f"{base}/{quote(name, safe='')}"

    def uploads(self, bucket: str) -> str:
        """The URL that takes new objects of a bucket."""
        return f"{self.endpoint}/upload/storage/v1/b/{quote(bucket, safe='')}/o"

    def ask(
        self,
        method: str,
        url: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        data: bytes | memoryview = b"",
        expected: Collection[int] = (),
        stream: bool = False,
        attempts: int = ATTEMPTS,
    ) -> Answer:
        """Make a request, again after throttling, failures of the server and broken connections.

        Args:
            method: HTTP's.
            url: Where.
            query: Parameters.
            headers: More of them.
            data: The body.
            expected: Statuses from 300 on that are an answer to the caller.
            stream: Leave the answer's body to the caller, who closes it.
            attempts: How often at most.

        Raises:
            RefusalError: The server says no, or is overloaded to the end.
            requests.RequestException: No answer to the end.
        """
        import requests

        attempt = 0
        while True:
            attempt += 1
            try:
                response = self.session.request(
                    method, url, params=query, data=data, stream=stream, timeout=_TIMEOUT_SECONDS,
                    headers={"Accept-Encoding": "identity", **(headers or {})}, allow_redirects=False,
                )  # fmt: skip
            except requests.RequestException as error:
                if not may_pass(error) or attempt == attempts:
                    raise
            else:
                if response.status_code < 300 or response.status_code in expected:  # noqa: PLR2004 - HTTP's own
                    return Answer(response=response, again=attempt > 1)
                refusal = RefusalError.of(response)
                response.close()
                if not refusal.busy or attempt == attempts:
                    raise refusal
            pause(attempt - 1)


def may_pass(error: Exception) -> bool:
    """Whether an error of `requests` is that there was no answer, or not all of it, and another attempt may have it."""
    import requests

    lost = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
    return isinstance(error, lost) and not isinstance(error, requests.exceptions.SSLError)


def connect(url: str) -> Connection:
    """A connection by the SDK's own configuration: an emulator without credentials, or Google with the default ones.

    Args:
        url: The store's URL, for messages.

    Raises:
        FatalError: There are no credentials, they cannot be read, or the emulator's address is malformed.
    """
    with asking("connect", "", url):
        import google.auth.transport.requests
        import requests

        emulator = os.environ.get("STORAGE_EMULATOR_HOST", "")
        if emulator:
            session: Any = requests.Session()
            endpoint = _emulator(emulator, url)
        else:
            transport: Any = google.auth.transport.requests
            credentials = _credentials(url)
            domain = getattr(credentials, "universe_domain", "googleapis.com")
            session = transport.AuthorizedSession(credentials, refresh_timeout=sum(_TIMEOUT_SECONDS))
            endpoint = f"https://storage.{domain}"
        adapter = requests.adapters.HTTPAdapter(pool_connections=4, pool_maxsize=_CONNECTIONS, max_retries=0)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        session.auth = _keep  # or a line of ~/.netrc would be sent in place of the token
        return Connection(session=session, endpoint=endpoint)


def _keep(request: Any) -> Any:
    return request


def _emulator(address: str, url: str) -> str:
    """The URL of an emulator, which may be given without its scheme."""
    whole = address if "://" in address else f"http://{address}"
    try:
        parts = urlsplit(whole)
        malformed = parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc
        _ = parts.port
    except ValueError:  # its text can hold a part of a password
        malformed = True
    if malformed:
        message = f"STORAGE_EMULATOR_HOST, where the store {url} is to be, is malformed"
        raise FatalError(message, "write it like `http://localhost:9023`, or unset it")
    return whole.rstrip("/")


def _credentials(url: str) -> Any:
    """The application default credentials, looked for within a few seconds."""
    import google.auth
    from google.auth.exceptions import GoogleAuthError

    try:
        with warnings.catch_warnings():  # one about quotas of people's own credentials: nothing that they could do here
            warnings.simplefilter("ignore")
            credentials, _ = google.auth.default(scopes=[_SCOPE], request=_impatient())
    except GoogleAuthError:
        raise
    except (AttributeError, LookupError, TypeError, ValueError):  # a file of another shape; its error can show a key
        message = f"the credentials for the store {url} cannot be read"
        raise FatalError(message, "replace the file that GOOGLE_APPLICATION_CREDENTIALS names") from None
    return credentials


def _impatient() -> Any:
    """How google-auth may ask for credentials: the server of Google's own machines is missing on all others.

    google-auth would wait for it three times three seconds, and between them.
    """
    from google.auth import exceptions
    from google.auth.transport.requests import Request

    request: Any = Request()
    failures = 0

    def ask(*arguments: Any, **keywords: Any) -> Any:
        nonlocal failures
        wanted = keywords.pop("timeout", None)  # only that server is asked with one
        timeout = min(wanted, _METADATA_SECONDS) if wanted else _TIMEOUT_SECONDS[1]
        try:
            return request(*arguments, timeout=timeout, **keywords)
        except exceptions.TransportError:
            failures += 1
            if failures < _METADATA_ATTEMPTS:
                raise
            raise exceptions.DefaultCredentialsError from None

    return ask
