"""What `s3_get` does, for a command that has to be short: AWS Batch takes 8,192 characters for what a job overrides.

It knows who a job of Batch is: by variables, or by the role that Metaflow gives to each. Of what goes wrong it says the
last thing alone.
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
from importlib.util import find_spec
from typing import Any
from urllib.request import Request, urlopen

env = os.environ.get
PAUSE = 1
OURS = "envtag/", "packaging/"
#: An image that has it has what Metaflow imports, and keeps its own, whole and in its versions.
NEEDED = "boto3"


def ask(url: str, headers: Any) -> bytes:
    """The body of an answer."""
    body: bytes = urlopen(Request(url, None, headers), timeout=20).read()
    return body


def credentials() -> tuple[str, str, str]:
    """Key, secret and token."""
    name = env("AWS_ACCESS_KEY_ID")
    if name:
        return name, env("AWS_SECRET_ACCESS_KEY", ""), env("AWS_SESSION_TOKEN", "")
    found = json.loads(ask("http://169.254.170.2" + env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", ""), {}))
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
                archive = zipfile.ZipFile(io.BytesIO(data))
                lacking = find_spec(NEEDED) is None
                archive.extractall(target, [name for name in archive.namelist() if lacking or name.startswith(OURS)])
                return None
            said = "other bytes"
        except Exception as error:
            said = repr(error)
            where = getattr(error, "headers", {}).get("x-amz-bucket-region", where)
    return f"envtag: {bucket}/{key}: {said}"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
