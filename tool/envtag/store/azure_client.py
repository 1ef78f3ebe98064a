"""Whom to ask of Azure Blob Storage and as whom, and how often: the SDK asks once, what is repeated is decided here."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from envtag.errors import FatalError
from envtag.store.attempts import ATTEMPTS, pause
from envtag.store.azure_errors import CHAIN, asking, code, missing, passing

#: What is downloaded in one request, and held in memory.
CHUNK_BYTES = 8 << 20
_TIMEOUT_SECONDS = (15, 60)  # to connect, and between two reads
_SIGN_IN_SECONDS = 10  # for each program or server that can be asked for a token
_CONNECTIONS = 32
_LARGEST_PUT = 64 << 20
_HOST = "blob.core.windows.net"
_ACCOUNTS = ("AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_ACCOUNT_NAME")
_KEYS = ("AZURE_STORAGE_KEY", "AZURE_STORAGE_ACCOUNT_KEY")
_ENDPOINTS = ("AZURE_STORAGE_SERVICE_ENDPOINT", "AZURE_STORAGE_ENDPOINT")
#: The SDK reports what it also raises; without a handler, Python would print that.
_UNHEARD = logging.NullHandler()
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Generic[_T]):
    """What came of a request.

    Attributes:
        value: What the server gave; None if it refused.
        refusal: The code of a refusal that was expected; empty if there was none.
        again: It was asked for before, and that answer was lost or an error: the request may have been carried out.
    """

    value: _T | None
    refusal: str = ""
    again: bool = False


def ask(request: Callable[[], _T], refusals: Collection[str] = ()) -> Answer[_T]:
    """Make a request, again after throttling, failures of the server and broken connections.

    Args:
        request: Makes it once.
        refusals: Codes that are an answer to the caller.

    Raises:
        AzureError: The server refuses for another reason, or does not answer to the end.
    """
    from azure.core.exceptions import AzureError

    for attempt in range(ATTEMPTS):
        try:
            return Answer(value=request(), again=attempt > 0)
        except AzureError as error:
            if code(error) in refusals:
                return Answer(value=None, refusal=code(error), again=attempt > 0)
            if not passing(error) or attempt + 1 == ATTEMPTS:
                raise
        pause(attempt)
    raise AssertionError(ATTEMPTS)  # pragma: no cover - the last attempt returns or raises


def connect(url: str, account: str) -> Any:
    """A client of the SDK for an account, by the variables that Azure's own tools read; for all threads.

    They are, the first that is there: AZURE_STORAGE_CONNECTION_STRING, AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN, and
    what `DefaultAzureCredential` finds. Those that say that they are of another account are passed over.

    Args:
        url: The store's URL, for messages.
        account: The account's name.

    Raises:
        FatalError: The SDK is not installed, or what the variables hold is malformed.
    """
    with asking("connect", "", url):
        try:
            from azure.storage.blob import BlobServiceClient
        except ImportError:
            raise missing(url) from None

        logging.getLogger("azure").addHandler(_UNHEARD)
        settings = {
            "transport": _transport(),
            "retry_total": 0,
            "max_single_get_size": CHUNK_BYTES,
            "max_chunk_get_size": CHUNK_BYTES,
            "max_single_put_size": _LARGEST_PUT,
        }
        connection = os.environ.get("AZURE_STORAGE_CONNECTION_STRING", "")
        if connection:
            credential = None if _is_whole(connection) else _credential(url, account)
            with _making(url, "AZURE_STORAGE_CONNECTION_STRING"):
                client = BlobServiceClient.from_connection_string(connection, credential=credential, **settings)
            if client.account_name in {None, "", account}:
                return client
        endpoint = _endpoint(url, account)
        credential = _credential(url, account)
        with _making(url, _ENDPOINTS[0]):
            return BlobServiceClient(endpoint, credential=credential, **settings)


@contextmanager
def _making(url: str, variable: str) -> Iterator[None]:
    """Turn what the SDK raises for malformed arguments into `FatalError`; its text can hold a part of a key."""
    try:
        yield
    except (TypeError, ValueError) as error:
        if "HTTPS" in str(error):
            message = f"no credentials for the store {url} that may be sent to an endpoint without TLS"
            raise FatalError(message, f"use an `https://` endpoint, or a key: {CHAIN}") from None
        message = f"{variable}, for the store {url}, is malformed"
        raise FatalError(message, "copy it again from what Azure shows of the account, or unset it") from None


def _transport() -> Any:
    """How the SDK makes requests: through one pool of connections, and without what `~/.netrc` says of the host."""
    import requests
    from azure.core.pipeline.transport import RequestsTransport

    session = requests.Session()
    adapter = requests.adapters.HTTPAdapter(pool_connections=4, pool_maxsize=_CONNECTIONS, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.auth = _keep  # or a line of ~/.netrc would be sent in place of the signature
    connect_seconds, read_seconds = _TIMEOUT_SECONDS
    return RequestsTransport(session=session, connection_timeout=connect_seconds, read_timeout=read_seconds)


def _keep(request: Any) -> Any:
    return request


def _is_whole(connection: str) -> bool:
    """Whether a connection string has a credential of its own."""
    names = {part.partition("=")[0].strip().lower() for part in connection.split(";")}
    return not names.isdisjoint({"accountkey", "sharedaccesssignature", "usedevelopmentstorage"})


def _credential(url: str, account: str) -> Any:
    """The account's key or SAS if the variables hold one, otherwise whoever is signed in."""
    from azure.core.credentials import AzureNamedKeyCredential, AzureSasCredential

    if _first(_ACCOUNTS) in {"", account}:
        key, sas = _first(_KEYS), os.environ.get("AZURE_STORAGE_SAS_TOKEN", "").strip().removeprefix("?")
        if key:
            return AzureNamedKeyCredential(account, key)
        if sas:
            return AzureSasCredential(sas)
    try:
        from azure.identity import DefaultAzureCredential
    except ImportError:
        raise missing(url) from None
    try:
        return DefaultAzureCredential(process_timeout=_SIGN_IN_SECONDS, read_timeout=_SIGN_IN_SECONDS)
    except ValueError:  # a variable of a workload's or an application's identity
        message = f"the identity for the store {url} is malformed"
        raise FatalError(message, "see AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_AUTHORITY_HOST") from None


def _endpoint(url: str, account: str) -> str:
    """Where the account is: Azure's public cloud, unless a variable names the endpoint of this account."""
    given = _first(_ENDPOINTS)
    try:
        parts = urlsplit(given)
        malformed = bool(given) and (parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc)
        _ = parts.port
    except ValueError:  # its text can hold a part of a password
        malformed = True
    if malformed or (given and (parts.query or parts.fragment)):
        message = f"AZURE_STORAGE_SERVICE_ENDPOINT, where the store {url} is to be, is malformed"
        raise FatalError(message, "write it like `https://ACCOUNT.blob.core.windows.net`, or unset it")
    owner = parts.netloc.partition(".blob.")
    if not given or (owner[1] and owner[0] != account):
        return f"https://{account}.{_HOST}"
    return given.rstrip("/")


def _first(names: tuple[str, ...]) -> str:
    """The value of the first variable that is set and not empty."""
    return next(filter(None, (os.environ.get(name, "").strip() for name in names)), "")
