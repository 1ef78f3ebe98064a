"""An object of S3 in parts: nothing is visible until all of them are there and have the right hash together."""

from __future__ import annotations

import base64
import hashlib
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

_MOST_PARTS = 10_000
_THREADS = 4  # parts of one object on their way at a time: what they hold in memory is bounded


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One upload in parts.

    Attributes:
        client: boto's client.
        place: `Bucket` and `Key`.
        metadata: What the object will carry.
        part_bytes: The size of a part.
    """

    client: Any
    place: Mapping[str, str]
    metadata: Mapping[str, str]
    part_bytes: int

    def run(
        self, stream: BinaryIO, check: Callable[[str], None], complete: Callable[[Callable[[], None]], bool | None]
    ) -> bool | None:
        """Send a stream, and complete the upload only where there is no object yet.

        Args:
            stream: The bytes, read once.
            check: Raises if the SHA-256 of all bytes, 64 hex digits, is wrong.
            complete: Makes the conditional request that it is given, and says what came of it.

        Returns:
            What `complete` returned; unless that is true, and after an error, nothing is left on the server.
        """
        created = self.client.create_multipart_upload(
            **self.place, ChecksumAlgorithm="SHA256", Metadata=dict(self.metadata)
        )
        upload = {**self.place, "UploadId": created["UploadId"]}
        written: bool | None = False
        try:
            parts, sha256 = self._send(upload, stream)
            check(sha256)

            def request() -> None:
                self.client.complete_multipart_upload(**upload, IfNoneMatch="*", MultipartUpload={"Parts": parts})

            written = complete(request)
        finally:
            if not written:
                self._abort(upload)
        return written

    def _send(self, upload: Mapping[str, str], stream: BinaryIO) -> tuple[list[dict[str, Any]], str]:
        """Send the parts, a few at a time: what completing the upload needs, and the hash of all bytes."""
        from concurrent.futures import Future, ThreadPoolExecutor

        def send(number: int, data: bytes) -> dict[str, Any]:
            sha256 = checksum(hashlib.sha256(data).digest())
            sent = self.client.upload_part(**upload, PartNumber=number, Body=data, **sha256)
            return {"PartNumber": number, "ETag": sent["ETag"], "ChecksumSHA256": sha256["ChecksumSHA256"]}

        digest = hashlib.sha256()
        parts: list[dict[str, Any]] = []
        pending: deque[Future[dict[str, Any]]] = deque()
        with ThreadPoolExecutor(_THREADS) as threads:
            while data := stream.read(self.part_bytes):
                digest.update(data)
                pending.append(threads.submit(send, len(parts) + len(pending) + 1, data))
                if len(pending) == _THREADS:
                    parts.append(pending.popleft().result())
            parts.extend(item.result() for item in pending)
        return parts, digest.hexdigest()

    def _abort(self, upload: Mapping[str, str]) -> None:
        """Give up; where that fails too, the bucket's lifecycle rule for unfinished uploads removes the parts."""
        from botocore.exceptions import BotoCoreError, ClientError

        with suppress(BotoCoreError, ClientError):
            self.client.abort_multipart_upload(**upload)


def part_size(wanted: int, size: int) -> int:
    """The size of a part, larger than wanted where there would be more parts than S3 takes."""
    return max(wanted, -(-size // _MOST_PARTS))


def checksum(digest: bytes) -> dict[str, str]:
    """The arguments by which the server checks that bytes have a SHA-256."""
    return {"ChecksumAlgorithm": "SHA256", "ChecksumSHA256": base64.b64encode(digest).decode()}
