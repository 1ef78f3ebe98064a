from __future__ import annotations

import base64
import hmac
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from envtag.pods import az_get
from envtag.pods.plain_get import Refused

STORE = "az://account/container/envtag"
KEY = base64.b64encode(b"a key").decode()
ROOT = "https://account.blob.core.windows.net"


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({"AZURE_STORAGE_CONNECTION_STRING": f"AccountName=account;AccountKey={KEY}"}, (ROOT, KEY, "", "")),
        (
            {"AZURE_STORAGE_CONNECTION_STRING": "BlobEndpoint=http://h:1/account/;SharedAccessSignature=?sv=1&sig=a%3D"},
            ("http://h:1/account", "", "sv=1&sig=a%3D", ""),
        ),
        (
            {"AZURE_STORAGE_CONNECTION_STRING": "AccountName=other;AccountKey=x", "AZURE_STORAGE_KEY": KEY},
            (ROOT, KEY, "", ""),
        ),
        ({"AZURE_STORAGE_SAS_TOKEN": "?sv=1"}, (ROOT, "", "sv=1", "")),
        ({"AZURE_STORAGE_KEY": KEY, "AZURE_STORAGE_ENDPOINT": "http://h:1/a"}, ("http://h:1/a", KEY, "", "")),
        ({"AZURE_STORAGE_KEY": KEY, "AZURE_STORAGE_ENDPOINT": "https://o.blob.core.windows.net"}, (ROOT, KEY, "", "")),
    ],
)  # fmt: skip
def test_variables_say_where_an_account_is_and_who_asks(monkeypatch: pytest.MonkeyPatch, variables, wanted):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert az_get.credentials(STORE) == wanted


def application(monkeypatch: pytest.MonkeyPatch, beside, **more: str) -> None:
    beside["answers"]["POST /tenant/oauth2/v2.0/token"] = b'{"access_token": "T"}'
    variables = {"CLIENT_ID": "client", "TENANT_ID": "tenant", "AUTHORITY_HOST": beside["url"] + "/", **more}
    for name, value in variables.items():
        monkeypatch.setenv(f"AZURE_{name}", value)


def test_a_workload_has_an_identity(monkeypatch: pytest.MonkeyPatch, beside, tmp_path: Path):
    (tmp_path / "token").write_text("a-token\n")
    application(monkeypatch, beside, FEDERATED_TOKEN_FILE=str(tmp_path / "token"))
    assert az_get.credentials(STORE) == (ROOT, "", "", "T")
    asked = parse_qs(beside["asked"][0][3].decode())
    assert (asked["client_assertion"], asked["scope"]) == (["a-token"], ["https://storage.azure.com/.default"])


def test_an_application_has_a_secret(monkeypatch: pytest.MonkeyPatch, beside):
    application(monkeypatch, beside, CLIENT_SECRET="hunter2")
    assert az_get.credentials(STORE)[3] == "T"
    assert parse_qs(beside["asked"][0][3].decode())["client_secret"] == ["hunter2"]


def test_a_machine_has_an_identity(monkeypatch: pytest.MonkeyPatch, beside):
    monkeypatch.setenv("IDENTITY_ENDPOINT", beside["url"] + "/token")
    monkeypatch.setenv("IDENTITY_HEADER", "H")
    monkeypatch.setenv("AZURE_CLIENT_ID", "client")
    query = "api-version=2019-08-01&resource=https%3A%2F%2Fstorage.azure.com%2F&client_id=client"
    beside["answers"][f"GET /token?{query}"] = b'{"access_token": "T"}'
    assert az_get.credentials(STORE)[3] == "T"
    assert beside["asked"][0][2]["X-Identity-Header"] == "H"


def test_who_is_nobody_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(az_get, "ask", lambda *_: (_ for _ in ()).throw(OSError("no route")))
    with pytest.raises(Refused, match="no variable has a key, and this machine has no identity"):
        az_get.credentials(STORE)


def test_a_key_signs_and_the_others_are_shown():
    url, headers = az_get.request(STORE, "a/b c", (ROOT, KEY, "", ""), 7)
    assert url == f"{ROOT}/container/envtag/a/b%20c"
    names = ("x-ms-date", "x-ms-range", "x-ms-version")
    lines = ["GET", *[""] * 11, *[f"{name}:{headers[name]}" for name in names]]
    text = "\n".join([*lines, f"/account{urlsplit(url).path}"])
    wanted = base64.b64encode(hmac.new(b"a key", text.encode(), "sha256").digest()).decode()
    assert headers["Authorization"] == f"SharedKey account:{wanted}"
    assert headers["x-ms-range"] == "bytes=7-"
    url, headers = az_get.request("az://account/container", "k", (ROOT, "", "sv=1", ""))
    assert (url, "Authorization" in headers) == (f"{ROOT}/container/k?sv=1", False)
    assert az_get.request(STORE, "k", (ROOT, "", "", "T"))[1]["Authorization"] == "Bearer T"
