"""What the Metaflow extension asks of envtag: a process of its own, with JSON in and out.

It is its own process since engines run threads that must not outlive it, and since a run that is started inside a step
has no envtag in its own Python.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

from envtag.cli.session import Session
from envtag.errors import FatalError

VERSION = 1


def main() -> NoReturn:
    """Answer one question, read from stdin, and end."""
    answer = answered(json.loads(sys.stdin.buffer.read()))
    sys.stdout.write(json.dumps(answer))
    sys.stdout.flush()
    sys.stderr.flush()
    import os

    os._exit(0)  # rattler's threads can crash an interpreter that ends by itself; see `cli.entry`


def answered(question: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to one question: `steps` by key, or `error` with `message`, `hint` and `detail`.

    Args:
        question: `version`, `registry` (empty for envtag's own settings) and `wanted`, a list of `Wanted.parse`.
    """
    try:
        return {"steps": _prepared(question)}
    except FatalError as error:
        return {"error": {"message": error.message, "hint": error.hint, "detail": error.detail}}


def _prepared(question: Mapping[str, Any]) -> dict[str, Any]:
    if question.get("version") != VERSION:
        raise FatalError("the Metaflow extension is of another version than envtag", "install one version of both")
    from envtag.flows.preparation import Preparation
    from envtag.flows.wanted import Wanted

    session = Session(where=question["registry"])
    preparation = Preparation(
        find=session.find, open_store=lambda: session.store, config=session.config, output=session.output
    )
    answers = preparation.prepare([Wanted.parse(item) for item in question["wanted"]])
    return {key: answer.document() for key, answer in answers.items()}
