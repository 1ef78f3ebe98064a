"""Azurite, Microsoft's own server of the Azure Blob protocol: had from npm once, and run on the loopback interface."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from envtag.util.files import remove_tree
from envtag.util.locks import file_lock
from support.channel import CACHE
from support.guards import REAL_ENVIRON

_VERSIONS = "^3.34"
_TARGET = CACHE / "azurite-3"
_PROGRAM = Path("node_modules", "azurite", "dist", "src", "blob", "main.js")
_INSTALL_SECONDS = 240
_START_SECONDS = 60
_LISTENS = re.compile(rb"listens on http://127\.0\.0\.1:([0-9]+)")
#: Its standard input is a pipe that ends with the tests, however they end.
_LEAVE_WITH_PARENT = "process.stdin.on('end', () => process.exit(0)).resume();\n"


def azurite() -> tuple[Path | None, str]:
    """Azurite's program, installed by the first who asks; or None and why it cannot be had."""
    missing = [name for name in ("node", "npm") if shutil.which(name, path=REAL_ENVIRON.get("PATH")) is None]
    if missing:
        return None, f"Azurite needs `{missing[0]}`, which is not on PATH"
    with file_lock(CACHE / "azurite.lock"):
        if not (_TARGET / _PROGRAM).is_file():
            staging = _TARGET.with_suffix(".unpacking")
            remove_tree(staging)
            reason = _install(staging)
            if reason:
                return None, reason
            staging.rename(_TARGET)
    return _TARGET / _PROGRAM, ""


@contextmanager
def running(program: Path, directory: Path, account: str, key: str) -> Iterator[int]:
    """Run Azurite with one account, all of it in memory, for as long as the block runs; its port.

    Args:
        program: From `azurite`.
        directory: An empty one for its output.
        account: The account's name.
        key: The account's key.
    """
    leave, output = directory / "leave.js", directory / "output"
    leave.write_text(_LEAVE_WITH_PARENT, "utf-8")
    command = [
        "node", "--require", str(leave), str(program), "--inMemoryPersistence", "--skipApiVersionCheck",
        "--disableTelemetry", "--blobHost", "127.0.0.1", "--blobPort", "0",
    ]  # fmt: skip
    environ = {**REAL_ENVIRON, "AZURITE_ACCOUNTS": f"{account}:{key}"}
    with output.open("wb") as stream:
        process = subprocess.Popen(
            command, cwd=directory, env=environ, stdin=subprocess.PIPE, stdout=stream, stderr=subprocess.STDOUT
        )
    try:
        yield _port(process, output)
    finally:
        process.terminate()
        process.communicate(timeout=30)


def _port(process: subprocess.Popen[bytes], output: Path) -> int:
    """The port that the system gave it, once it listens there."""
    end = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        listens = _LISTENS.search(output.read_bytes())
        if listens:
            return int(listens[1])
        time.sleep(0.02)
    raise RuntimeError(f"Azurite did not start: {output.read_text('utf-8', 'replace')}")


def _install(directory: Path) -> str:
    """Install it with npm's own settings; why it could not be, or an empty text."""
    directory.mkdir(parents=True)
    package = {"name": "azurite-for-tests", "private": True, "dependencies": {"azurite": _VERSIONS}}
    (directory / "package.json").write_text(json.dumps(package), "utf-8")
    command = [
        "npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--omit=dev",
        "--loglevel=error", "--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=30000",
    ]  # fmt: skip
    try:
        done = subprocess.run(
            command, cwd=directory, env=REAL_ENVIRON, stdin=subprocess.DEVNULL, capture_output=True, check=False,
            timeout=_INSTALL_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"npm did not install Azurite within {_INSTALL_SECONDS} s"
    if done.returncode:
        said = " ".join(done.stderr.decode("utf-8", "replace").split())
        return f"npm cannot install Azurite: {said[:200]}"
    return ""
