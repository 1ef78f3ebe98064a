"""How boto is asked, and what it and S3 say: in one line each that names the thing, and never a secret."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from envtag.errors import FatalError, UnreachableError
from envtag.store.attempts import ATTEMPTS
from envtag.store.base import file_error
from envtag.store.s3_options import add_options
from envtag.store.s3_puts import add_handlers

_TIMEOUT_SECONDS = (15, 60)  # to connect, and between two reads
_CONNECTIONS = 32

_CHAIN = "`aws configure`, AWS_PROFILE, AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, or a role gives them"
#: Error codes of the server (the HTTP status where an answer has no body), message, hint.
_ANSWERS: tuple[tuple[str, str, str], ...] = (
    ("NoSuchBucket", "the bucket of the store {url} does not exist", "create it, or correct the URL"),
    (
        "403 AccessDenied AllAccessDisabled Forbidden",
        "access denied: these credentials may not {action} in {url}",
        "ask the bucket's owner; S3 also says so of what is not there to who lacks `s3:ListBucket`",
    ),
    (
        (
            "ExpiredToken ExpiredTokenException InvalidAccessKeyId InvalidToken SignatureDoesNotMatch "
            "TokenRefreshRequired UnrecognizedClientException"
        ),
        "the credentials for {url} are refused ({code})",
        f"renew or replace them: {_CHAIN}",
    ),
    (
        "301 307 AuthorizationHeaderMalformed IllegalLocationConstraintException PermanentRedirect TemporaryRedirect",
        "cannot {action} in {url}: the bucket is in another region, or not at this endpoint ({code})",
        "AWS_REGION, AWS_ENDPOINT_URL_S3 or the profile says where to ask",
    ),
    ("RequestTimeTooSkewed", "{url} refuses requests with the time of this machine", "set its clock"),
    (
        "501 MethodNotAllowed NotImplemented",
        "the server of {url} cannot {action} as it must be ({code})",
        "a store needs conditional writes (If-None-Match, If-Match), which older servers of this kind lack",
    ),
    (
        "BadDigest XAmzContentChecksumMismatch XAmzContentSHA256Mismatch",
        "cannot {action} in {url}: other bytes arrived there than were to be sent ({code})",
        "try again; if it stays so, something on the way, or on this disk, changes bytes",
    ),
)
_BUSY = frozenset({
    "429", "500", "502", "503", "504", "InternalError", "RequestTimeout", "ServiceUnavailable", "SlowDown",
    "Throttling", "ThrottlingException", "TooManyRequests",
})  # fmt: skip
#: Classes of boto's errors, or bases of them, message, hint.
_FAILURES: tuple[tuple[str, str, str], ...] = (
    ("NoCredentialsError", "no credentials for the store {url}", _CHAIN),
    ("PartialCredentialsError", "half of the credentials for {url} is missing: {cred_var}", _CHAIN),
    (
        "ProfileNotFound",
        "the AWS profile `{profile}` for the store {url} does not exist",
        "AWS_PROFILE names it; `aws configure list-profiles` shows those that there are",
    ),
    (
        (
            "CredentialRetrievalError LoginError MetadataRetrievalError NoAuthTokenError "
            "RefreshWithMFAUnsupportedError SSOError TokenRetrievalError"
        ),
        "the credentials for {url} cannot be had ({name})",
        "sign in again, then try again",
    ),
)
#: Classes of boto's errors for which there was no answer.
_SILENCE: tuple[tuple[str, str, str], ...] = (
    (
        "SSLError",
        "the server of {url} cannot be trusted: its certificate is not valid here",
        "AWS_CA_BUNDLE names the certificates of an authority of your own",
    ),
    (
        "ConnectionError HTTPClientError IncompleteReadError",
        "cannot {action} in {url}: no answer, or the connection broke ({name})",
        "check the network and the proxy, and AWS_REGION and AWS_ENDPOINT_URL if they are set",
    ),
)


def connect(url: str) -> Any:
    """A client by boto's own configuration, but for how often and how long it tries.

    Args:
        url: The store's URL, for messages.

    Raises:
        FatalError: The configuration names a profile that does not exist, or a malformed endpoint, region or option.
    """
    from botocore.config import Config
    from botocore.session import get_session  # what boto3 adds to it, nobody needs here, and it is slow to load

    settings = Config(
        connect_timeout=_TIMEOUT_SECONDS[0],
        read_timeout=_TIMEOUT_SECONDS[1],
        max_pool_connections=_CONNECTIONS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        request_checksum_calculation="when_required",  # envtag hands its own SHA-256 over, and compares it itself
        response_checksum_validation="when_required",
    )
    with asking("connect", "", url):
        try:
            client = get_session().create_client("s3", config=settings)
        except ValueError:  # its text can hold a part of a password
            raise FatalError(
                f"the endpoint or the region for {url} is malformed",
                "see AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3 and AWS_REGION, or the profile",
            ) from None
        add_options(client, os.environ)
        add_handlers(client)
        return client


@contextmanager
def asking(verb: str, key: str, url: str) -> Iterator[None]:
    """Turn what boto and the file system raise into `FatalError`.

    Args:
        verb: What is done to the object (`read`, `write`, `list`, `delete`).
        key: The object's key or the prefix of a listing; may be empty.
        url: The store's URL.

    Raises:
        FatalError: The block failed; the error names the key, the store and the cause.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    action = f"{verb} `{key}`" if key else verb
    try:
        yield
    except ClientError as error:
        raise _refused(code(error), action, url) from None
    except BotoCoreError as error:
        raise _failed(error, action, url) from None
    except OSError as error:
        raise file_error(error, key, url) from error


def code(error: Any) -> str:
    """The code of a `ClientError`: a word, or the HTTP status where the answer had no body (HEAD)."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _refused(code: str, action: str, url: str) -> FatalError:
    """The error for a request that the server answered with an error code."""
    if code in _BUSY:
        return UnreachableError(f"cannot {action} in {url}: the server is overloaded or failing ({code})", "try again")
    for codes, message, hint in _ANSWERS:
        if code in codes.split():
            return FatalError(message.format(action=action, url=url, code=code), hint)
    return FatalError(f"cannot {action} in {url}: the server says {code or 'no'}")


def _failed(error: Any, action: str, url: str) -> FatalError:
    """The error for a request that was not made, or had no answer; of boto's own text only names are shown."""
    names = {kind.__name__ for kind in type(error).__mro__}
    told = {"profile": "", "cred_var": ""} | getattr(error, "kwargs", {})
    told |= {"action": action, "url": url, "name": type(error).__name__}
    for kind, table in ((FatalError, _FAILURES), (UnreachableError, _SILENCE)):
        for classes, message, hint in table:
            if names & set(classes.split()):
                return kind(message.format_map(told), hint)
    return FatalError(f"cannot {action} in {url}: boto reports {type(error).__name__}", "check the AWS configuration")
