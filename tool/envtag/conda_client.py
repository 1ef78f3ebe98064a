"""The HTTP client of rattler, logged in where the client's credentials say so."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from envtag.credentials import Credentials


def conda_client(urls: Iterable[str], credentials: Credentials) -> Any:
    """A client for channels or packages.

    rattler reads `~/.netrc`, its own file and its own entries of a keyring by itself. What is known beyond that goes
    into a header of what is asked below these URLs, and of nothing else.

    Args:
        urls: What will be asked, or is above it.
        credentials: Who the client is there.
    """
    from rattler.networking import Client
    from rattler.networking.middleware import (
        AddHeadersMiddleware,
        AuthenticationMiddleware,
        GCSMiddleware,
        OciMiddleware,
        RetryMiddleware,
        S3Middleware,
    )

    headers: dict[str, dict[str, str]] = {}
    for url in urls:
        found = credentials.of(url)
        if found is not None and found.header:
            parts = urlsplit(url)
            headers.setdefault(parts.hostname or "", {})[parts.path] = found.header
    if not headers:
        return Client.default_client()

    def header(host: str, path: str) -> dict[str, str] | None:
        below = [prefix for prefix in headers.get(host, {}) if path.startswith(prefix)]
        return {"Authorization": headers[host][max(below, key=len)]} if below else None

    return Client(
        [
            RetryMiddleware(), AddHeadersMiddleware(header), AuthenticationMiddleware(), OciMiddleware(),
            GCSMiddleware(), S3Middleware(),
        ]
    )  # fmt: skip
