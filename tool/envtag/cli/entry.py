"""The program's one way in and its one error handler."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

from envtag.cli import quick
from envtag.errors import FatalError

OK, NO, USAGE, BUG, INTERRUPTED = 0, 1, 2, 3, 130


def main(argv: Sequence[str] | None = None, program: str = "envtag") -> NoReturn:
    """See `envtag.cli.main`."""
    code = run(sys.argv[1:] if argv is None else argv, program)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # told already, if it is not because of who would have read that
            stream.flush()
    # Everything is written by now, so end without finalizing: that takes a fifth of a look-up's time, and rattler's
    # worker threads can crash an interpreter that does it (PyO3/pyo3-async-runtimes#40).
    os._exit(code)


def run(argv: Sequence[str], program: str = "envtag") -> int:
    """Run envtag in this process and return its exit code; errors are told on stderr."""
    try:
        call = quick.parse(argv)
        code = call() if call is not None else _by_click(argv, program)
        sys.stdout.flush()
    except Exception as error:  # noqa: BLE001 - the one handler
        return _handled(error)
    except KeyboardInterrupt:
        return _interrupted()
    return code if isinstance(code, int) else OK


def _by_click(argv: Sequence[str], program: str) -> object:
    """Let click understand a command line, and call what it means."""
    from envtag.cli.app import cli

    return cli.main(list(argv), prog_name=program, standalone_mode=False)


def _handled(error: Exception) -> int:
    """Tell what went wrong, and give its exit code."""
    if isinstance(error, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    elif isinstance(error, FatalError):
        _tell(error)
    elif isinstance(error, OSError):
        _write(f"error: {error.strerror or error}{f': `{error.filename}`' if error.filename else ''}\n")
    else:
        return _of_click(error)
    return NO


def _of_click(error: Exception) -> int:
    """Tell what click raised, or that it is a bug of ours."""
    import click

    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.ClickException):
        error.show()
        return USAGE
    return _interrupted() if isinstance(error, click.Abort) else _bug(error)


def _interrupted() -> int:
    _write("interrupted\n")
    return INTERRUPTED


def _tell(error: FatalError) -> None:
    detail = f"{error.detail.rstrip()}\n" if error.detail else ""
    hint = f"hint: {error.hint}\n" if error.hint else ""
    _write(f"error: {error.message}\n{detail}{hint}")


def _bug(error: Exception) -> int:
    """Write the traceback to a log of the user's own, and say where it is."""
    import tempfile
    import traceback

    handle, path = tempfile.mkstemp(prefix="envtag-", suffix=".log")
    with os.fdopen(handle, "w") as log:
        log.write("".join(traceback.format_exception(error)))
    _write(f"error: unexpected {type(error).__name__}: {error}\n")
    _write(f"hint: this is a bug of envtag's; its log is at `{path}`\n")
    return BUG


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
