"""The one comment on a pull request: what its commits change, read from git, and what its own run found.

The run of a pull request, of a fork too, is in its author's hands, and so is all that it hands over. The difference is
therefore made here, from the commits themselves. The findings are taken over from the run: they are checked to be
findings, every text of them is made harmless, and it is said who said it.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from envtag.comparison import Tree, compared
from envtag.comparison.facts import find
from envtag.diff import markdown
from envtag.diff.escape import markdown as code
from envtag.errors import FatalError
from envtag.findings import SEVERITIES, Finding, counted, in_order
from envtag.registry.environment import RevisionFiles

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.diff import Diff
    from envtag.registry import Registry

#: Bytes that are taken from the run of a pull request; more findings than that nobody reads.
LARGEST = 1_000_000
_FINDINGS = 40
#: Bytes of the comment that are the findings' at most.
_SHARE = 16_000
_RULE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+){0,9}")
_TEXTS = ("rule", "severity", "message", "hint", "path", "environment")
_FULL = "`envtag diff --html` in a checkout of the branch shows everything."
RECENT_DAYS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the run of a pull request says that it found.

    Attributes:
        findings: In no order.
        ok: Whether it says that the check was passed.
    """

    findings: tuple[Finding, ...]
    ok: bool


def read_findings(path: Path) -> Told:
    """Read what `envtag check --json` printed, as if the author of the pull request had written it by hand.

    Raises:
        FatalError: It is not that, or too much.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except OSError as error:
        raise FatalError(f"the findings cannot be read: {error.strerror}") from error
    if len(data) > LARGEST:
        raise FatalError(f"the findings are over {LARGEST:,} bytes")
    try:
        document = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise FatalError("the findings are not JSON") from error
    if not isinstance(document, dict) or document.get("version") != 1 or not isinstance(document.get("ok"), bool):
        raise FatalError("the findings are not a document of version 1")
    listed = document.get("findings")
    if not isinstance(listed, list):
        raise FatalError("the findings are not a list")
    return Told(findings=tuple(_finding(item) for item in listed), ok=document["ok"])


def difference(registry: Registry, base: str, head: str, config: Config) -> Diff:
    """What a pull request changes: its head against where it left the base.

    Args:
        registry: The registry, which has both commits; nothing of them is checked out.
        base: Head of the branch that it is to be merged into.
        head: Its own head.
        config: The client's settings.

    Raises:
        FatalError: The two have no commit in common, or a file of the head is malformed.
    """
    git = registry.git
    done = git.run("merge-base", base, head)
    if done.returncode != 0:
        raise FatalError(f"commits {base[:12]} and {head[:12]} have none in common")
    left = done.text()
    older, newer = (
        Tree(words=f"{words} at {commit[:12]}", files=RevisionFiles(git, commit), commit=commit, git=git)
        for words, commit in (("merge base", left), ("pull request", head))
    )
    return compared(
        older,
        newer,
        below="",
        today=int(time.time() * 1000),
        recent_days=RECENT_DAYS,
        find_facts=lambda packages: find(packages, mirrors=config.mirrors, directories=config.directories),
    )


def body(diff: Diff | None, told: Told | None, *, problem: str = "") -> str:
    """The comment, below GitHub's limit whatever it is of.

    Args:
        diff: What changes; None where it cannot be told.
        told: What the run found; None where it has not said, or not in a form that can be read.
        problem: Why one of them is None; a stranger's words may be in it.
    """
    below = _findings(told) if told is not None else ""
    if problem:
        below += f"\n> [!WARNING]\n> {code(problem)}\n"
    if diff is None:
        return f"{markdown.MARKER}\n## envtag diff\n\nThis change cannot be shown.\n{below}"
    return markdown.render(diff, limit=markdown.LIMIT - len(below.encode()), full=_FULL) + below


def _finding(item: Any) -> Finding:
    if not isinstance(item, dict) or set(item) != {*_TEXTS, "line"}:
        raise FatalError("a finding has other keys than findings have")
    found = cast("Mapping[str, Any]", item)
    line = found["line"]
    if not all(isinstance(found[key], str) for key in _TEXTS) or isinstance(line, bool) or not isinstance(line, int):
        raise FatalError("a finding has a value of another type than findings have")
    if found["severity"] not in SEVERITIES or not _RULE.fullmatch(found["rule"]) or not 0 <= line < 1 << 31:
        raise FatalError("a finding has a rule, severity or line that findings do not have")
    texts = {key: found[key] for key in _TEXTS}
    return Finding(**texts, line=line)


def _findings(told: Told) -> str:
    """The findings in Markdown, the worst first, as many as have room."""
    ordered = in_order(told.findings)
    verdict = "passed" if told.ok else "failed"
    head = f"\n### envtag check: {verdict}, {counted(ordered)}\n\n"
    if not ordered:
        return head
    head += "As the pull request's own run says.\n\n| | where | what |\n| --- | --- | --- |\n"
    rows: list[str] = []
    room = _SHARE - len(head.encode())
    for item in ordered[:_FINDINGS]:
        row = _row(item)
        room -= len(row.encode())
        if room < 0:
            break
        rows.append(row)
    return head + "".join(rows) + _more(ordered, len(rows))


def _row(item: Finding) -> str:
    where = f"{item.path}:{item.line}" if item.path and item.line else item.path or item.environment
    hint = f"<br>{code(item.hint)}" if item.hint else ""
    return f"| {item.severity} | {code(where) if where else ''} | {code(item.message)}{hint} {code(item.rule)} |\n"


def _more(ordered: Sequence[Finding], shown: int) -> str:
    left = len(ordered) - shown
    return f"\n*{left} more: the log of the run has all of them.*\n" if left else ""
