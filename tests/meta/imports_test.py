from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from support.source import modules


def test_every_module_imports_alone_and_without_a_warning():
    names = [name for name in modules() if name != "envtag.__main__"]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        failures = [text for text in pool.map(_import_alone, names) if text]
    assert failures == []


def _import_alone(name: str) -> str:
    """What goes wrong when a fresh interpreter imports one module, or an empty string."""
    done = subprocess.run([sys.executable, "-W", "error", "-c", f"import {name}"], capture_output=True, check=False)
    said = (done.stdout + done.stderr).decode("utf-8", "replace").strip()
    return f"{name}: {said.splitlines()[-1] if said else done.returncode}" if done.returncode or said else ""
