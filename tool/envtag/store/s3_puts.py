"""What boto sends of an object in one request: small bodies at once, and none that has another hash than it should."""

from __future__ import annotations

import base64
import hashlib
import re
from io import BytesIO
from typing import Any

_SHA256 = re.compile(r"[0-9a-f]{64}")
_BLOCK = 1 << 20


class OtherBytesError(Exception):
    """A body does not have the SHA-256 that its request states; nothing was sent.

    Attributes:
        got: The one that it has, 64 hex digits.
    """

    def __init__(self, got: str) -> None:
        super().__init__(got)
        self.got = got


def add_handlers(client: Any) -> None:
    """Let a client send bytes at once, and compare each body with the SHA-256 that its request states.

    A signature has the hash of the body in it, so that boto computes it in any case: once is enough.

    Args:
        client: boto's client of S3.
    """
    for operation in ("PutObject", "UploadPart"):
        client.meta.events.register(f"before-call.s3.{operation}", _send_at_once)
    client.meta.events.register("before-send.s3.PutObject", _compare)


def _send_at_once(params: dict[str, Any], **_: Any) -> None:
    """Undo that boto treats bytes as a file: asks the server to wait for them, and sends pieces of 16 KB."""
    if isinstance(params["body"], BytesIO):
        params["body"] = params["body"].getvalue()
        params["headers"].pop("Expect", None)


def _compare(request: Any, **_: Any) -> None:
    """Refuse a request whose body is not what its checksum says, if it has one."""
    stated = _text(request.headers.get("x-amz-checksum-sha256"))
    if not stated:
        return
    signed = _text(request.headers.get("X-Amz-Content-SHA256"))
    got = signed if _SHA256.fullmatch(signed) else _sha256(request.body)
    if stated != base64.b64encode(bytes.fromhex(got)).decode():
        raise OtherBytesError(got)


def _text(value: Any) -> str:
    return value.decode("ascii") if isinstance(value, bytes) else value or ""


def _sha256(body: Any) -> str:
    """The hash of a body where none was signed: the client is anonymous, or signs no payloads."""
    digest = hashlib.sha256()
    if isinstance(body, bytes):
        digest.update(body)
    elif body is not None:
        start = body.tell()
        while block := body.read(_BLOCK):
            digest.update(block)
        body.seek(start)
    return digest.hexdigest()
