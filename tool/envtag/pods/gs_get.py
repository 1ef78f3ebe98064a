"""A bucket of Google Cloud Storage, asked by the standard library alone.

Who asks is found where Google's own libraries look: the file of GOOGLE_APPLICATION_CREDENTIALS (the key of a service
account, whose signature is RSASSA-PKCS1-v1_5 of RFC 8017, or a person's), that of gcloud, and the machine's own
account, which Kubernetes gives to pods. A bucket with no credentials is asked without, and so is an emulator.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
import time
from typing import Any
from urllib.parse import quote, urlencode

from envtag.pods.plain_get import Refused, ask, below, env, run

TOKENS = "https://oauth2.googleapis.com/token"


def coded(data: bytes) -> str:
    """Base64 as tokens have it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def parts(data: bytes) -> list[bytes]:
    """The contents of the values that are beside each other in DER (X.690)."""
    found = []
    while data:
        length, start = data[1], 2
        if length > 127:  # noqa: PLR2004 - then it says how many bytes have the length
            start = length - 126
            length = int.from_bytes(data[2:start], "big")
        found.append(data[start : start + length])
        data = data[start + length :]
    return found


def signature(text: str, key: str) -> bytes:
    """A text signed with a private key of RSA, given as PEM (PKCS #8 or #1), with SHA-256."""
    lines = [line for line in key.split("\n") if line and ":" not in line and "-" not in line]
    found = parts(parts(base64.b64decode("".join(lines)))[0])
    if len(found) < 9:  # noqa: PLR2004 - a key of PKCS #1 has that many numbers; here it is in an envelope
        found = parts(parts(found[2])[0])
    modulus, exponent = (int.from_bytes(found[index], "big") for index in (1, 3))
    size = (modulus.bit_length() + 7) // 8
    digest = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(text.encode()).digest()
    padded = b"\0\1" + b"\xff" * (size - len(digest) - 3) + b"\0" + digest
    return pow(int.from_bytes(padded, "big"), exponent, modulus).to_bytes(size, "big")


def by_file(path: str) -> str:
    """A token for whom a file of credentials is of."""
    with open(path) as stream:
        kept = json.load(stream)
    place = kept.get("token_uri") or TOKENS
    if kept.get("type") == "service_account":
        now = int(time.time())
        scope = "https://www.googleapis.com/auth/devstorage.read_only"
        claims = {"iss": kept["client_email"], "scope": scope, "aud": place, "iat": now, "exp": now + 3600}
        texts = [{"alg": "RS256", "typ": "JWT", "kid": kept.get("private_key_id", "")}, claims]
        told = ".".join(coded(json.dumps(text).encode()) for text in texts)
        asked = {"assertion": told + "." + coded(signature(told, kept["private_key"]))}
        asked["grant_type"] = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    elif kept.get("type") == "authorized_user":
        asked = {name: kept[name] for name in ("client_id", "client_secret", "refresh_token")}
        asked["grant_type"] = "refresh_token"
    else:
        raise Refused(f"credentials of the type {kept.get('type')} cannot be used in pods: use a service account")
    token: str = json.loads(ask(place, {}, urlencode(asked).encode()))["access_token"]
    return token


def by_machine() -> str:
    """A token of the account that the machine, or the pod, has; empty where there is none."""
    host = env.get("GCE_METADATA_HOST") or "169.254.169.254"
    url = f"http://{host}/computeMetadata/v1/instance/service-accounts/default/token"
    try:
        token: str = json.loads(ask(url, {"Metadata-Flavor": "Google"}, None, 5))["access_token"]
    except (OSError, LookupError, ValueError):  # no such machine: the bucket may be a public one
        return ""
    return token


def credentials(store: str) -> Any:
    """A token, or nothing."""
    del store
    if env.get("STORAGE_EMULATOR_HOST"):
        return ""
    kept = env.get("GOOGLE_APPLICATION_CREDENTIALS") or ""
    if not kept:
        kept = os.path.expanduser("~/.config/gcloud/application_default_credentials.json")
        if not os.path.isfile(kept):
            return by_machine()
    return by_file(kept)


def request(store: str, key: str, token: Any, start: int = 0) -> tuple[str, dict[str, str]]:
    """URL and headers that ask for an object of a store, `gs://BUCKET/PREFIX`, or for its end."""
    bucket, _, prefix = store[5:].partition("/")
    root = env.get("STORAGE_EMULATOR_HOST") or "https://storage.googleapis.com"
    root = root if "://" in root else "http://" + root
    url = f"{root.rstrip('/')}/storage/v1/b/{quote(bucket, safe='')}/o/{quote(below(prefix, key), safe='')}?alt=media"
    headers = {"Range": f"bytes={start}-"} if start else {}
    return url, {**headers, "Authorization": f"Bearer {token}"} if token else headers


if __name__ == "__main__":
    sys.exit(run(credentials, request, sys.argv[1:]))
