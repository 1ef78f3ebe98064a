from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from envtag.errors import FatalError, UnreachableError
from envtag.store import open_store
from envtag.store.gcs_client import connect
from support.faults import Fault
from support.gcs import Answer, GcsServer, no_home

URL = "gs://bucket/prefix"
SECRET = "hunter2-secret"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait between attempts."""
    monkeypatch.setattr("envtag.store.attempts._FIRST_PAUSE_SECONDS", 0)
    monkeypatch.setattr("google.auth._exponential_backoff.time.sleep", lambda _: None)


@pytest.fixture
def nobody(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without credentials; the directory of gcloud's configuration."""
    for name, value in no_home(home / "gcloud").items():
        monkeypatch.setenv(name, value)
    (home / "gcloud").mkdir()
    return home / "gcloud"


def told(error: pytest.ExceptionInfo[FatalError]) -> str:
    """An error's message, which is one line and, with hint and detail, free of secrets."""
    value = error.value
    assert "\n" not in value.message
    assert value.hint
    for text in (value.message, value.hint, value.detail):
        assert "hunter2" not in text
    return value.message


def test_who_has_no_credentials_is_told_where_they_come_from(nobody: Path):
    with pytest.raises(FatalError) as error:
        open_store(URL).read("k")
    assert told(error) == f"no credentials for the store {URL}"
    assert "gcloud auth application-default login" in error.value.hint


def test_credentials_that_cannot_be_had_are_looked_for_once(nobody: Path, monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []

    def look(url: str) -> None:
        asked.append(url)
        raise FatalError("none", "get some")

    monkeypatch.setattr("envtag.store.gcs.connect", look)
    store = open_store(URL)
    for key in ("a", "b"):
        with pytest.raises(FatalError, match="none"):
            store.read(key)
    assert asked == [URL]


SILENT = """\
import os, socket, time
server = socket.create_server(("127.0.0.1", 0))
os.environ["GCE_METADATA_IP"] = os.environ["GCE_METADATA_HOST"] = "127.0.0.1:%d" % server.getsockname()[1]
from envtag.errors import FatalError
from envtag.store import gcs_client, open_store
gcs_client._METADATA_SECONDS = 0.1
started = time.monotonic()
try:
    open_store("gs://bucket/prefix").read("k")
except FatalError as error:
    print(error.message)
print(time.monotonic() - started < 4)
"""


def test_a_metadata_server_that_never_answers_is_not_waited_for_long(nobody: Path):
    done = subprocess.run([sys.executable, "-c", SILENT], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == f"no credentials for the store {URL}\nTrue\n"
    assert done.stderr == ""


@pytest.mark.parametrize("text", ["", "{", "[]", '{"type": "odd hunter2"}', '{"type": "service_account"}', None])
def test_a_file_without_credentials_is_told(nobody: Path, monkeypatch: pytest.MonkeyPatch, text: str | None):
    if text is not None:
        (nobody / "hunter2.json").write_text(text)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(nobody / "hunter2.json"))
    with pytest.raises(FatalError) as error:
        open_store(URL).read("k")
    assert URL in told(error)
    assert "credentials" in error.value.message


def test_a_private_key_that_is_none_is_not_shown(nobody: Path, monkeypatch: pytest.MonkeyPatch):
    account = {
        "type": "service_account",
        "private_key": SECRET,
        "client_email": "a@b",
        "token_uri": "http://127.0.0.1:9",
    }
    (nobody / "key.json").write_text(json.dumps(account))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(nobody / "key.json"))
    with pytest.raises(FatalError) as error:
        open_store(URL).read("k")
    assert "credentials" in told(error)


def signed_in(nobody: Path, token_uri: str) -> None:
    """Let gcloud's configuration hold the credentials of a person."""
    person = {"type": "authorized_user", "client_id": "x", "client_secret": SECRET, "refresh_token": SECRET}
    (nobody / "application_default_credentials.json").write_text(json.dumps({**person, "token_uri": token_uri}))


def test_a_person_who_is_signed_in_is_sent_with_each_request(
    gcs: GcsServer, nobody: Path, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
):
    signed_in(nobody, f"{gcs.url}/token")

    monkeypatch.setattr("google.oauth2.credentials._GOOGLE_OAUTH2_TOKEN_ENDPOINT", f"{gcs.url}/token", raising=False)
    gcs.tokens = ["a-token"]

    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "a-project")
    connection = connect(URL)
    assert connection.endpoint == "https://storage.googleapis.com"
    (Path.home() / ".netrc").write_text(f"machine 127.0.0.1 login x password {SECRET}\n")
    bucket = gcs.bucket()
    assert connection.session.get(f"{gcs.url}/storage/v1/b/{bucket}/o", timeout=10).status_code == 200
    assert gcs.authorizations[-1] == "Bearer a-token"
    assert not recwarn.list


def test_credentials_that_are_expired_are_told(gcs: GcsServer, nobody: Path, monkeypatch: pytest.MonkeyPatch):
    signed_in(nobody, f"{gcs.url}/token")
    monkeypatch.setattr("google.oauth2.credentials._GOOGLE_OAUTH2_TOKEN_ENDPOINT", f"{gcs.url}/token")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "a-project")
    gcs.tokens = []
    with pytest.raises(FatalError) as error:
        open_store(URL).read("k")
    assert told(error) == f"the credentials for {URL} are expired, revoked or refused (RefreshError)"


def test_a_line_of_netrc_is_not_sent_to_an_emulator(gcs: GcsServer, home: Path):
    (home / ".netrc").write_text(f"machine 127.0.0.1 login x password {SECRET}\n")
    assert open_store(f"gs://{gcs.bucket()}").read("k") is None
    assert gcs.authorizations == [""]


def test_an_emulator_needs_no_scheme(gcs: GcsServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", gcs.url.removeprefix("http://"))
    assert open_store(f"gs://{gcs.bucket()}").read("k") is None


@pytest.mark.parametrize(
    "address", ["user:hunter2@nowhere", "http://user:hunter2@[x/", "ftp://hunter2", "http://", "x:y"]
)
def test_a_malformed_emulator_is_not_shown(monkeypatch: pytest.MonkeyPatch, address: str):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
    with pytest.raises(FatalError) as error:
        open_store(URL).size("k")
    assert told(error) == f"STORAGE_EMULATOR_HOST, where the store {URL} is to be, is malformed"


def test_an_endpoint_where_nobody_answers_is_unreachable(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    with pytest.raises(UnreachableError) as error:
        open_store(URL).size("k")
    assert told(error).startswith(f"cannot read `k` in {URL}: no answer, or the connection broke")


def test_a_certificate_that_is_not_trusted_is_not_tried_again(gcs: GcsServer, monkeypatch: pytest.MonkeyPatch):
    import requests

    asked: list[object] = []

    def refuse(*arguments: object, **_: object) -> Any:
        asked.append(arguments)
        raise requests.exceptions.SSLError(SECRET)

    monkeypatch.setattr("requests.adapters.HTTPAdapter.send", refuse)
    for store, call in ((open_store(URL), "size"), (open_store(URL), "read")):
        with pytest.raises(UnreachableError, match="cannot be trusted"):
            getattr(store, call)("k")
    assert len(asked) == 2


def test_a_bucket_that_does_not_exist_is_named(gcs: GcsServer):
    store = open_store("gs://no-such-bucket/x")
    for call in (
        lambda: store.read("k"), lambda: store.size("k"), lambda: store.delete("k"), lambda: list(store.list("k")),
        lambda: store.swap("k", b"", None),
    ):  # fmt: skip
        with pytest.raises(FatalError) as error:
            call()
        assert told(error) == "the bucket of the store gs://no-such-bucket/x does not exist"


def test_denied_access_names_what_was_tried_and_is_not_tried_again(gcs: GcsServer):
    store = open_store(f"gs://{gcs.bucket()}/x")
    gcs.faults = [Fault(method=method, status=403, code="forbidden", times=9) for method in ("GET", "POST")]
    for verb, call in (("read", store.read), ("read", store.size), ("write", lambda key: store.swap(key, b"", None))):
        with pytest.raises(FatalError) as error:
            call("tags/a@v1.json")
        assert told(error).startswith(f"access denied: these credentials may not {verb} `tags/a@v1.json` in gs://")
    assert len(gcs.requests) == 3


def test_a_redirection_is_not_followed(gcs: GcsServer, monkeypatch: pytest.MonkeyPatch):
    store = open_store(f"gs://{gcs.bucket()}/x")
    elsewhere = Answer(302, {"Location": "http://127.0.0.1:9/"})
    monkeypatch.setattr(Answer, "error", lambda *_: elsewhere)
    with pytest.raises(FatalError, match=r"the bucket is not at this endpoint \(302\)"):
        store.read("k")


def test_help_loads_none_of_it():
    done = subprocess.run(
        [sys.executable, "-c", "import envtag.store.gcs, sys; print([n for n in sys.modules if 'google' in n])"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout == "[]\n"
