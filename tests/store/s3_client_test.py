from __future__ import annotations

from pathlib import Path

import pytest

from envtag.errors import FatalError, UnreachableError
from envtag.store import open_store
from envtag.store.s3_client import asking
from support.s3 import SECRET_KEY, Fault, S3Server

URL = "s3://bucket/prefix"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let boto wait for nothing between its attempts."""
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)


def told(error: pytest.ExceptionInfo[FatalError]) -> str:
    """An error's message, which is one line and, with hint and detail, free of secrets."""
    value = error.value
    assert "\n" not in value.message
    assert value.hint
    for text in (value.message, value.hint, value.detail):
        assert SECRET_KEY not in text
        assert "hunter2" not in text
    return value.message


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("AccessDenied", f"access denied: these credentials may not write `k` in {URL}"),
        ("SignatureDoesNotMatch", f"the credentials for {URL} are refused (SignatureDoesNotMatch)"),
        ("ExpiredToken", f"the credentials for {URL} are refused (ExpiredToken)"),
        ("PermanentRedirect", f"cannot write `k` in {URL}: the bucket is in another region, or not at this endpoint"),
        ("RequestTimeTooSkewed", "refuses requests with the time of this machine"),
        ("NotImplemented", f"the server of {URL} cannot write `k` as it must be"),
        ("BadDigest", "other bytes arrived there than were to be sent"),
        ("SlowDown", "the server is overloaded or failing (SlowDown)"),
    ],
)
def test_what_the_server_refuses_is_told_with_key_and_store(code: str, message: str):
    from botocore.exceptions import ClientError

    answer = {"Error": {"Code": code, "Message": f"you said {SECRET_KEY}"}}
    with pytest.raises(FatalError) as error, asking("write", "k", URL):
        raise ClientError(answer, "PutObject")
    assert message in told(error)


def test_an_unknown_refusal_shows_its_code():
    from botocore.exceptions import ClientError

    with pytest.raises(FatalError, match=f"cannot list `k` in {URL}: the server says Odd"), asking("list", "k", URL):
        raise ClientError({"Error": {"Code": "Odd"}}, "ListObjectsV2")


def test_who_has_no_credentials_is_told_where_they_come_from(s3: S3Server, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(FatalError) as error:
        open_store(URL).read("k")
    assert told(error) == f"no credentials for the store {URL}"
    assert "AWS_PROFILE" in error.value.hint


def test_half_of_the_credentials_is_not_enough(s3: S3Server, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(FatalError) as error:
        open_store(URL).read("k")
    assert told(error) == f"no credentials for the store {URL}"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(FatalError) as error:
        open_store(URL).read("k")
    assert told(error) == f"half of the credentials for {URL} is missing: AWS_SECRET_ACCESS_KEY"


def test_a_profile_that_does_not_exist_is_named(s3: S3Server, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_PROFILE", "publisher")
    with pytest.raises(FatalError) as error:
        open_store(URL).read("k")
    assert told(error) == f"the AWS profile `publisher` for the store {URL} does not exist"


def test_a_profile_says_who_and_where(s3: S3Server, home: Path, monkeypatch: pytest.MonkeyPatch):
    for name in s3.variables():
        monkeypatch.delenv(name)
    (home / ".aws").mkdir()
    (home / ".aws" / "config").write_text(
        f"[profile p]\nregion = eu-west-1\nendpoint_url = {s3.url}\ns3 =\n  addressing_style = path\n"
        f"aws_access_key_id = x\naws_secret_access_key = {SECRET_KEY}\n"
    )
    monkeypatch.setenv("AWS_PROFILE", "p")
    assert open_store(f"s3://{s3.bucket()}").read("k") is None


def test_a_bucket_that_does_not_exist_is_named(s3: S3Server):
    store = open_store("s3://no-such-bucket/x")
    for call in (lambda: store.read("k"), lambda: list(store.list("k")), lambda: store.swap("k", b"", None)):
        with pytest.raises(FatalError) as error:
            call()
        assert told(error) == "the bucket of the store s3://no-such-bucket/x does not exist"


def test_denied_access_names_what_was_tried(s3: S3Server):
    store = open_store(f"s3://{s3.bucket()}/x")
    s3.faults = [Fault(method=method, status=403, code="AccessDenied", times=9) for method in ("GET", "HEAD", "PUT")]
    for verb, call in (("read", store.read), ("read", store.size), ("write", lambda key: store.swap(key, b"", None))):
        with pytest.raises(FatalError) as error:
            call("tags/a@v1.json")
        assert told(error).startswith(f"access denied: these credentials may not {verb} `tags/a@v1.json` in s3://")
    assert s3.seen("PUT", "tags/") == 1


def test_the_reason_that_an_answer_to_head_cannot_give_is_asked_for(s3: S3Server):
    store = open_store(f"s3://{s3.bucket()}/x")
    s3.faults = [Fault(method=method, status=400, code="ExpiredToken", times=9) for method in ("GET", "HEAD")]
    with pytest.raises(FatalError) as error:
        store.size("k")
    assert "are refused (ExpiredToken)" in told(error)


@pytest.mark.usefixtures("quick")
def test_an_endpoint_where_nobody_answers_is_unreachable(s3: S3Server, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(UnreachableError) as error:
        open_store(URL).size("k")
    assert told(error).startswith(f"cannot read `k` in {URL}: no answer, or the connection broke")


@pytest.mark.parametrize("endpoint", ["user:hunter2@nowhere", "http://user:hunter2@[x/"])
def test_a_malformed_endpoint_is_not_shown(s3: S3Server, monkeypatch: pytest.MonkeyPatch, endpoint: str):
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    with pytest.raises(FatalError) as error:
        open_store(URL).size("k")
    assert told(error) == f"the endpoint or the region for {URL} is malformed"
