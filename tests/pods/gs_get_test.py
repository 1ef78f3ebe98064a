from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from envtag.pods import gs_get
from envtag.pods.plain_get import Refused

STORE = "gs://bucket/envtag"


@pytest.fixture(scope="module")
def keys() -> tuple[str, str, object]:
    """A private key of RSA as PKCS #8 and as PKCS #1, and its public one."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kinds = serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL
    first, second = (
        key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption()).decode() for kind in kinds
    )
    return first, second, key.public_key()


def verify(public: object, signature: bytes, text: bytes) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    public.verify(signature, text, padding.PKCS1v15(), hashes.SHA256())  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", [0, 1])
def test_texts_are_signed_as_others_verify_them(keys, kind: int):
    verify(keys[2], gs_get.signature("a text", keys[kind]), b"a text")


def credentials_file(place: Path, monkeypatch: pytest.MonkeyPatch, **kept: str) -> None:
    path = place / "credentials.json"
    path.write_text(json.dumps(kept))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))


def test_a_service_account_is_exchanged_for_a_token(keys, beside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    beside["answers"]["POST /token"] = b'{"access_token": "T"}'
    account = {"client_email": "pods@example.org", "private_key": keys[0], "token_uri": beside["url"] + "/token"}
    credentials_file(tmp_path, monkeypatch, type="service_account", **account)
    assert gs_get.credentials(STORE) == "T"
    asked = parse_qs(beside["asked"][0][3].decode())
    assert asked["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    told, _, signature = asked["assertion"][0].rpartition(".")
    verify(keys[2], base64.urlsafe_b64decode(signature + "=="), told.encode())
    claims = json.loads(base64.urlsafe_b64decode(told.split(".")[1] + "=="))
    assert (claims["iss"], claims["aud"], claims["exp"] - claims["iat"]) == (
        "pods@example.org", beside["url"] + "/token", 3600,
    )  # fmt: skip


def test_a_person_is_exchanged_for_a_token(beside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gs_get, "TOKENS", beside["url"] + "/token")
    beside["answers"]["POST /token"] = b'{"access_token": "T"}'
    kept = {"client_id": "c", "client_secret": "s", "refresh_token": "r"}
    credentials_file(tmp_path, monkeypatch, type="authorized_user", **kept)
    assert gs_get.credentials(STORE) == "T"
    assert parse_qs(beside["asked"][0][3].decode())["refresh_token"] == ["r"]


def test_another_kind_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    credentials_file(tmp_path, monkeypatch, type="external_account")
    with pytest.raises(Refused, match="of the type external_account cannot be used in pods: use a service account"):
        gs_get.credentials(STORE)


def test_a_pod_has_the_account_of_its_machine(beside, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GCE_METADATA_HOST", beside["url"].removeprefix("http://"))
    path = "/computeMetadata/v1/instance/service-accounts/default/token"
    beside["answers"][f"GET {path}"] = b'{"access_token": "T", "expires_in": 3599}'
    assert gs_get.credentials(STORE) == "T"
    assert beside["asked"][0][2]["Metadata-Flavor"] == "Google"


def test_without_any_a_bucket_is_asked_without(beside, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GCE_METADATA_HOST", beside["url"].removeprefix("http://"))
    assert gs_get.credentials(STORE) == ""
    assert gs_get.request(STORE, "a/b c", "")[1] == {}


def test_where_an_object_is(monkeypatch: pytest.MonkeyPatch):
    url, headers = gs_get.request(STORE, "a/b c", "T", 7)
    assert url == "https://storage.googleapis.com/storage/v1/b/bucket/o/envtag%2Fa%2Fb%20c?alt=media"
    assert headers == {"Authorization": "Bearer T", "Range": "bytes=7-"}
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "localhost:1/")
    assert gs_get.request("gs://bucket", "k", "")[0] == "http://localhost:1/storage/v1/b/bucket/o/k?alt=media"
    assert gs_get.credentials(STORE) == ""
