"""An object of Google Cloud Storage in chunks: nothing is visible until all of them are there and have the right hash.

Follows https://cloud.google.com/storage/docs/performing-resumable-uploads.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, BinaryIO

from envtag.store.attempts import ATTEMPTS, pause
from envtag.store.gcs_client import Answer, Connection, may_pass
from envtag.store.gcs_errors import NO_BUCKET, RefusalError

#: Who wrote an object: how a writer knows its own work again when the answer to it was lost.
WRITER = "envtag-write"
#: The size of each chunk but the last must be a multiple of it.
CHUNK_UNIT = 256 << 10
_INCOMPLETE = 308  # another meaning than HTTP's own
_LOST = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_EXPECTED = frozenset({_INCOMPLETE, HTTPStatus.PRECONDITION_FAILED, *_LOST})
_BLOCK = 1 << 20
_RANGE = re.compile(r"bytes=0-([0-9]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One upload in chunks.

    Attributes:
        connection: Whom to ask.
        url: The URL that takes new objects.
        query: The object's name and the condition, which the server checks at the start and again at the end.
        resource: What the object will carry, and the hash that the server checks.
        size: Of all bytes.
        chunk_bytes: The size of a chunk, which is held in memory.
    """

    connection: Connection
    url: str
    query: Mapping[str, str]
    resource: Mapping[str, Any]
    size: int
    chunk_bytes: int

    def run(self, stream: BinaryIO) -> bool | None:
        """Send a stream that can be read anew from any place.

        Returns:
            True if the object was made, False if the condition did not hold, None if the server knows nothing of the
            upload any more. After the latter two it may still be this upload's own, by an answer that was lost.
        """
        started = self.connection.ask(
            "POST",
            self.url,
            query={**self.query, "uploadType": "resumable"},
            headers={
                "Content-Type": "application/json; charset=UTF-8",
                "X-Upload-Content-Type": "application/octet-stream",
                "X-Upload-Content-Length": str(self.size),
            },
            data=json.dumps(self.resource).encode(),
            expected={HTTPStatus.PRECONDITION_FAILED},
        )
        if started.status == HTTPStatus.PRECONDITION_FAILED:
            return False
        session = str(started.response.headers["Location"])  # whoever has it may write: it is never shown
        written: bool | None = False
        try:
            written = self._send(session, stream)
        finally:
            if not written:
                self._cancel(session)
        return written

    def _send(self, session: str, stream: BinaryIO) -> bool | None:
        """Send chunk by chunk, after a failure from where the server says that it is."""
        offset = 0
        failures = 0
        while True:
            stream.seek(offset)
            chunk = stream.read(self.chunk_bytes)
            place = f"bytes {offset}-{offset + len(chunk) - 1}/{self.size}" if chunk else f"bytes */{self.size}"
            answer = self._chunk(session, chunk, place)
            if answer is None:
                answer = self._put(session, b"", f"bytes */{self.size}", ATTEMPTS)
            if answer.status != _INCOMPLETE:
                return None if answer.status in _LOST else answer.status != HTTPStatus.PRECONDITION_FAILED
            found = _RANGE.fullmatch(answer.response.headers.get("Range", ""))
            there = int(found[1]) + 1 if found else 0
            if there > offset:
                failures = 0
            else:
                pause(failures)
                failures += 1
            if failures == ATTEMPTS:
                raise RefusalError(HTTPStatus.SERVICE_UNAVAILABLE, "noProgress")
            offset = there

    def _chunk(self, session: str, chunk: bytes, place: str) -> Answer | None:
        """Send one chunk once; None if the server is to be asked how much of it arrived."""
        import requests

        try:
            return self._put(session, chunk, place, 1)
        except RefusalError as error:
            if not error.busy:
                raise
        except requests.RequestException as error:
            if not may_pass(error):
                raise
        return None

    def _put(self, session: str, chunk: bytes, place: str, attempts: int) -> Answer:
        answer = self.connection.ask(
            "PUT", session, headers={"Content-Range": place}, data=chunk, expected=_EXPECTED, attempts=attempts
        )
        if answer.status in _LOST:
            refusal = RefusalError.of(answer.response)
            if refusal.reason == NO_BUCKET:
                raise refusal
        return answer

    def _cancel(self, session: str) -> None:
        """Give up; where that fails too, the server forgets the upload after a week."""
        import requests
        from google.auth.exceptions import GoogleAuthError

        with suppress(RefusalError, requests.RequestException, GoogleAuthError):
            self.connection.ask("DELETE", session, expected={499}, attempts=1)


def put_whole(connection: Connection, url: str, query: Mapping[str, str], writer: str, data: bytes) -> Answer:
    """Send an object in one request; the status 412 says that the condition did not hold.

    Args:
        connection: Whom to ask.
        url: The URL that takes new objects.
        query: The object's name and the condition.
        writer: What marks the object as the work of this call.
        data: Its bytes.
    """
    resource = json.dumps(description(writer, hashlib.md5(data, usedforsecurity=False).digest())).encode()
    boundary = f"envtag-{writer}"
    line = b"--" + boundary.encode()
    body = b"\r\n".join((
        line, b"Content-Type: application/json; charset=UTF-8", b"", resource,
        line, b"Content-Type: application/octet-stream", b"", data,
        line + b"--", b"",
    ))  # fmt: skip
    return connection.ask(
        "POST",
        url,
        query={**query, "uploadType": "multipart"},
        headers={"Content-Type": f"multipart/related; boundary={boundary}"},
        data=body,
        expected={HTTPStatus.PRECONDITION_FAILED},
    )


def description(writer: str, md5: bytes) -> dict[str, Any]:
    """What an object carries: its writer, and the hash without which the server refuses its bytes."""
    return {
        "contentType": "application/octet-stream",
        "md5Hash": base64.b64encode(md5).decode(),
        "metadata": {WRITER: writer},
    }


def hashes(stream: BinaryIO) -> tuple[str, bytes]:
    """The SHA-256 in hex digits, and the MD5, of a stream."""
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    while block := stream.read(_BLOCK):
        sha256.update(block)
        md5.update(block)
    return sha256.hexdigest(), md5.digest()
