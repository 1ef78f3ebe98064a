"""An archive of a bucket of S3, fetched by the standard library alone: what a pod runs before it has anything else.

The text of this file travels in a shell command (`command.inlined`), so it is short, stands on its own, and says in
any Python 3.6 or newer what is wrong. Who asks, where and how it is signed follows boto's own rules and variables:
variables, web identity, shared credentials, container and instance (IMDSv2); a bucket with no credentials is asked
without a signature (Signature Version 4: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-signing.html).
"""

from __future__ import annotations

import configparser
import datetime
import hashlib
import hmac
import io
import json
import os
import re
import shutil
import ssl
import sys
import time
import zipfile
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

env = os.environ
TRIES = 5
PAUSE = 0.3
OURS = "envtag", "packaging"
#: What Metaflow imports: an image that has it keeps its own, whole and in its versions.
NEEDED = "boto3", "requests"


class Refused(Exception):  # noqa: N818 - a short name: the text is short
    """What ends the program, in words."""


def ask(
    url: str,
    headers: Mapping[str, str] | None = None,
    method: str = "GET",
    data: bytes | None = None,
    timeout: float = 60,
    near: bool = False,  # noqa: FBT002 - called here only
) -> bytes:
    """The body of an answer; `near` is for what is beside the machine, with no proxy between."""
    trusted = ssl.create_default_context(cafile=env.get("AWS_CA_BUNDLE") or env.get("REQUESTS_CA_BUNDLE"))
    opener = build_opener(HTTPSHandler(context=trusted), *([ProxyHandler({})] if near else []))
    with opener.open(Request(url, data, dict(headers or {}), method=method), timeout=timeout) as answer:
        body: bytes = answer.read()
        return body


def read(path: str) -> str:
    """The text of a file."""
    with open(path) as stream:
        return stream.read().strip()


def given(answer: bytes) -> tuple[str, ...]:
    """Key, secret and token in what containers and instances are answered."""
    found = json.loads(answer)
    return found["AccessKeyId"], found["SecretAccessKey"], found.get("Token", "")


def by_identity() -> tuple[str, ...]:
    """Credentials for the web identity that a cluster gives a pod."""
    place = env.get("AWS_ENDPOINT_URL_STS") or env.get("AWS_ENDPOINT_URL") or f"https://sts.{region()}.amazonaws.com"
    query = {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": "2011-06-15",
        "RoleArn": env["AWS_ROLE_ARN"],
        "RoleSessionName": env.get("AWS_ROLE_SESSION_NAME") or "envtag",
        "WebIdentityToken": read(env["AWS_WEB_IDENTITY_TOKEN_FILE"]),
    }
    body = ask(place, {}, "POST", urlencode(query).encode()).decode()
    found = [re.search(f"<{name}>(.*?)<", body) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")]
    return tuple(item.group(1) for item in found if item)


def by_container() -> tuple[str, ...]:
    """Credentials of a container of ECS, Batch or EKS."""
    path = env.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
    url = f"http://169.254.170.2{path}" if path else env["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
    kept = env.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
    token = read(kept) if kept else env.get("AWS_CONTAINER_AUTHORIZATION_TOKEN")
    return given(ask(url, {"Authorization": token} if token else {}, timeout=5, near=True))


def by_instance() -> tuple[str, ...]:
    """Credentials of an instance of EC2, by version 2 of its metadata service."""
    root = (env.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or "http://169.254.169.254").rstrip("/") + "/latest/"
    name = "X-aws-ec2-metadata-token"
    token = {name: ask(root + "api/token", {name + "-ttl-seconds": "300"}, "PUT", timeout=2, near=True).decode()}
    base = root + "meta-data/iam/security-credentials/"
    role = ask(base, token, timeout=2, near=True).decode().split()[0]
    return given(ask(base + role, token, timeout=2, near=True))


def credentials() -> tuple[str, ...]:
    """Key, secret and token, looked for where boto looks and in its order; nothing for who has none."""
    if env.get("AWS_ACCESS_KEY_ID"):
        return env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], env.get("AWS_SESSION_TOKEN", "")
    if env.get("AWS_WEB_IDENTITY_TOKEN_FILE") and env.get("AWS_ROLE_ARN"):
        return by_identity()
    kept = configparser.RawConfigParser()
    kept.read(os.path.expanduser(env.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials"))
    mine = env.get("AWS_PROFILE") or "default"
    if kept.has_option(mine, "aws_secret_access_key"):
        names = "aws_access_key_id", "aws_secret_access_key", "aws_session_token"
        return tuple(kept.get(mine, name, fallback="") for name in names)
    if env.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") or env.get("AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        return by_container()
    if env.get("AWS_EC2_METADATA_DISABLED", "").lower() != "true":
        try:
            return by_instance()
        except (OSError, LookupError, ValueError):  # no instance, or one without a role: the bucket may be a public one
            pass
    return ()


def region() -> str:
    """The region that variables name."""
    return env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or "us-east-1"


def signed(bucket: str, key: str, secrets: tuple[str, ...], where: str) -> tuple[str, dict[str, str]]:
    """URL and headers that ask for an object in a region, with a signature if there are credentials."""
    own = env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL") or env.get("METAFLOW_S3_ENDPOINT_URL")
    domain = f"s3.{where}.amazonaws.com" + (".cn" if where.startswith("cn-") else "")
    if own or "." in bucket:
        url = (own or f"https://{domain}").rstrip("/") + "/" + bucket
    else:
        url = f"https://{bucket}.{domain}"
    url += "/" + quote(key)
    parts = urlsplit(url)
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    body = "UNSIGNED-PAYLOAD"
    headers = {"host": parts.netloc, "x-amz-content-sha256": body, "x-amz-date": now}
    if env.get("AWS_REQUEST_PAYER"):
        headers["x-amz-request-payer"] = env["AWS_REQUEST_PAYER"]
    if secrets:
        if secrets[2]:
            headers["x-amz-security-token"] = secrets[2]
        names = sorted(headers)
        signed = ";".join(names)
        lines = ["GET", parts.path, "", *[f"{name}:{headers[name]}" for name in names], "", signed, body]
        scope = [now[:8], where, "s3", "aws4_request"]
        told = ["AWS4-HMAC-SHA256", now, "/".join(scope), hashlib.sha256("\n".join(lines).encode()).hexdigest()]
        signing = ("AWS4" + secrets[1]).encode()
        for text in [*scope, "\n".join(told)]:
            signing = hmac.new(signing, text.encode(), "sha256").digest()
        headers["authorization"] = (
            f"{told[0]} Credential={secrets[0]}/{told[2]},SignedHeaders={signed},Signature={signing.hex()}"
        )
    return url, headers


def fetch(bucket: str, key: str, sha256: str) -> bytes:
    """The bytes of an object, held to their hash; asked for again where that may help."""
    where, secrets = region(), credentials()
    said = ""
    for attempt in range(TRIES):
        time.sleep(PAUSE * attempt * attempt)
        try:
            data = ask(*signed(bucket, key, secrets, where))
            got = hashlib.sha256(data).hexdigest()
            if got == sha256:
                return data
            said = f"it has other bytes than it should: sha256 {got}, not {sha256}"
        except HTTPError as error:
            said = f"the server says {error.code} {error.reason}"
            right = error.headers.get("x-amz-bucket-region")
            if right and right != where:
                where = right
            elif error.code < 500 and error.code != 429:  # noqa: PLR2004 - what the status codes mean
                break
        except Exception as error:  # noqa: BLE001 - a broken answer has many kinds
            said = f"no answer: {error!r}"
    raise Refused(f"s3://{bucket}/{key} cannot be fetched: {said}")


def main(bucket: str, key: str, sha256: str, target: str) -> None:
    """Unpack an archive of the bucket into a directory, which is there whole or not at all."""
    if sys.version_info < (3, 10):
        raise Refused("this image has Python {}.{}, and envtag needs 3.10 or newer".format(*sys.version_info))
    staged = f"{target}.{os.getpid()}.{time.time()}"
    lacking = [name for name in NEEDED if find_spec(name) is None]
    if os.path.isdir(target):
        return
    try:
        archive = zipfile.ZipFile(io.BytesIO(fetch(bucket, key, sha256)))
        archive.extractall(staged, [name for name in archive.namelist() if lacking or name.split("/")[0] in OURS])
        try:
            os.rename(staged, target)
        except OSError:
            if not os.path.isdir(target):
                raise
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def run(arguments: list[str]) -> Any:
    """The program: nothing where all went well, or one line for `sys.exit`."""
    try:
        return main(*arguments)
    except Exception as error:  # noqa: BLE001 - a part of a shell command says one line, whatever it is
        return f"envtag: {error if isinstance(error, Refused) else repr(error)}"


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
