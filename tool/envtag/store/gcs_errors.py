"""What Google Cloud Storage and the libraries that ask it say: in one line each, and never a secret."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from envtag.errors import FatalError, UnreachableError
from envtag.store.base import file_error

_CHAIN = (
    "`gcloud auth application-default login`, GOOGLE_APPLICATION_CREDENTIALS, "
    "or the service account of a machine of Google Cloud gives them"
)
#: The reason of an answer that the server gives none for, but whose text does.
NO_BUCKET = "noBucket"
_OTHER_BYTES = "otherBytes"
#: What is asked for again after a pause: HTTP statuses, and reasons that come with others.
_BUSY = frozenset({"408", "429", "500", "502", "503", "504", "rateLimitExceeded", "userRateLimitExceeded"})
#: Reasons or HTTP statuses, message, hint; the first line that has either of an answer's two.
_ANSWERS: tuple[tuple[str, str, str], ...] = (
    (NO_BUCKET, "the bucket of the store {url} does not exist", "create it, or correct the URL"),
    (
        _OTHER_BYTES,
        "cannot {action} in {url}: other bytes arrived there than were to be sent ({code})",
        "try again; if it stays so, something on the way, or on this disk, changes bytes",
    ),
    (
        "retentionPolicyNotMet retentionPolicyDefined objectUnderActiveHold",
        "cannot {action} in {url}: a retention policy or a hold of the bucket forbids it ({code})",
        "the bucket's owner says how long its objects must stay as they are",
    ),
    (
        "accountDisabled billingNotEnabled userProjectMissing userProjectAccessDenied",
        "cannot {action} in {url}: the project that pays for it does not ({code})",
        "enable its billing, or name another in GOOGLE_CLOUD_QUOTA_PROJECT",
    ),
    (
        "401",
        "the credentials for {url} are refused, or there are none ({code})",
        f"renew or replace them: {_CHAIN}",
    ),
    (
        "403",
        "access denied: these credentials may not {action} in {url}",
        (
            "ask the bucket's owner for `roles/storage.objectViewer` to read, `roles/storage.objectUser` to write; "
            "the server also says so of what is not there to who may not list the bucket"
        ),
    ),
    (
        "300 301 302 303 307",
        "cannot {action} in {url}: the bucket is not at this endpoint ({code})",
        "STORAGE_EMULATOR_HOST names another endpoint if it is set",
    ),
    (
        "405 501",
        "the server of {url} cannot {action} as it must be ({code})",
        "a store needs generations and conditions on them, which some servers of this kind lack",
    ),
)
#: Classes of google-auth's errors, message, hint.
_FAILURES: tuple[tuple[str, str, str], ...] = (
    (
        "MutualTLSChannelError ClientCertError",
        "the client certificate for {url} cannot be used ({name})",
        "GOOGLE_API_USE_CLIENT_CERTIFICATE=false does without it",
    ),
    (
        "RefreshError",
        "the credentials for {url} are expired, revoked or refused ({name})",
        f"renew them: {_CHAIN}; the clock of this machine must be right too",
    ),
)


class RefusalError(Exception):
    """An answer of the server that is not what was asked for.

    Args:
        status: Its HTTP status.
        reason: The word for the reason that it gives; may be empty.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason

    @classmethod
    def of(cls, response: Any) -> RefusalError:
        """The refusal that a response tells; its body is read, but none of its text is kept."""
        import requests

        try:
            text = response.text
        except requests.RequestException:  # the status says enough
            text = ""
        try:
            error = response.json()["error"]
            text, reason = str(error.get("message")), str(error["errors"][0]["reason"])
        except (requests.RequestException, ValueError, LookupError, TypeError, AttributeError):
            reason = ""  # an answer to a request for bytes has a plain text
        if response.status_code == HTTPStatus.NOT_FOUND and "bucket does not exist" in text:
            reason = NO_BUCKET
        elif response.status_code == HTTPStatus.BAD_REQUEST and ("MD5 hash" in text or "CRC32C" in text):
            reason = _OTHER_BYTES
        return cls(response.status_code, reason if reason.isalnum() else "")

    @property
    def code(self) -> str:
        """What a person is shown: the reason, or the status where there is none."""
        return self.reason or str(self.status)

    @property
    def busy(self) -> bool:
        """Whether the same request may well be answered later."""
        return not _BUSY.isdisjoint({str(self.status), self.reason})


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
    try:
        import requests
        from google.auth.exceptions import GoogleAuthError
    except ImportError:
        raise FatalError(
            f"the store {url} needs the libraries of Google Cloud Storage, which are not installed",
            "`pip install 'envtag[gcs]'`",
        ) from None

    action = f"{verb} `{key}`" if key else verb
    try:
        yield
    except RefusalError as error:
        raise _refused(error, action, url) from None
    except GoogleAuthError as error:
        raise _unauthorized(error, action, url) from None
    except requests.RequestException as error:
        raise _unanswered(error, action, url) from None
    except OSError as error:
        raise file_error(error, key, url) from error


def _refused(error: RefusalError, action: str, url: str) -> FatalError:
    if error.busy:
        message = f"cannot {action} in {url}: the server is overloaded or failing ({error.code})"
        return UnreachableError(message, "try again")
    for codes, message, hint in _ANSWERS:
        if {error.reason, str(error.status)} & set(codes.split()):
            return FatalError(message.format(action=action, url=url, code=error.code), hint)
    return FatalError(f"cannot {action} in {url}: the server says {error.code}")


def _unauthorized(error: Any, action: str, url: str) -> FatalError:
    """The error for credentials that cannot be had; of google-auth's own text, which can hold any, nothing is shown."""
    names = {kind.__name__ for kind in type(error).__mro__}
    for classes, message, hint in _FAILURES:
        if names & set(classes.split()):
            return FatalError(message.format(url=url, name=type(error).__name__), hint)
    if "DefaultCredentialsError" in names:
        if os.environ.get("GOOGLE_APPLICATION_CREDENTIALS"):
            message = f"the file that GOOGLE_APPLICATION_CREDENTIALS names has no credentials for the store {url}"
            return FatalError(message, "correct the variable, or replace the file")
        return FatalError(f"no credentials for the store {url}", _CHAIN)
    return UnreachableError(
        f"cannot {action} in {url}: no answer from where its credentials are renewed ({type(error).__name__})",
        "check the network and the proxy, then try again",
    )


def _unanswered(error: Any, action: str, url: str) -> FatalError:
    names = {kind.__name__ for kind in type(error).__mro__}
    if names & {"InvalidURL", "MissingSchema", "InvalidSchema", "InvalidProxyURL"}:
        return FatalError(
            f"the endpoint or the proxy for {url} is malformed", "see STORAGE_EMULATOR_HOST and HTTPS_PROXY"
        )
    if "SSLError" in names:
        return UnreachableError(
            f"the server of {url} cannot be trusted: its certificate is not valid here",
            "REQUESTS_CA_BUNDLE names the certificates of an authority of your own",
        )
    return UnreachableError(
        f"cannot {action} in {url}: no answer, or the connection broke ({type(error).__name__})",
        "check the network and the proxy, and STORAGE_EMULATOR_HOST if it is set",
    )
