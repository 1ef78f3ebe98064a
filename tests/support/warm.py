"""A Python that has imported what is slow to import, and runs `python -m MODULE …` in a fork of itself each time.

The programs that engines call are the real ones, with their own argv, variables, directory and exit code; only what
each would spend on importing is spent once. On systems without `fork` they are run as usual.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock

from envtag.util.process import Completed
from envtag.util.process import run as run_anew

_SERVER = """
import importlib, json, os, runpy, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
for line in sys.stdin:
    asked = json.loads(line)
    child = os.fork()
    if not child:
        code = 70
        try:
            os.chdir(asked["cwd"])
            os.environ.clear()
            os.environ.update(asked["env"])
            for number, path in ((0, os.devnull), (1, asked["stdout"]), (2, asked["stderr"])):
                handle = os.open(path, os.O_RDWR | os.O_CREAT)
                os.dup2(handle, number)
            sys.argv = asked["argv"]
            try:
                runpy.run_module(asked["argv"][0], run_name="__main__", alter_sys=True)
                code = 0
            except SystemExit as end:
                if isinstance(end.code, str):
                    print(end.code, file=sys.stderr)
                code = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:
            import traceback
            traceback.print_exc()
            code = 1
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""


class WarmPython:
    """One such Python.

    Args:
        modules: What it imports first.
        environ: The variables that it imports them with.
    """

    def __init__(self, modules: Sequence[str], environ: Mapping[str, str]) -> None:
        self._modules, self._environ = modules, dict(environ)
        self._process: subprocess.Popen[str] | None = None
        self._lock = Lock()

    def run(
        self,
        argv: Sequence[str | os.PathLike[str]],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        check: str | None = None,
    ) -> Completed:
        """`envtag.util.process.run`, for `python -m MODULE …`; any other program is started as usual."""
        words = tuple(os.fspath(word) for word in argv)
        if not hasattr(os, "fork") or words[:2] != (sys.executable, "-m"):
            return run_anew(words, cwd=cwd, env=env, check=check)
        with self._lock, tempfile.TemporaryDirectory(prefix="envtag-warm-") as scratch:
            out, err = Path(scratch, "stdout"), Path(scratch, "stderr")
            asked = {
                "argv": words[2:],
                "cwd": str(cwd or Path.cwd()),
                "env": dict(os.environ if env is None else env),
                "stdout": str(out),
                "stderr": str(err),
            }
            server = self._started()
            assert server.stdin is not None
            assert server.stdout is not None
            server.stdin.write(json.dumps(asked) + "\n")
            server.stdin.flush()
            code = int(server.stdout.readline())
            done = Completed(argv=words, returncode=code, stdout=out.read_bytes(), stderr=err.read_bytes())
        if check is not None and code:
            raise done.failure(check)
        return done

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.communicate()

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _SERVER, *self._modules],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=self._environ,
            )
        return self._process
