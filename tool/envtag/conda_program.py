"""`envtag-conda`: as much of a conda as `conda-lock lock` asks for, solved with rattler; for machines without one."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from envtag import __version__
from envtag.errors import FatalError, UnsolvableError

#: The conda whose answers it gives: what conda-lock looks at a version for.
_LIKE = "24.11.0"


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Answer one call of conda's, as JSON on stdout; exit 0, or 1 where there is no answer.

    Args:
        argv: The arguments; the process's own otherwise.
    """
    words = sys.argv[1:] if argv is None else argv
    if list(words) == ["--version"]:
        code, text = 0, f"conda {_LIKE} (envtag {__version__}, solving with rattler)"
    else:
        code, answer = respond(words, os.environ)
        text = json.dumps(answer, sort_keys=True)
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
    os._exit(code)  # as `envtag` ends: rattler's threads can crash an interpreter that finalizes


def respond(argv: Sequence[str], variables: Mapping[str, str]) -> tuple[int, Mapping[str, Any]]:
    """The exit code and the answer of one call.

    Args:
        argv: The call's arguments.
        variables: The variables that it runs with.
    """
    from envtag.engines.conda_protocol import failure

    try:
        return 0, _answer(argv, variables)
    except UnsolvableError as error:
        return 1, failure(error, "UnsatisfiableError")
    except FatalError as error:
        return 1, failure(error, "CondaError")


def _answer(argv: Sequence[str], variables: Mapping[str, str]) -> Mapping[str, Any]:
    from envtag import credentials
    from envtag.config import load
    from envtag.engines import conda_engine
    from envtag.engines.conda_protocol import REPODATA_VARIABLE, parse_call, problem_of, solution

    call = parse_call(argv)
    if call.command == "info":
        return {"conda_version": _LIKE, "platform": variables.get("CONDA_SUBDIR", ""), "pkgs_dirs": []}
    if call.command == "create" and call.has("--file"):
        raise FatalError(
            "`create --file` is not answered here: nothing is installed without its sha256, which this list lacks",
            "`envtag import conda-lock.yml --alias NAME`, then `envtag create NAME`, installs what conda-lock locked",
        )
    if call.command != "create" or not call.has("--dry-run"):
        raise FatalError(
            f"`{' '.join([call.command, *(name for name, _ in call.options[:1])]).strip()}` is not answered here",
            "it solves, and no more: `create --dry-run --json --channel C SPEC…`; `envtag create` installs a lock",
        )
    config = load(variables)
    repodata = variables.get(REPODATA_VARIABLE, "")
    [solved] = conda_engine().solve_all(
        [replace(problem_of(call, variables), credentials=credentials.load())],
        mirrors=config.mirrors,
        repodata_cache=Path(repodata) if repodata else config.directories.repodata,
        on_done=lambda _: None,
    )
    if isinstance(solved, UnsolvableError):
        raise solved
    return solution(solved)


if __name__ == "__main__":
    main()
