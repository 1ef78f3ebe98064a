from __future__ import annotations

import subprocess
import sys

import pytest

from support.source import modules

#: Imports each module in a process that has nothing of envtag yet, made from one that has what most modules load.
_DRIVER = """\
import contextlib, dataclasses, enum, hashlib, json, os, pathlib, re, subprocess, sys, tempfile, traceback, typing
import urllib.parse

sys.stdin.close()
for name in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            __import__(name)
            code = 0
        except BaseException:
            print(name, traceback.format_exc().splitlines()[-1], flush=True)
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if status:
        print(name, "ended with", status, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="this system copies no process")
def test_every_module_imports_alone_and_without_a_warning():
    names = [name for name in modules() if name != "envtag.__main__"]
    done = subprocess.run([sys.executable, "-W", "error", "-c", _DRIVER, *names], capture_output=True, check=True)
    assert (done.stdout + done.stderr).decode("utf-8", "replace") == ""
