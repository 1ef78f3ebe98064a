"""A container of Azure Blob Storage, asked by the standard library alone.

Who asks is found where `store.azure_client` looks: a connection string, the account's key (SharedKey), a shared access
signature, and whoever a pod is: a workload's identity, an application with a secret, or the machine's identity.
"""

from __future__ import annotations

import base64
import hmac
import json
import sys
import time
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from envtag.pods.plain_get import Refused, ask, below, env, run

VERSION = "2021-12-02"
SCOPE = "https://storage.azure.com/"


def first(*names: str) -> str:
    """The first of some variables that is set."""
    return next(filter(None, (env.get(name, "").strip() for name in names)), "")


def by_application() -> str:
    """A token for an application, or for the workload that a cluster says that this pod is; empty for none."""
    asked = {"grant_type": "client_credentials", "client_id": first("AZURE_CLIENT_ID"), "scope": SCOPE + ".default"}
    kept, tenant = first("AZURE_FEDERATED_TOKEN_FILE"), first("AZURE_TENANT_ID")
    if not asked["client_id"] or not tenant:
        return ""
    if kept:
        with open(kept) as stream:
            asked["client_assertion"] = stream.read().strip()
        asked["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    elif first("AZURE_CLIENT_SECRET"):
        asked["client_secret"] = first("AZURE_CLIENT_SECRET")
    else:
        return ""
    host = first("AZURE_AUTHORITY_HOST") or "https://login.microsoftonline.com"
    host = (host if "://" in host else "https://" + host).rstrip("/")
    token: str = json.loads(ask(f"{host}/{tenant}/oauth2/v2.0/token", {}, urlencode(asked).encode()))["access_token"]
    return token


def by_machine() -> str:
    """A token for the machine's identity."""
    asked = {"api-version": "2018-02-01", "resource": SCOPE}
    url, headers = "http://169.254.169.254/metadata/identity/oauth2/token", {"Metadata": "true"}
    if first("IDENTITY_ENDPOINT") and first("IDENTITY_HEADER"):
        url, headers = first("IDENTITY_ENDPOINT"), {"X-IDENTITY-HEADER": first("IDENTITY_HEADER")}
        asked["api-version"] = "2019-08-01"
    if first("AZURE_CLIENT_ID"):
        asked["client_id"] = first("AZURE_CLIENT_ID")
    try:
        token: str = json.loads(ask(f"{url}?{urlencode(asked)}", headers, None, 5))["access_token"]
    except (OSError, LookupError, ValueError) as error:
        raise Refused(f"no variable has a key, and this machine has no identity: {error!r}") from error
    return token


def credentials(store: str) -> Any:
    """Where an account is, and its key, its shared access signature or a token: one of them is not empty."""
    account = store[5:].partition("/")[0]
    given = dict(part.split("=", 1) for part in first("AZURE_STORAGE_CONNECTION_STRING").split(";") if "=" in part)
    root = first("AZURE_STORAGE_SERVICE_ENDPOINT", "AZURE_STORAGE_ENDPOINT")
    if root and ".blob." in root and f"//{account}.blob." not in root:  # of another account
        root = ""
    key = sas = ""
    if given.get("AccountName", account) == account:
        key, sas = given.get("AccountKey", ""), given.get("SharedAccessSignature", "")
        kind, suffix = given.get("DefaultEndpointsProtocol", "https"), given.get("EndpointSuffix", "core.windows.net")
        root = given.get("BlobEndpoint") or root or f"{kind}://{account}.blob.{suffix}"
    root = (root or f"https://{account}.blob.core.windows.net").rstrip("/")
    if not key and not sas and first("AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_ACCOUNT_NAME") in ("", account):
        key, sas = first("AZURE_STORAGE_KEY", "AZURE_STORAGE_ACCOUNT_KEY"), first("AZURE_STORAGE_SAS_TOKEN")
    return root, key, sas.lstrip("?"), "" if key or sas else by_application() or by_machine()


def request(store: str, key: str, secrets: Any, start: int = 0) -> tuple[str, dict[str, str]]:
    """URL and headers that ask for a blob of a store, `az://ACCOUNT/CONTAINER/PREFIX`, or for its end."""
    root, secret, sas, token = secrets
    account, _, place = store[5:].partition("/")
    url = f"{root}/{quote(below(place, key))}"
    headers = {"x-ms-date": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime()), "x-ms-version": VERSION}
    if start:
        headers["x-ms-range"] = f"bytes={start}-"
    if secret:
        lines = ["GET", *[""] * 11, *[f"{name}:{headers[name]}" for name in sorted(headers)]]
        text = "\n".join([*lines, f"/{account}{urlsplit(url).path}"]).encode()
        signed = base64.b64encode(hmac.new(base64.b64decode(secret), text, "sha256").digest()).decode()
        headers["Authorization"] = f"SharedKey {account}:{signed}"
    elif sas:
        url += "?" + sas
    else:
        headers["Authorization"] = f"Bearer {token}"
    return url, headers


if __name__ == "__main__":
    sys.exit(run(credentials, request, sys.argv[1:]))
