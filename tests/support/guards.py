"""What no test may do: reach a host, read the real home, or take settings from whoever runs it."""

from __future__ import annotations

import ipaddress
import os
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

#: A port on which nobody listens (`discard`): a proxy there fails at once, also for uv, git and rattler.
DEAD_PROXY = "http://127.0.0.1:9"
#: Seen before anything is isolated: what a test that may use the network gets back.
REAL_ENVIRON: Mapping[str, str] = dict(os.environ)

_REMOVED_PREFIXES = (
    "AWS_", "AZURE_", "CLOUDSDK_", "CONDA_", "ENVTAG_", "GCE_", "GIT_", "GOOGLE_", "MAMBA_", "METAFLOW_", "PIP_",
    "PIXI_", "RATTLER_", "UV_", "XDG_",
)  # fmt: skip
_REMOVED = ("BASH_ENV", "ENV", "NETRC", "PYTHONHOME", "PYTHONPATH", "STORAGE_EMULATOR_HOST", "VIRTUAL_ENV")
_KEPT = ("GIT_SSL_CAINFO",)
_DATE = "2024-12-01T12:00:00+00:00"
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


class NetworkForbiddenError(RuntimeError):
    """A test without the `network` marker tried to reach something beyond the loopback interface."""


def isolated_environ(home: Path, *, network: bool) -> dict[str, str]:
    """The variables that a test sees: nothing of the person who runs it but PATH, locale, certificates and proxies.

    Args:
        home: The test's own home directory; every XDG and ENVTAG directory lies below it.
        network: Whether the test may use the network; otherwise every proxy points to a dead port.
    """
    kept = {
        name: value
        for name, value in REAL_ENVIRON.items()
        if name in _KEPT or not (name.startswith(_REMOVED_PREFIXES) or name in _REMOVED)
    }
    isolated = {
        **kept,
        "HOME": str(home),
        "USERPROFILE": str(home),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local" / "share"),
        "XDG_STATE_HOME": str(home / ".local" / "state"),
        "ENVTAG_HOME": str(home / "envtag"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "GIT_ALLOW_PROTOCOL": "file",
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    for role in ("AUTHOR", "COMMITTER"):
        isolated |= {
            f"GIT_{role}_NAME": "A Tester",
            f"GIT_{role}_EMAIL": "tester@example.org",
            f"GIT_{role}_DATE": _DATE,
        }
    if not network:
        for name in _PROXIES:
            isolated |= {name: DEAD_PROXY, name.lower(): DEAD_PROXY}
        isolated |= dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost,::1")
        isolated["UV_HTTP_RETRIES"] = "0"
    return isolated


def apply_environ(patch: pytest.MonkeyPatch, environ: Mapping[str, str]) -> None:
    """Make a process's variables exactly these, until the patch is undone."""
    for name in set(os.environ) - set(environ):
        if not name.startswith("PYTEST_"):
            patch.delenv(name)
    for name, value in environ.items():
        patch.setenv(name, value)


def forbid_network(patch: pytest.MonkeyPatch) -> None:
    """Let this process's sockets connect to the loopback interface only, and resolve no name."""
    connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        _check(self.family, address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        _check(self.family, address)
        return connect_ex(self, address)

    def guarded_getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        _check(socket.AF_INET, (host,))
        return getaddrinfo(host, *args, **kwargs)

    patch.setattr(socket.socket, "connect", guarded_connect)
    patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    patch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)


def why_no_index() -> str | None:
    """Why PyPI packages cannot be had from the default index right now, or None; asks it for one tiny package."""
    import uv

    with tempfile.TemporaryDirectory(prefix="envtag-probe-") as scratch:
        environ = {**isolated_environ(Path(scratch), network=True), "UV_HTTP_TIMEOUT": "5"}
        command = [uv.find_uv_bin(), "pip", "compile", "--no-config", "--quiet", "--cache-dir", f"{scratch}/cache", "-"]
        try:
            done = subprocess.run(
                command, input=b"six\n", env=environ, cwd=scratch, capture_output=True, check=False, timeout=20
            )
        except subprocess.TimeoutExpired:
            return "the default PyPI index did not answer within 20 s"
    if done.returncode == 0:
        return None
    return f"the default PyPI index cannot be reached: {done.stderr.decode('utf-8', 'replace').strip()[:200]}"


def _check(family: int, address: Any) -> None:
    if family not in {socket.AF_INET, socket.AF_INET6}:
        return
    host = address[0]
    if host in {None, "", "localhost", b"localhost"}:
        return
    text = host.decode() if isinstance(host, bytes) else host
    try:
        loopback = ipaddress.ip_address(text).is_loopback or ipaddress.ip_address(text).is_unspecified
    except ValueError:
        loopback = False
    if not loopback:
        raise NetworkForbiddenError(f"a test without the `network` marker tried to reach {text}")
