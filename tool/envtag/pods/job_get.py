"""What `s3_get` does, for a command that has to be short: AWS Batch takes 8,192 characters for what a job overrides.

It knows who a job of Batch is: by variables, by its role, or by the instance that it runs on. Of what goes wrong it
says the last thing alone.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import os
import sys
import time
import zipfile
from typing import Any
from urllib.request import Request, urlopen

env = os.environ.get
PAUSE = 1


def ask(url: str, headers: Any, method: str = "GET") -> bytes:
    """The body of an answer."""
    body: bytes = urlopen(Request(url, None, headers, method=method), timeout=20).read()
    return body


def credentials() -> tuple[str, str, str]:
    """Key, secret and token."""
    name = env("AWS_ACCESS_KEY_ID")
    if name:
        return name, env("AWS_SECRET_ACCESS_KEY", ""), env("AWS_SESSION_TOKEN", "")
    role = env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
    if role:
        body = ask("http://169.254.170.2" + role, {})
    else:
        root, name = "http://169.254.169.254/latest/", "X-aws-ec2-metadata-token"
        token = {name: ask(root + "api/token", {name + "-ttl-seconds": "300"}, "PUT")}
        root += "meta-data/iam/security-credentials/"
        body = ask(root + ask(root, token).decode(), token)
    found = json.loads(body)
    return found["AccessKeyId"], found["SecretAccessKey"], found["Token"]


def signed(bucket: str, key: str, where: str) -> tuple[str, dict[str, str]]:
    """URL and headers that ask for an object in a region, with a signature of version 4."""
    identity, secret, token = credentials()
    root = env("METAFLOW_S3_ENDPOINT_URL") or f"https://s3.{where}.amazonaws.com"
    path = f"/{bucket}/{key}"
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    body = "UNSIGNED-PAYLOAD"
    headers = {"host": root.split("/")[2], "x-amz-content-sha256": body, "x-amz-date": now}
    if token:
        headers["x-amz-security-token"] = token
    names = ";".join(headers)
    text = "\n".join(["GET", path, "", *map(":".join, headers.items()), "", names, body])
    scope = f"{now[:8]}/{where}/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(text.encode()).hexdigest()}"
    signing = b"AWS4" + secret.encode()
    for part in [*scope.split("/"), text]:
        signing = hmac.new(signing, part.encode(), "sha256").digest()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={identity}/{scope},SignedHeaders={names},Signature={signing.hex()}"
    )
    return root + path, headers


def main(bucket: str, key: str, sha256: str, target: str) -> str | None:
    """Unpack an archive of the bucket into a directory; what went wrong, or None."""
    where = env("AWS_REGION") or env("AWS_DEFAULT_REGION") or "us-east-1"
    for attempt in range(5):
        time.sleep(PAUSE * attempt)
        try:
            data = ask(*signed(bucket, key, where))
            if hashlib.sha256(data).hexdigest() == sha256:
                zipfile.ZipFile(io.BytesIO(data)).extractall(target)
                return None
            said = "other bytes"
        except Exception as error:
            said = repr(error)
            where = getattr(error, "headers", {}).get("x-amz-bucket-region", where)
    return f"envtag: {bucket}/{key}: {said}"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
