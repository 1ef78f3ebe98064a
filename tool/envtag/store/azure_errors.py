"""What Azure Blob Storage and the libraries that ask it say: in one line each, and never a secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from envtag.errors import FatalError, UnreachableError
from envtag.store.base import file_error

CHAIN = (
    "`az login`, AZURE_STORAGE_CONNECTION_STRING, AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN, "
    "or the identity of a machine of Azure gives them"
)
#: Error codes of the server (the HTTP status where an answer has none), message, hint.
_ANSWERS: tuple[tuple[str, str, str], ...] = (
    (
        "ContainerNotFound ContainerBeingDeleted ContainerDisabled",
        "the container of the store {url} does not exist ({code})",
        "create it, or correct the URL",
    ),
    (
        "ResourceNotFound AccountIsDisabled AccountBeingCreated",
        "the storage account or the container of {url} does not exist, or is not at this endpoint ({code})",
        "correct the URL; AZURE_STORAGE_CONNECTION_STRING or AZURE_STORAGE_SERVICE_ENDPOINT names an endpoint if set",
    ),
    (
        "AuthenticationFailed InvalidAuthenticationInfo NoAuthenticationInformation 401",
        "the credentials for {url} are refused ({code})",
        f"renew or replace them: {CHAIN}; the clock of this machine must be right too",
    ),
    (
        "KeyBasedAuthenticationNotPermitted PublicAccessNotPermitted",
        "the storage account of {url} takes no such credentials ({code})",
        "unset AZURE_STORAGE_KEY and AZURE_STORAGE_CONNECTION_STRING, and sign in with `az login`",
    ),
    (
        "Md5Mismatch InvalidMd5",
        "cannot {action} in {url}: other bytes arrived there than were to be sent ({code})",
        "try again; if it stays so, something on the way, or on this disk, changes bytes",
    ),
    (
        "BlobImmutableDueToPolicy LeaseIdMissing LeaseAlreadyPresent LeaseIdMismatchWithBlobOperation",
        "cannot {action} in {url}: a policy or a lease of somebody's forbids it ({code})",
        "the container's owner says how long its objects must stay as they are",
    ),
    (
        "BlobArchived BlobBeingRehydrated",
        "cannot {action} in {url}: it was moved to the archive tier ({code})",
        "move it back to an online tier, and keep lifecycle rules for archives off the container",
    ),
    (
        "InvalidBlobType InvalidBlobOrBlock",
        "cannot {action} in {url}: something of another kind is in its place, or was begun there ({code})",
        "remove it; what an unfinished upload of another tool left is gone after a week",
    ),
    (
        "FeatureVersionMismatch InvalidHeaderValue UnsupportedHeader UnsupportedHttpVerb 405 501",
        "the server of {url} cannot {action} as it must be ({code})",
        "a store needs conditional writes, which some servers of this kind lack",
    ),
    (
        (
            "AuthorizationFailure AuthorizationPermissionMismatch AuthorizationProtocolMismatch "
            "AuthorizationResourceTypeMismatch AuthorizationServiceMismatch AuthorizationSourceIPMismatch "
            "InsufficientAccountPermissions UnauthorizedBlobOverwrite 403"
        ),
        "access denied: these credentials may not {action} in {url} ({code})",
        (
            "ask the account's owner for `Storage Blob Data Reader` to read, `Storage Blob Data Contributor` to write, "
            "or a SAS that allows it; the account's firewall answers like this too"
        ),
    ),
)
#: What is asked for again after a pause.
_BUSY = frozenset({408, 429, 500, 502, 503, 504})
_SIGN_IN_CODE = re.compile(r"\bAADSTS[0-9]+\b")


@contextmanager
def asking(verb: str, key: str, url: str) -> Iterator[None]:
    """Turn what the server, its libraries and the file system raise into `FatalError`.

    Args:
        verb: What is done to the object (`read`, `write`, `list`, `delete`).
        key: The object's key or the prefix of a listing; may be empty.
        url: The store's URL.

    Raises:
        FatalError: The block failed, and the error names the key, the store and the cause; or the libraries are not
            installed.
    """
    action = f"{verb} `{key}`" if key else verb
    try:
        from azure.core.exceptions import AzureError
    except ImportError:
        raise missing(url) from None
    try:
        yield
    except AzureError as error:
        raise _failed(error, action, url) from None
    except OSError as error:
        raise file_error(error, key, url) from error


def missing(url: str) -> FatalError:
    """The error for libraries that are not installed."""
    message = f"the store {url} needs the libraries of Azure Blob Storage, which are not installed"
    return FatalError(message, "`pip install 'envtag[azure]'`")


def code(error: Any) -> str:
    """The server's code for what went wrong, or the HTTP status where it gave none; empty if there was no answer."""
    response = getattr(error, "response", None)
    if response is None:
        return ""
    given = response.headers.get("x-ms-error-code") or ""
    return given if given.isalnum() else str(response.status_code)


def passing(error: Any) -> bool:
    """Whether the same request may well be answered later."""
    from azure.core import exceptions

    response = getattr(error, "response", None)
    if isinstance(error, exceptions.ClientAuthenticationError) or _distrusted(error):
        return False
    if isinstance(error, (exceptions.ServiceRequestError, exceptions.ServiceResponseError)):
        return not _malformed(error)
    if isinstance(error, exceptions.HttpResponseError):
        return response is None or response.status_code in _BUSY or response.status_code < 300  # noqa: PLR2004 - HTTP's own
    return False


def _failed(error: Any, action: str, url: str) -> FatalError:
    from azure.core import exceptions

    if isinstance(error, exceptions.ClientAuthenticationError) and not code(error):
        return _unauthorized(error, url)
    if _malformed(error):
        return FatalError(
            f"the endpoint or the proxy for {url} is malformed",
            "see AZURE_STORAGE_CONNECTION_STRING, AZURE_STORAGE_SERVICE_ENDPOINT and HTTPS_PROXY",
        )
    if _distrusted(error):
        return UnreachableError(
            f"the server of {url} cannot be trusted: its certificate is not valid here",
            "REQUESTS_CA_BUNDLE names the certificates of an authority of your own",
        )
    if not code(error) or error.response.status_code < 300:  # noqa: PLR2004 - HTTP's own
        return UnreachableError(
            f"cannot {action} in {url}: no answer, or the connection broke ({type(error).__name__})",
            "check the network, the proxy and the name of the storage account, which is a part of its host's name",
        )
    return _refused(error, action, url)


def _refused(error: Any, action: str, url: str) -> FatalError:
    """The error for a request that the server answered with an error code; of its text nothing is shown."""
    said = code(error)
    if error.response.status_code in _BUSY:
        return UnreachableError(f"cannot {action} in {url}: the server is overloaded or failing ({said})", "try again")
    expired = _expired(error)
    if expired and error.response.status_code in {401, 403}:
        return FatalError(f"the SAS for {url} expired at {expired}", "make a new one, for AZURE_STORAGE_SAS_TOKEN")
    for codes, message, hint in _ANSWERS:
        if {said, str(error.response.status_code)} & set(codes.split()):
            return FatalError(message.format(action=action, url=url, code=said), hint)
    return FatalError(f"cannot {action} in {url}: the server says {said}")


def _unauthorized(error: Any, url: str) -> FatalError:
    """The error for credentials that cannot be had or used; of the libraries' text only a sign-in code is shown."""
    if any(kind.__name__ == "AzureSigningError" for kind in type(error).__mro__):
        message = f"the key for {url} is no key of a storage account"
        return FatalError(message, "correct AZURE_STORAGE_KEY, or AccountKey in AZURE_STORAGE_CONNECTION_STRING")
    refused = _SIGN_IN_CODE.search(str(error))
    if refused:
        return FatalError(f"the credentials for {url} are refused ({refused[0]})", f"renew or replace them: {CHAIN}")
    return FatalError(f"no credentials for the store {url}", CHAIN)


def _expired(error: Any) -> str:
    """When the SAS of a refused request expired, as it says itself; empty if it has not, or there is none."""
    query = dict(parse_qsl(urlsplit(error.response.request.url).query))
    end = query.get("se", "") if "sig" in query else ""
    try:
        moment = datetime.strptime(end[:10], "%Y-%m-%d").replace(tzinfo=timezone.utc)
        if len(end) > len("2025-01-01"):
            moment = datetime.strptime(end[:16], "%Y-%m-%dT%H:%M").replace(tzinfo=timezone.utc)
    except ValueError:
        return ""
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment <= datetime.now(timezone.utc) else ""


def _distrusted(error: Any) -> bool:
    return _cause(error) == "SSLError"


def _malformed(error: Any) -> bool:
    return _cause(error) in {"InvalidURL", "MissingSchema", "InvalidSchema", "InvalidProxyURL"}


def _cause(error: Any) -> str:
    """The class of the error of `requests` below one of the SDK."""
    return type(getattr(error, "inner_exception", None)).__name__
