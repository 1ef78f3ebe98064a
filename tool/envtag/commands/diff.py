"""`envtag diff`: what differs between two states of environments, for people and for programs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from envtag.comparison import compared
from envtag.comparison.facts import find

if TYPE_CHECKING:
    from envtag.comparison import Operands
    from envtag.config import Config
    from envtag.diff import Diff
    from envtag.output import Output

FORMATS = ("table", "markdown", "html", "json")


def diff(
    first: str,
    second: str,
    *,
    shape: str,
    recent_days: int,
    exit_code: bool,
    operands: Operands,
    config: Config,
    output: Output,
    today: int | None = None,
) -> int:
    """Print what differs between two states.

    Args:
        first: What names the older one; empty for the merge base with the default branch.
        second: What names the newer one; empty for the work tree.
        shape: One of `FORMATS`.
        recent_days: Packages younger than this are pointed out.
        exit_code: Let the exit code tell whether something differs.
        operands: Finds what the names name.
        config: The client's settings.
        output: Where it is told.
        today: Milliseconds since 1970; the clock's if None.

    Returns:
        0; with `exit_code` 1 where something differs.

    Raises:
        FatalError: A name names nothing, or what it names is malformed.
    """
    older, newer, below = operands.pair(first, second)
    found = compared(
        older,
        newer,
        below=below,
        today=int(time.time() * 1000) if today is None else today,
        recent_days=recent_days,
        find_facts=lambda packages: find(packages, mirrors=config.mirrors, directories=config.directories),
    )
    output.data(_RENDERERS[shape](found))
    return 1 if exit_code and not found.is_empty else 0


def _table(found: Diff) -> str:
    from envtag.diff import table

    return table.render(found)


def _markdown(found: Diff) -> str:
    from envtag.diff import markdown

    return markdown.render(found)


def _html(found: Diff) -> str:
    from envtag.diff import html

    return html.render(found)


def _json(found: Diff) -> str:
    """JSON in which nothing is a command to a log of GitHub Actions, and everything the value it was."""
    from envtag.diff import document

    text = json.dumps(document.document(found), indent=2, sort_keys=True, ensure_ascii=True)
    return text.replace("##[", "#\\u0023[")


_RENDERERS: dict[str, Callable[[Diff], str]] = {"table": _table, "markdown": _markdown, "html": _html, "json": _json}
