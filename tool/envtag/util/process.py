"""The only place that starts programs."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from envtag.errors import FatalError


class Completed(NamedTuple):
    """What a finished process left: its argv, exit code, and both streams as bytes."""

    argv: tuple[str, ...]
    returncode: int
    stdout: bytes
    stderr: bytes

    def text(self) -> str:
        """The process's stdout as text, without the trailing newline."""
        return self.stdout.decode("utf-8", "replace").rstrip("\n")

    def failure(self, what: str, hint: str = "") -> FatalError:
        """The error for a command that failed: argv, exit code and both streams, as pre-commit prints them."""
        import shlex

        parts = [f"command: {shlex.join(self.argv)}", f"exit code: {self.returncode}"]
        for name, data in (("stdout", self.stdout), ("stderr", self.stderr)):
            text = data.decode("utf-8", "replace").strip()
            parts.append(f"{name}:" + ("".join(f"\n    {line}" for line in text.splitlines()) if text else " (none)"))
        return FatalError(what, hint, "\n".join(parts))


def run(
    argv: Sequence[str | os.PathLike[str]],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    check: str | None = None,
    timeout: float | None = None,
) -> Completed:
    """Run a program to its end, never through a shell.

    Args:
        argv: The program and its arguments.
        cwd: Where it runs; this process's own directory otherwise.
        env: Its whole environment; this process's own otherwise.
        stdin: Bytes for its standard input; empty otherwise (it never waits for a terminal).
        check: If given, a non-zero exit raises `FatalError` with this as its line.
        timeout: Seconds after which the process is killed and `FatalError` raised.

    Raises:
        FatalError: The program is not there, took too long, or failed under `check`.
    """
    words = tuple(os.fspath(word) for word in argv)
    try:
        done = subprocess.run(
            words, cwd=cwd, env=env, input=stdin or b"", capture_output=True, check=False, timeout=timeout
        )
    except FileNotFoundError as error:
        if cwd is not None and not cwd.is_dir():
            raise FatalError(f"`{cwd}` is not a directory") from error
        raise FatalError(f"`{words[0]}` is not installed", "install it, or put it on PATH") from error
    except subprocess.TimeoutExpired as error:
        import shlex

        raise FatalError(f"`{words[0]}` did not finish within {timeout:.0f} s", detail=shlex.join(words)) from error
    completed = Completed(argv=words, returncode=done.returncode, stdout=done.stdout, stderr=done.stderr)
    if check is not None and completed.returncode != 0:
        raise completed.failure(check)
    return completed


def start(
    argv: Sequence[str | os.PathLike[str]],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stderr: IO[bytes],
) -> subprocess.Popen[bytes]:
    """Start a program that is talked to while it runs, through pipes on its stdin and stdout.

    Args:
        argv: The program and its arguments.
        cwd: Where it runs; this process's own directory otherwise.
        env: Its whole environment; this process's own otherwise.
        stderr: An open file that takes its stderr.

    Raises:
        FatalError: The program is not there.
    """
    words = tuple(os.fspath(word) for word in argv)
    try:
        return subprocess.Popen(words, cwd=cwd, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr)
    except FileNotFoundError as error:
        raise FatalError(f"`{words[0]}` is not installed", "install it, or put it on PATH") from error


def replace_process(argv: Sequence[str], env: Mapping[str, str]) -> int:
    """Become another program (POSIX), or run it and return its exit code (Windows, which has no exec).

    Raises:
        FatalError: The program is not there or cannot be executed.
    """
    try:
        if os.name == "nt":
            return subprocess.run(list(argv), env=dict(env), check=False).returncode
        for ignored in (signal.SIGPIPE, signal.SIGXFSZ):  # by Python; the program would inherit that
            signal.signal(ignored, signal.SIG_DFL)
        os.execvpe(argv[0], list(argv), dict(env))  # noqa: S606 - the point of the function
    except FileNotFoundError as error:
        raise FatalError(f"`{argv[0]}` is not in this environment nor on PATH") from error
    except PermissionError as error:
        raise FatalError(f"`{argv[0]}` cannot be executed") from error
    raise AssertionError("unreachable")
