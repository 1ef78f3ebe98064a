from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import requests
from azure.core import exceptions

from envtag.errors import FatalError, UnreachableError
from envtag.store.azure_errors import asking, code, passing

URL = "az://account/container/prefix"
SECRET = "hunter2-secret"


def told(error: pytest.ExceptionInfo[FatalError]) -> str:
    """An error's message, which is one line and, with hint and detail, free of secrets."""
    value = error.value
    assert "\n" not in value.message
    for text in (value.message, value.hint, value.detail):
        assert "hunter2" not in text
    return value.message


def refusal(status: int, said: str = "", query: str = "") -> Any:
    """What the SDK raises for an answer of the server."""
    response: Any = SimpleNamespace(
        status_code=status,
        reason=SECRET,
        headers={"x-ms-error-code": said} if said else {},
        request=SimpleNamespace(url=f"https://account.blob.core.windows.net/container/k{query}"),
    )
    return exceptions.HttpResponseError(message=f"{SECRET}\nErrorCode:{said}", response=response)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (refusal(404, "ContainerNotFound"), f"the container of the store {URL} does not exist"),
        (refusal(404, "ResourceNotFound"), f"the storage account or the container of {URL} does not exist"),
        (refusal(403, "AuthenticationFailed"), f"the credentials for {URL} are refused (AuthenticationFailed)"),
        (refusal(401), f"the credentials for {URL} are refused (401)"),
        (
            refusal(403, "KeyBasedAuthenticationNotPermitted"),
            f"the storage account of {URL} takes no such credentials",
        ),
        (refusal(403, "AuthorizationFailure"), f"access denied: these credentials may not write `k` in {URL}"),
        (refusal(403), f"access denied: these credentials may not write `k` in {URL} (403)"),
        (refusal(403, "UnauthorizedBlobOverwrite"), "access denied"),
        (refusal(400, "Md5Mismatch"), "other bytes arrived there than were to be sent"),
        (refusal(409, "BlobImmutableDueToPolicy"), "a policy or a lease of somebody's forbids it"),
        (refusal(409, "BlobArchived"), "it was moved to the archive tier"),
        (refusal(409, "InvalidBlobType"), "something of another kind is in its place"),
        (refusal(501), f"the server of {URL} cannot write `k` as it must be (501)"),
        (refusal(503, "ServerBusy"), "the server is overloaded or failing (ServerBusy)"),
        (refusal(418, "Odd"), f"cannot write `k` in {URL}: the server says Odd"),
        (refusal(418, f"x {SECRET}"), f"cannot write `k` in {URL}: the server says 418"),
    ],
)
def test_what_the_server_refuses_is_told_with_key_and_store(error: Exception, message: str):
    with pytest.raises(FatalError) as caught, asking("write", "k", URL):
        raise error
    assert message in told(caught)


@pytest.mark.parametrize(
    ("end", "shown"),
    [("2020-01-02T03%3A04%3A05Z", "2020-01-02 03:04 UTC"), ("2020-01-02", "2020-01-02 00:00 UTC")],
)
def test_an_expired_sas_is_told_with_its_end(end: str, shown: str):
    with pytest.raises(FatalError) as caught, asking("read", "k", URL):
        raise refusal(403, "AuthenticationFailed", f"?sv=1&se={end}&sig={SECRET}")
    assert told(caught) == f"the SAS for {URL} expired at {shown}"


@pytest.mark.parametrize("query", ["?se=2999-01-02T03%3A04%3A05Z&sig=x", "?se=hunter2&sig=x", "?se=2020-01-02", ""])
def test_a_sas_that_is_refused_for_another_reason_has_not_expired(query: str):
    with pytest.raises(FatalError) as caught, asking("read", "k", URL):
        raise refusal(403, "AuthenticationFailed", query)
    assert told(caught) == f"the credentials for {URL} are refused (AuthenticationFailed)"


@pytest.mark.parametrize(
    ("error", "message", "again"),
    [
        (
            exceptions.ServiceRequestError(SECRET, error=requests.exceptions.SSLError(SECRET)),
            f"the server of {URL} cannot be trusted",
            False,
        ),
        (
            exceptions.ServiceRequestError(SECRET, error=requests.ConnectionError(SECRET)),
            f"cannot read `k` in {URL}: no answer, or the connection broke (ServiceRequestError)",
            True,
        ),
        (exceptions.ServiceResponseError(SECRET), "no answer, or the connection broke (ServiceResponseError)", True),
        (exceptions.IncompleteReadError(SECRET), "no answer, or the connection broke (IncompleteReadError)", True),
    ],
)
def test_no_answer_is_unreachable(error: Exception, message: str, again: bool):
    assert passing(error) is again
    with pytest.raises(UnreachableError) as caught, asking("read", "k", URL):
        raise error
    assert message in told(caught)


def test_a_malformed_address_is_not_asked_again():
    error = exceptions.ServiceResponseError(SECRET, error=requests.exceptions.InvalidProxyURL(SECRET))
    assert not passing(error)
    with pytest.raises(FatalError) as caught, asking("read", "k", URL):
        raise error
    assert told(caught) == f"the endpoint or the proxy for {URL} is malformed"


def test_a_sign_in_that_is_refused_is_told_by_its_code():
    error = exceptions.ClientAuthenticationError(f"AADSTS7000215: Invalid client secret {SECRET} for app")
    assert not passing(error)
    with pytest.raises(FatalError) as caught, asking("read", "k", URL):
        raise error
    assert told(caught) == f"the credentials for {URL} are refused (AADSTS7000215)"


@pytest.mark.parametrize(
    ("status", "again"), [(200, True), (400, False), (404, False), (409, False), (412, False), (408, True), (429, True)]
)
def test_only_what_may_pass_is_asked_again(status: int, again: bool):
    assert passing(refusal(status)) is again


def test_the_code_is_a_word_or_the_status():
    assert code(refusal(404, "BlobNotFound")) == "BlobNotFound"
    assert code(refusal(404)) == "404"
    assert code(exceptions.ServiceResponseError("x")) == ""
    assert not passing(exceptions.AzureError("x"))


def test_a_full_disk_names_the_object():
    with pytest.raises(FatalError) as caught, asking("read", "k", URL):
        raise OSError(28, "No space left on device", "/a/file")
    assert told(caught) == f"`k` in the store {URL}: No space left on device (/a/file)"
