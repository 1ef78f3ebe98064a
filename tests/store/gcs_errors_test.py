from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import google.auth.exceptions as google_auth
import pytest
import requests

from envtag.errors import FatalError, UnreachableError
from envtag.store import open_store
from envtag.store.gcs_errors import RefusalError, asking

URL = "gs://bucket/prefix"
SECRET = "hunter2-secret"


def told(error: pytest.ExceptionInfo[FatalError]) -> str:
    """An error's message, which is one line and, with hint and detail, free of secrets."""
    value = error.value
    assert "\n" not in value.message
    assert value.hint
    for text in (value.message, value.hint, value.detail):
        assert "hunter2" not in text
    return value.message


def answer(status: int, reason: str, message: str = "", body: bytes | None = None) -> requests.Response:
    """An answer as the server gives it."""
    response = requests.Response()
    response.status_code = status
    errors = [{"domain": "global", "reason": reason, "message": message}]
    response._content = body or json.dumps({"error": {"code": status, "message": message, "errors": errors}}).encode()
    return response


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (
            answer(404, "notFound", "The specified bucket does not exist."),
            f"the bucket of the store {URL} does not exist",
        ),
        (
            answer(404, "", body=b"The specified bucket does not exist."),
            f"the bucket of the store {URL} does not exist",
        ),
        (answer(403, "forbidden", SECRET), f"access denied: these credentials may not write `k` in {URL}"),
        (answer(401, "authError", SECRET), f"the credentials for {URL} are refused, or there are none (authError)"),
        (answer(401, "", body=b"hunter2"), f"the credentials for {URL} are refused, or there are none (401)"),
        (
            answer(400, "invalid", 'Provided MD5 hash "hunter2" doesn\'t'),
            "other bytes arrived there than were to be sent",
        ),
        (
            answer(400, "invalid", 'Provided CRC32C "hunter2" doesn\'t'),
            "other bytes arrived there than were to be sent",
        ),
        (
            answer(403, "retentionPolicyNotMet"),
            f"cannot write `k` in {URL}: a retention policy or a hold of the bucket",
        ),
        (answer(403, "accountDisabled"), f"cannot write `k` in {URL}: the project that pays for it does not"),
        (answer(307, ""), f"cannot write `k` in {URL}: the bucket is not at this endpoint (307)"),
        (answer(501, "notImplemented"), f"the server of {URL} cannot write `k` as it must be (notImplemented)"),
        (answer(503, "backendError"), f"cannot write `k` in {URL}: the server is overloaded or failing (backendError)"),
        (answer(403, "rateLimitExceeded"), "the server is overloaded or failing (rateLimitExceeded)"),
    ],
)
def test_what_the_server_refuses_is_told_with_key_and_store(response: requests.Response, message: str):
    with pytest.raises(FatalError) as error, asking("write", "k", URL):
        raise RefusalError.of(response)
    assert message in told(error)


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (answer(418, "odd"), "odd"),
        (answer(418, "two words\nhunter2"), "418"),
        (answer(418, "", body=b"<html>hunter2"), "418"),
        (answer(418, "", body=b'{"error": "hunter2"}'), "418"),
        (answer(418, "", body=b'{"error": {"errors": []}}'), "418"),
        (answer(418, "", body=b"[]"), "418"),
        (answer(418, "", body=b"\xff\xfe"), "418"),
    ],
)
def test_an_unknown_refusal_shows_a_code_and_no_text(response: requests.Response, code: str):
    with pytest.raises(FatalError) as error, asking("list", "k", URL):
        raise RefusalError.of(response)
    assert error.value.message == f"cannot list `k` in {URL}: the server says {code}"


def test_a_refusal_whose_body_breaks_off_is_still_one(monkeypatch: pytest.MonkeyPatch):
    def broken(_: object) -> str:
        raise requests.exceptions.ChunkedEncodingError

    monkeypatch.setattr("requests.Response.content", property(broken))
    refusal = RefusalError.of(answer(403, "forbidden"))
    assert (refusal.status, refusal.reason) == (403, "")


AUTH: Any = google_auth
RAISED = [
    (AUTH.DefaultCredentialsError(SECRET), FatalError, f"no credentials for the store {URL}"),
    (AUTH.RefreshError(SECRET, {"error": SECRET}), FatalError, "are expired, revoked or refused (RefreshError)"),
    (AUTH.ReauthFailError(SECRET), FatalError, "are expired, revoked or refused (ReauthFailError)"),
    (AUTH.MutualTLSChannelError(SECRET), FatalError, f"the client certificate for {URL} cannot be used"),
    (AUTH.TransportError(SECRET), UnreachableError, "no answer from where its credentials are renewed"),
    (requests.exceptions.SSLError(SECRET), UnreachableError, f"the server of {URL} cannot be trusted"),
    (requests.ConnectTimeout(SECRET), UnreachableError, "no answer, or the connection broke (ConnectTimeout)"),
    (requests.exceptions.InvalidURL(SECRET), FatalError, f"the endpoint or the proxy for {URL} is malformed"),
]


@pytest.mark.parametrize(("raised", "kind", "message"), RAISED, ids=[type(row[0]).__name__ for row in RAISED])
def test_what_the_libraries_raise_is_told_without_their_text(raised: Exception, kind: type[FatalError], message: str):
    with pytest.raises(FatalError) as error, asking("read", "k", URL):
        raise raised
    assert message in told(error)
    assert type(error.value) is kind
    assert error.value.__cause__ is None


def test_a_variable_that_names_a_file_without_credentials_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/somewhere/hunter2.json")
    with pytest.raises(FatalError) as error, asking("read", "k", URL):
        raise AUTH.DefaultCredentialsError(SECRET)
    assert told(error) == f"the file that GOOGLE_APPLICATION_CREDENTIALS names has no credentials for the store {URL}"


def test_a_file_system_that_fails_is_told_with_the_file(tmp_path: Path):
    with (
        pytest.raises(FatalError, match=f"`k` in the store {URL}: No such file or directory \\(.*/x\\)"),
        asking("read", "k", URL),
    ):
        (tmp_path / "x").read_bytes()


def test_who_lacks_the_libraries_is_told_which_extra_to_install(monkeypatch: pytest.MonkeyPatch):
    for name in [name for name in sys.modules if name == "google.auth" or name.startswith("google.auth.")]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "google.auth", None)
    store = open_store(URL)
    for call in (lambda: store.read("k"), lambda: list(store.list("")), lambda: store.swap("k", b"", None)):
        with pytest.raises(FatalError) as error:
            call()
        assert told(error) == f"the store {URL} needs the libraries of Google Cloud Storage, which are not installed"
        assert error.value.hint == "`pip install 'envtag[gcs]'`"
