"""The uv program: the one way it is called, with nothing of this machine's configuration deciding."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.util.process import Completed, run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

#: What of uv's own variables a client may set: where managed Pythons lie and come from, how patient it is, and whose
#: certificates it trusts. None of them decides what an answer is.
_KEPT = frozenset({
    "UV_HTTP_RETRIES", "UV_HTTP_TIMEOUT", "UV_NATIVE_TLS", "UV_PYTHON_DOWNLOADS", "UV_PYTHON_INSTALL_DIR",
    "UV_PYTHON_INSTALL_MIRROR", "UV_SYSTEM_CERTS",
})  # fmt: skip
_DROPPED_PREFIXES = ("UV_", "PIP_", "CONDA_")
_DROPPED = frozenset({
    "MACOSX_DEPLOYMENT_TARGET", "PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "VIRTUAL_ENV",
    "__PYVENV_LAUNCHER__",
})  # fmt: skip
#: uv looks into `sysconfig`, whose first use must not meet one in another thread (that sees a table half filled).
_FINDING = threading.Lock()


def uv_binary() -> str:
    """The path of the uv that came with envtag.

    Raises:
        FatalError: It is not installed.
    """
    import uv

    try:
        with _FINDING:
            return uv.find_uv_bin()
    except FileNotFoundError as error:
        raise FatalError("`uv` is not installed beside envtag", "reinstall envtag, or `pip install uv`") from error


def clean_environment(variables: Mapping[str, str], extra: Mapping[str, str]) -> dict[str, str]:
    """The environment for uv: nothing that belongs to this machine's pip, uv or active environment decides.

    Args:
        variables: This process's own.
        extra: What is set on top.
    """
    kept = {
        name: value
        for name, value in variables.items()
        if name in _KEPT or not (name.startswith(_DROPPED_PREFIXES) or name in _DROPPED)
    }
    return {**kept, **extra}


def run_uv(
    arguments: Sequence[str],
    *,
    cache: Path | None,
    extra: Mapping[str, str] | None = None,
    check: str | None = None,
) -> Completed:
    """Run uv to its end, without configuration files.

    Args:
        arguments: Its command and the command's arguments.
        cache: Its cache directory; nothing is cached if None.
        extra: Variables on top of the clean environment.
        check: If given, a failure raises `FatalError` with this as its line.

    Raises:
        FatalError: It is not installed, or failed under `check`.
    """
    kept = ["--cache-dir", str(cache)] if cache is not None else ["--no-cache"]
    argv = [uv_binary(), *arguments, "--no-config", "--no-progress", "--color", "never", *kept]
    return run(argv, env=clean_environment(os.environ, extra or {}), check=check)
