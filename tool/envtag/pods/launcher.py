"""The file that is a pod's Python: the environment's own, with nothing of the image's Python around it."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from envtag.errors import FatalError
from envtag.prefix import layout
from envtag.prefix.activation import activated, wrap
from envtag.util.files import write_atomic

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: Where hosts put the libraries of their GPU's driver; everything else of `LD_LIBRARY_PATH` is the image's.
_DRIVERS = "/usr/local/nvidia/"
#: Of Python's own variables those that say how it runs, not what it finds.
_KEPT = ("PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "PYTHONUNBUFFERED")


def write_launcher(path: Path, prefix: Path, environ: Mapping[str, str], more: Mapping[str, str]) -> None:
    """Write a shell script that becomes the Python of an environment.

    It sets what activation sets. Of `PYTHONPATH` only what lies in the working directory stays, which is Metaflow's
    code; other variables of the image's Python go.

    Args:
        path: The script.
        prefix: The environment.
        environ: The variables of the pod.
        more: Variables that are set on top.

    Raises:
        FatalError: The environment has no Python, or would set a variable that has no proper name.
    """
    python = layout.python(prefix, venv=layout.is_venv(prefix))
    if not python.exists():
        raise FatalError(f"`{prefix}` has no Python, so that no step can run in it", "add `python` to what is locked")
    after = activated(prefix, {name: value for name, value in environ.items() if not name.startswith("PYTHON")})
    after |= {name: environ[name] for name in _KEPT if name in environ}
    after |= {"PYTHONNOUSERSITE": "1", "PYTHONPATH": _code(environ.get("PYTHONPATH", "")), **more}
    if after.get("LD_LIBRARY_PATH") == environ.get("LD_LIBRARY_PATH", ""):
        after["LD_LIBRARY_PATH"] = ":".join(
            item for item in environ.get("LD_LIBRARY_PATH", "").split(":") if item.startswith(_DRIVERS)
        )
    lines = ["#!/bin/sh"]
    lines += [f"unset {name}" for name in sorted(environ) if not after.get(name) and _NAME.fullmatch(name)]
    lines += [
        f"export {_checked(name)}={shlex.quote(value)}"
        for name, value in sorted(after.items())
        if value and value != environ.get(name)
    ]
    lines.append(f'exec {shlex.join(wrap(prefix, [str(python), "-s"]))} "$@"')
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, ("\n".join(lines) + "\n").encode())
    path.chmod(0o755)


def _code(found: str) -> str:
    """What of a `PYTHONPATH` lies in the working directory."""
    here = Path.cwd().resolve()
    kept = [item for item in found.split(os.pathsep) if item and Path(item).resolve().is_relative_to(here)]
    return os.pathsep.join(kept)


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise FatalError(f"the environment sets a variable `{name}`, which no shell can", "see its `env_vars.d`")
    return name
