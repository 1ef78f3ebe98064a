"""A bucket of S3, or of a server that speaks its protocol, asked by the standard library alone.

Who asks, where and how it is signed follows boto's own rules and variables: variables, web identity, shared
credentials, container and instance (IMDSv2); a bucket with no credentials is asked without a signature (Signature
Version 4: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-signing.html).
"""

from __future__ import annotations

import configparser
import datetime
import hashlib
import hmac
import json
import os
import re
import sys
from importlib.util import find_spec
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from envtag.pods.plain_get import ask, below, env, run

OURS = "envtag", "packaging"
#: What Metaflow imports: an image that has it keeps its own, whole and in its versions.
NEEDED = "boto3", "requests"


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
    body = ask(place, {}, urlencode(query).encode()).decode()
    found = [re.search(f"<{name}>(.*?)<", body) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")]
    return tuple(item.group(1) for item in found if item)


def by_container() -> tuple[str, ...]:
    """Credentials of a container of ECS, Batch or EKS."""
    path = env.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
    url = f"http://169.254.170.2{path}" if path else env["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
    kept = env.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
    token = read(kept) if kept else env.get("AWS_CONTAINER_AUTHORIZATION_TOKEN")
    return given(ask(url, {"Authorization": token} if token else {}, near=5))


def by_instance() -> tuple[str, ...]:
    """Credentials of an instance of EC2, by version 2 of its metadata service."""
    root = (env.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or "http://169.254.169.254").rstrip("/") + "/latest/"
    name = "X-aws-ec2-metadata-token"
    token = {name: ask(root + "api/token", {name + "-ttl-seconds": "300"}, near=2, method="PUT").decode()}
    base = root + "meta-data/iam/security-credentials/"
    role = ask(base, token, near=2).decode().split()[0]
    return given(ask(base + role, token, near=2))


def keys() -> tuple[str, ...]:
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


def credentials(store: str) -> Any:
    """The region to ask, and who asks there."""
    del store
    return region(), keys()


def request(store: str, key: str, secrets: Any, start: int = 0) -> tuple[str, dict[str, str]]:
    """URL and headers that ask for an object of a store, `s3://BUCKET/PREFIX`, or for its end."""
    bucket, _, prefix = store[5:].partition("/")
    url, headers = signed(bucket, below(prefix, key), secrets[1], secrets[0])
    if start:
        headers["range"] = f"bytes={start}-"
    return url, headers


def elsewhere(secrets: Any, headers: Any) -> Any:
    """The same with the region that a refusal names, if that is another one."""
    right = headers.get("x-amz-bucket-region")
    return (right, secrets[1]) if right and right != secrets[0] else None


def wanted(names: list[str]) -> list[str]:
    """What is unpacked of the bundle: without what the image has."""
    lacking = [name for name in NEEDED if find_spec(name) is None]
    return [name for name in names if lacking or name.split("/")[0] in OURS]


if __name__ == "__main__":
    sys.exit(run(credentials, request, sys.argv[1:], elsewhere, wanted))
