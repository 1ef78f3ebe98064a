"""Jupyter kernels: a file that tells every Jupyter of a user how to start an environment's Python."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from envtag.errors import FatalError
from envtag.prefix.activation import activated, wrap
from envtag.prefix.layout import is_venv, python
from envtag.util.files import write_atomic

_BAD = re.compile(r"[^a-z0-9._-]+")
#: Jupyter replaces it by the variable's value when it starts the kernel.
_PATH = "${PATH}"


def kernel_name(text: str) -> str:
    """A kernel's name, which is that of a directory, made of an alias (`mlp-team-base-v1`)."""
    return _BAD.sub("-", text.lower()).strip("-.")


def kernels_directory(environ: Mapping[str, str]) -> Path:
    """Where Jupyter looks for the kernels of a user, as `jupyter --data-dir` says.

    Args:
        environ: The user's variables.
    """
    home = Path(environ.get("HOME") or environ.get("USERPROFILE") or Path.home())
    if environ.get("JUPYTER_DATA_DIR"):
        data = Path(environ["JUPYTER_DATA_DIR"])
    elif sys.platform == "darwin":
        data = home / "Library" / "Jupyter"
    elif os.name == "nt":
        data = Path(environ.get("APPDATA") or home / "AppData" / "Roaming") / "jupyter"
    else:
        data = Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "jupyter"
    return data / "kernels"


def install_kernel(
    prefix: Path, name: str, display: str, *, environ: Mapping[str, str], code: Path | None = None, force: bool = False
) -> Path:
    """Write the kernel of an environment.

    Args:
        prefix: The environment, which has `ipykernel`.
        name: The kernel's name.
        display: What Jupyter calls it.
        environ: The user's variables.
        code: A directory that its Python finds modules in first, or None.
        force: Replace a kernel of this name that is another one.

    Returns:
        The kernel's directory.

    Raises:
        FatalError: The environment has no `ipykernel`, or a kernel of this name is there.
    """
    binary = python(prefix, venv=is_venv(prefix))
    if not any(prefix.glob("lib/python*/site-packages/ipykernel_launcher.py")) and not any(
        prefix.glob("Lib/site-packages/ipykernel_launcher.py")
    ):
        raise FatalError(
            f"`{display}` has no `ipykernel`, which a notebook talks to",
            "extend it: `metaflow environment resolve --using NAME -r FILE --alias NAME:TAG`, with `ipykernel` in FILE",
        )
    variables = activated(prefix, {"PATH": _PATH})
    if code is not None:
        variables["PYTHONPATH"] = str(code)
    document = {
        "argv": wrap(prefix, [str(binary), "-m", "ipykernel_launcher", "-f", "{connection_file}"]),
        "display_name": display,
        "language": "python",
        "env": variables,
        "metadata": {"debugger": True},
    }
    target = kernels_directory(environ) / name / "kernel.json"
    data = json.dumps(document, indent=1, sort_keys=True).encode() + b"\n"
    if target.is_file() and target.read_bytes() != data and not force:
        raise FatalError(f"Jupyter has another kernel `{name}`, at `{target}`", "replace it with `--force`")
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(target, data)
    return target.parent
