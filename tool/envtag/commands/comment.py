"""`envtag comment`: the one comment on a pull request, written by a workflow that no pull request can change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from envtag.diff.markdown import MARKER
from envtag.errors import FatalError
from envtag.github.workflow import WorkflowRun
from envtag.review_comment import body, difference, read_findings

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.output import Output
    from envtag.registry import Registry

_AUTHOR = "github-actions[bot]"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_BASE = "refs/envtag/pull/base"
_HEAD = "refs/envtag/pull/head"


class Pull(NamedTuple):
    """A pull request: its number, and the branch that it is to be merged into."""

    number: int
    base: str


def comment(
    *,
    findings: Path | None,
    registry: Registry,
    config: Config,
    environ: Mapping[str, str],
    output: Output,
) -> int:
    """Write, or write anew, the comment on the pull request whose workflow has just run.

    Args:
        findings: What the run of the pull request handed over; a file that may not be there.
        registry: A clone of the repository, without anything of the pull request checked out.
        config: The client's settings.
        environ: The step's variables; the token in `GITHUB_TOKEN` may write comments.
        output: Where it is told.

    Raises:
        FatalError: This is no step after such a run, or GitHub refuses.
    """
    run = WorkflowRun(environ)
    started = run.event().get("workflow_run")
    if not isinstance(started, dict) or not _COMMIT.fullmatch(str(started.get("head_sha"))):
        raise FatalError("the event of this run is not about another run", "this is for `on: workflow_run`")
    head = str(started["head_sha"])
    pull = _pull(run, started, head)
    if pull is None:
        output.say(f"commit {head[:12]} is the head of no open pull request: nothing to say")
        return 0
    _fetch(registry, pull, head)
    told, diff, problems = None, None, []
    try:
        told = read_findings(findings) if findings is not None else None
    except FatalError as error:
        problems.append(f"the run of the pull request did not hand over what it found: {error.message}")
    try:
        diff = difference(registry, _BASE, head, config)
    except FatalError as error:  # a malformed file is the author's to correct; the comment says which
        problems.append(error.message)
    written = _write(run, pull, body(diff, told, problem="; ".join(problems)))
    output.say(f"{written} the comment on pull request {pull.number}")
    return 0


def _pull(run: WorkflowRun, started: Mapping[str, Any], head: str) -> Pull | None:
    """The open pull request of a run, by repository, branch and commit of its head: its own word does not count."""
    repository = started.get("head_repository") or {}
    full = str(repository.get("full_name", ""))
    branch = f"{full.partition('/')[0]}:{started.get('head_branch')}"
    path = f"/repos/{run.repository}/pulls"
    for item in run.api.pages("find the pull request", path, state="open", head=branch):
        there = item["head"]
        if there["sha"] == head and (there.get("repo") or {}).get("full_name") == full:
            return Pull(int(item["number"]), str(item["base"]["ref"]))
    return None


def _fetch(registry: Registry, pull: Pull, head: str) -> None:
    """Fetch the commits of a pull request, and nothing that could run."""
    refs = (f"+refs/heads/{pull.base}:{_BASE}", f"+refs/pull/{pull.number}/head:{_HEAD}")
    there = registry.fetch(*refs)
    if not there or registry.git.commit_of(head) is None:
        raise FatalError(f"pull request {pull.number} has moved on from {head[:12]}", "its next run writes the comment")


def _write(run: WorkflowRun, pull: Pull, text: str) -> str:
    """Put the text where the earlier one is, or below everything; what was done, in a word."""
    what = f"comment on pull request {pull.number}"
    path = f"/repos/{run.repository}/issues"
    for item in run.api.pages(what, f"{path}/{pull.number}/comments"):
        author = (item.get("user") or {}).get("login")
        if author == _AUTHOR and str(item.get("body") or "").startswith(MARKER):
            if item["body"].rstrip() == text.rstrip():
                return "kept"
            run.api.send(what, "PATCH", f"{path}/comments/{int(item['id'])}", {"body": text})
            return "renewed"
    run.api.send(what, "POST", f"{path}/{pull.number}/comments", {"body": text})
    return "wrote"
