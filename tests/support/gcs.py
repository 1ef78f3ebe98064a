"""A server of the Google Cloud Storage JSON API on the loopback interface: gcp-storage-emulator, held to what the real
one promises; it fails as it is asked to.
"""

from __future__ import annotations

import io
import itertools
import json
import logging
import re
import socket
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from gcp_storage_emulator.server import RequestHandler, Router
from gcp_storage_emulator.storage import Storage

from support.faults import Fault

UNIT = 256 << 10
GENERATION = "X-Goog-Generation"
_OBJECTS = re.compile(r"(?:/upload)?/storage/v1/b/([^/]+)/o(?:/([^/]+))?")
_CONTENT_RANGE = re.compile(r"bytes (?:([0-9]+)-([0-9]+)|\*)/([0-9]+|\*)")
_RESOURCE = re.compile(rb"\{.*?\}\s*(?=\r\n|$)", re.DOTALL)
_INCOMPLETE, _CANCELLED = 308, 499


class GcsServer:
    """A running server.

    The emulator ignores conditions, pages, and generations of what it is asked for, checks and writes in two steps, and
    forgets finished uploads; here all of that is as in Google Cloud Storage.

    Attributes:
        url: Its endpoint.
        requests: Method and path with query of every request so far.
        faults: What the next requests meet.
        keeps: The most bytes of a chunk that arrive; the client has to send the others again.
        page: The most objects of one page of a listing.
        ranges: Whether a part of an object can be asked for.
        authorizations: What each request said about who makes it.
        tokens: What is given to who renews credentials, one after the other; then that is refused.
    """

    def __init__(self) -> None:
        for name in ("gcp_storage_emulator", "api.object", "api.bucket"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self.requests: list[str] = []
        self.faults: list[Fault] = []
        self.keeps: int | None = None
        self.page = 1000
        self.ranges = True
        self.authorizations: list[str] = []
        self.tokens: list[str] = []
        self.storage = Storage(use_memory_fs=True, data_dir="/nowhere")
        self.finished: dict[str, dict[str, Any]] = {}
        self.conditions: dict[str, str | None] = {}
        self.lock = Lock()
        self.generations = itertools.count(1_700_000_000_000_000)
        self._numbers = itertools.count(1)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), lambda *arguments: _Handler(self, *arguments))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def reset(self) -> None:
        """Forget requests and faults."""
        self.requests.clear()
        self.faults.clear()
        self.keeps = None
        self.page = 1000
        self.ranges = True
        self.authorizations.clear()
        self.tokens.clear()

    def variables(self) -> dict[str, str]:
        """What a client needs to use it."""
        return {"STORAGE_EMULATOR_HOST": self.url}

    def bucket(self) -> str:
        """Make a new bucket; its name."""
        from gcp_storage_emulator.handlers.buckets import create_bucket

        name = f"bucket-{next(self._numbers)}"
        with self.lock:
            create_bucket(name, self.storage)
        return name

    def client(self) -> Any:
        """A client of the SDK's own, to look and meddle past the code under test."""
        import google.auth.credentials
        from google.cloud import storage

        credentials: Any = google.auth.credentials
        options = {"api_endpoint": self.url}
        return storage.Client(project="tests", credentials=credentials.AnonymousCredentials(), client_options=options)

    def put(self, bucket: str, name: str, data: bytes) -> None:
        """Write an object as somebody does who keeps to no rule."""
        self.client().bucket(bucket).blob(name).upload_from_string(data)

    def seen(self, method: str, contains: str = "") -> int:
        """How many requests of a kind there were."""
        return len([text for text in self.requests if text.startswith(f"{method} ") and contains in text])

    def unfinished(self, bucket: str) -> list[str]:
        """The uploads that were begun and neither finished nor given up."""
        return [name for name, item in self.storage.resumable.items() if item["bucket"] == bucket]

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that a request meets."""
        with self.lock:
            self.requests.append(f"{method} {path}")
            for fault in self.faults:
                if fault.times and fault.method == method and fault.contains in path:
                    fault.times -= 1
                    return fault
        return None


class Answer:
    """An answer: status, headers, body."""

    def __init__(self, status: int, headers: Mapping[str, str] | None = None, body: bytes = b"") -> None:
        self.status = status
        self.headers = dict(headers or {})
        self.body = body

    @classmethod
    def json(cls, value: Any, status: int = 200) -> Answer:
        """One with a value as JSON."""
        return cls(status, {"Content-Type": "application/json"}, json.dumps(value).encode())

    @classmethod
    def error(cls, status: int, reason: str, message: str) -> Answer:
        """One that says no."""
        item = {"domain": "global", "reason": reason, "message": message}
        return cls.json({"error": {"code": status, "message": message, "errors": [item]}}, status)


class _Handler(RequestHandler):  # type: ignore[misc]  # the emulator has no types
    """One connection: reads a request, lets the emulator answer it, and corrects request and answer."""

    rfile: Any
    wfile: Any
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, server: GcsServer, *arguments: Any) -> None:
        self.gcs = server
        super().__init__(server.storage, *arguments)

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = unquote(self.path)
        self.gcs.authorizations.append(self.headers.get("Authorization", ""))
        fault = self.gcs.take(self.command, path)
        if fault is not None and fault.status:
            self._send(Answer.error(fault.status, fault.code, "as asked"))
            return
        if fault is not None and not (fault.done or fault.cut):
            self._break()
            return
        with self.gcs.lock:
            answer = self._answer(body)
        if fault is not None and fault.done:
            self._break()
        else:
            with suppress(ConnectionError):  # a client that does not want the rest
                self._send(answer, cut=fault is not None)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - the names that http.server calls

    def _answer(self, body: bytes) -> Answer:
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        match = _OBJECTS.fullmatch(parts.path)
        if parts.path == "/token":
            if self.gcs.tokens:
                return Answer.json({"access_token": self.gcs.tokens.pop(0), "expires_in": 3600, "token_type": "Bearer"})
            return Answer.json({"error": "invalid_grant", "error_description": "Token has been expired."}, 400)
        if match is None:
            return self._emulate(body)
        return self._about_objects(unquote(match[1]), match[2] and unquote(match[2]), query, body)

    def _about_objects(self, bucket: str, name: str | None, query: dict[str, str], body: bytes) -> Answer:
        if bucket not in self.gcs.storage.buckets:
            return Answer.error(404, "notFound", "The specified bucket does not exist.")
        if "upload_id" in query:
            return self._resumable(query, body)
        if self.path.startswith("/upload/"):
            return self._upload(bucket, query, body)
        return self._listing(query) if name is None else self._object(bucket, name, query)

    def _emulate(self, body: bytes) -> Answer:
        """What the emulator answers to the request."""
        rfile, wfile = self.rfile, self.wfile
        self.rfile, self.wfile = io.BytesIO(body), io.BytesIO()
        try:
            Router(self).handle(self.command)
            head, _, answer = self.wfile.getvalue().partition(b"\r\n\r\n")
        finally:
            self.rfile, self.wfile = rfile, wfile
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        del headers["Content-Length"]
        return Answer(int(first.split()[1]), headers, answer)

    def _object(self, bucket: str, name: str, query: Mapping[str, str]) -> Answer:
        there = self.gcs.storage.objects.get(bucket, {}).get(name)
        if there is None or query.get("generation", there["generation"]) != there["generation"]:
            return Answer.error(404, "notFound", f"No such object: {bucket}/{name}")
        if not self._holds(bucket, name, query.get("ifGenerationMatch")):
            return _condition_not_met()
        if not self.gcs.ranges:
            del self.headers["Range"]
        answer = self._emulate(b"")
        if self.command == "DELETE":
            return Answer(204)
        if query.get("alt") == "media":
            start = re.fullmatch(r"bytes=([0-9]+)-", self.headers.get("Range", ""))
            if start and int(start[1]) >= int(there["size"]):
                return Answer(416)
            answer.headers[GENERATION] = there["generation"]
        return answer

    def _listing(self, query: Mapping[str, str]) -> Answer:
        found = json.loads(self._emulate(b"").body)
        items = [item for item in found["items"] if item["name"] > query.get("pageToken", "")]
        page = {"kind": "storage#objects", "items": items[: self.gcs.page]}
        if len(items) > self.gcs.page:
            page["nextPageToken"] = items[self.gcs.page - 1]["name"]
        return Answer.json({name: value for name, value in page.items() if value})

    def _upload(self, bucket: str, query: Mapping[str, str], body: bytes) -> Answer:
        name = query.get("name") or json.loads(_RESOURCE.search(body)[0])["name"]  # type: ignore[index]  # a request without a name is a mistake of the tests
        condition = query.get("ifGenerationMatch")
        if condition is not None and not condition.isdecimal():
            return Answer.error(400, "invalid", "Invalid value for ifGenerationMatch")
        if not self._holds(bucket, name, condition):
            return _condition_not_met()
        answer = self._emulate(body)
        if query.get("uploadType") == "resumable":
            upload = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))["upload_id"]
            self.gcs.conditions[upload] = condition
            return answer
        return self._written(answer)

    def _resumable(self, query: Mapping[str, str], body: bytes) -> Answer:
        upload = query["upload_id"]
        if upload in self.gcs.finished:
            return Answer.json(self.gcs.finished[upload])
        if upload not in self.gcs.storage.resumable:
            return Answer(404)
        if self.command == "DELETE":
            self.gcs.storage.delete_resumable_file_obj(upload)
            return Answer(_CANCELLED)
        answer = self._chunk(upload, body)
        if answer.status == _INCOMPLETE and not self.gcs.storage.get_resumable_byte_count(upload):
            del answer.headers["Range"]
        elif answer.status == HTTPStatus.OK:
            self.gcs.finished[upload] = json.loads(self._written(answer).body)
        return answer

    def _chunk(self, upload: str, body: bytes) -> Answer:
        """Take the next chunk of an upload, or a question where it is (without a chunk)."""
        first, end, total = _CONTENT_RANGE.fullmatch(self.headers["Content-Range"]).groups()  # type: ignore[union-attr]  # a request without a range is a mistake of the code under test
        there = self.gcs.storage.get_resumable_byte_count(upload)
        if first is not None:
            if int(first) != there or int(end) + 1 - int(first) != len(body):
                return Answer.error(400, "invalid", "a chunk that is not the next")
            if int(end) + 1 != int(total) and len(body) % UNIT:
                return Answer.error(400, "invalid", "a chunk that is no multiple of 256 KiB")
        if self.gcs.keeps is not None and len(body) > self.gcs.keeps:
            body = body[: self.gcs.keeps]
            self.headers.replace_header(
                "Content-Range", f"bytes {there}-{there + len(body) - 1}/{total}" if body else f"bytes */{total}"
            )
            self.headers.replace_header("Content-Length", str(len(body)))
        item = self.gcs.storage.resumable[upload]
        complete = there + len(body) == int(total)
        if complete and not self._holds(item["bucket"], item["name"], self.gcs.conditions[upload]):
            return _condition_not_met()
        return self._emulate(body)

    def _written(self, answer: Answer) -> Answer:
        """The answer for a new object, which has a generation of this moment and not of the upload's start."""
        if answer.status == HTTPStatus.OK:
            said = json.loads(answer.body)
            there = self.gcs.storage.objects[said["bucket"]][said["name"]]
            there["generation"] = str(next(self.gcs.generations))
            answer.body = json.dumps(there).encode()
        return answer

    def _holds(self, bucket: str, name: str, condition: str | None) -> bool:
        there = self.gcs.storage.objects.get(bucket, {}).get(name)
        return condition is None or condition == (there["generation"] if there else "0")

    def _send(self, answer: Answer, *, cut: bool = False) -> None:
        self.send_response(answer.status, "as it is")
        for name, value in answer.headers.items():
            if name.lower() not in {"server", "date"}:
                self.send_header(name, value)
        if answer.status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body[: len(answer.body) // 2] if cut else answer.body)
        if cut:
            self._break()

    def _break(self) -> None:
        """Break the connection as a crashed server does."""
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)


def _condition_not_met() -> Answer:
    return Answer.error(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.")


def no_home(path: Path) -> dict[str, str]:
    """The variables of a machine that is none of Google's, and whose person never signed in."""
    return {
        "CLOUDSDK_CONFIG": str(path),
        "GCE_METADATA_IP": "127.0.0.1:9",
        "GCE_METADATA_HOST": "127.0.0.1:9",
        "STORAGE_EMULATOR_HOST": "",
        "GOOGLE_APPLICATION_CREDENTIALS": "",
    }
