"""A bucket for benchmarks: moto in a process of its own, so that its work is not the client's."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.measure import Machine

BUCKET = "bench"
#: moto alone; it ends with its stdin.
_SERVER = """
import logging, sys
from moto.server import ThreadedMotoServer
logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
server.stop()
"""


@contextmanager
def running_bucket(machine: Machine) -> Iterator[dict[str, str]]:
    """A bucket named `BUCKET`; the variables of its clients."""
    with subprocess.Popen(
        [sys.executable, "-c", _SERVER], env=machine.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            port = server.stdout.readline().strip() if server.stdout is not None else ""
            environ = {
                "AWS_ACCESS_KEY_ID": "bench",
                "AWS_SECRET_ACCESS_KEY": "bench",
                "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_EC2_METADATA_DISABLED": "true",
                "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            }
            make = f"import boto3; boto3.client('s3').create_bucket(Bucket={BUCKET!r})"
            machine.run([sys.executable, "-c", make], env=environ)
            yield environ
        finally:
            server.terminate()
