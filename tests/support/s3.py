"""A server of the S3 protocol on the loopback interface: moto, held to what S3 promises; it fails as it is asked to."""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import logging
import socket
from collections.abc import Iterable
from http import HTTPStatus
from threading import Lock, Thread
from typing import Any

from support.faults import Fault

__all__ = ["ACCESS_KEY", "SECRET_KEY", "Fault", "S3Server"]

#: What a client gives; the secret must not be seen anywhere.
ACCESS_KEY = "AKIDTESTER"
SECRET_KEY = "hunter2-secret"  # the tests' own
_WRITES = frozenset({"PUT", "POST", "DELETE"})


class S3Server:
    """A running server.

    moto's own checks and writes are two steps; here a write is one, as in S3, and a body must have the SHA-256 that
    its header promises.

    Attributes:
        url: Its endpoint.
        requests: Method and path with query of every request so far.
        faults: What the next requests meet.
    """

    def __init__(self) -> None:
        from moto.moto_server.werkzeug_app import (
            DomainDispatcherApplication,
            MotoRequestHandler,
            create_backend_app,
        )
        from werkzeug.serving import make_server

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self.requests: list[str] = []
        self.faults: list[Fault] = []
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._writing = Lock()
        self._taking = Lock()
        self._numbers = itertools.count(1)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=MotoRequestHandler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def variables(self) -> dict[str, str]:
        """What a client needs to use it."""
        return {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.url,
        }

    def client(self) -> Any:
        """A client of boto's own, to look and meddle past the code under test."""
        import boto3

        return boto3.session.Session().client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
        )

    def bucket(self) -> str:
        """Make a new bucket; its name."""
        name = f"bucket-{next(self._numbers)}"
        self.client().create_bucket(Bucket=name)
        return name

    def seen(self, method: str, contains: str = "") -> int:
        """How many requests of a kind there were."""
        return len([text for text in self.requests if text.startswith(f"{method} ") and contains in text])

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        path = f"{environ['PATH_INFO']}?{environ.get('QUERY_STRING', '')}"
        self.requests.append(f"{method} {path}")
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        fault = self._take(method, path)
        if fault is not None and fault.status:
            return _error(fault.status, fault.code, start_response)
        if fault is not None and not (fault.done or fault.cut):
            _break(environ)
        promised = environ.get("HTTP_X_AMZ_CHECKSUM_SHA256")
        if promised and method == "PUT" and promised != base64.b64encode(hashlib.sha256(body).digest()).decode():
            return _error(400, "BadDigest", start_response)
        if method not in _WRITES:
            answer = b"".join(self._moto(environ, start_response))
        else:
            with self._writing:
                answer = b"".join(self._moto(environ, start_response))
        if fault is not None and fault.done:
            _break(environ)
        return [answer[: len(answer) // 2] if fault is not None else answer]

    def _take(self, method: str, path: str) -> Fault | None:
        with self._taking:
            for fault in self.faults:
                if fault.times and fault.method == method and fault.contains in path:
                    fault.times -= 1
                    return fault
        return None


def _error(status: int, code: str, start_response: Any) -> list[bytes]:
    body = f"<Error><Code>{code}</Code><Message>as asked</Message></Error>".encode()
    head = [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))]
    start_response(f"{status} {HTTPStatus(status).phrase}", head)
    return [body]


def _break(environ: dict[str, Any]) -> None:
    """Break the connection as a crashed server does."""
    endpoint: socket.socket = environ["werkzeug.socket"]
    endpoint.shutdown(socket.SHUT_RDWR)
    raise ConnectionResetError
