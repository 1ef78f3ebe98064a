"""`envtag plan`: what a merge has to resolve, build, publish and tag, and on which machines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from envtag.diff.escape import markdown as code
from envtag.github.workflow import WorkflowRun
from envtag.planning import plan as make

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.output import Output
    from envtag.planning import Plan
    from envtag.registry import Registry

_SHOWN = 100
_NO_STORE = (
    "Nothing: no store is named that others read. Name one as `store` in `[tool.envtag]`, or in the repository's "
    "variable `ENVTAG_STORE`."
)


def plan(
    *,
    base: str,
    head: str,
    since_success: bool,
    github: bool,
    as_json: bool,
    registry: Registry,
    config: Config,
    environ: Mapping[str, str],
    output: Output,
) -> int:
    """Tell what a merge has to do; nothing is changed.

    Args:
        base: The revision before it; empty for none: everything is new then.
        head: The revision after it.
        since_success: The base is the commit of the last successful run of the workflow that this is a step of.
        github: Give `plan`, `base`, `has_jobs` and `has_environments` to later jobs, and tell it on the run's page.
        as_json: Print the plan as JSON.
        registry: The registry.
        config: The client's settings.
        environ: The process's variables.
        output: Where it is told.

    Raises:
        FatalError: There is no such revision, an environment is malformed, or GitHub does not answer.
    """
    run = WorkflowRun(environ)
    if since_success:
        base = run.last_success()
        if base and registry.git.commit_of(base) is None:
            output.warn(f"the commit {base[:12]} of the last successful run is not here: everything is planned")
            base = ""
    found = make(registry, config, base=base, head=head)
    shared = bool(config.store or registry.settings.store)
    if github:
        wanted = shared and bool(found.environments)
        run.output("plan", json.dumps(found.matrix(), separators=(",", ":"), ensure_ascii=True))
        run.output("base", found.base)
        run.output("has_jobs", str(wanted and bool(found.jobs)).lower())
        run.output("has_environments", str(wanted).lower())
        run.summary(_page(found, shared=shared))
    if as_json:
        output.data(json.dumps(found.document(), indent=2, sort_keys=True, ensure_ascii=True))
    else:
        output.data("\n".join(_lines(found)))
    if not shared:
        output.warn("no store is named that others read: `[tool.envtag] store`, or the variable ENVTAG_STORE")
    return 0


def _lines(found: Plan) -> Iterator[str]:
    for name, why in sorted(found.resolve.items()):
        yield f"resolve {name}: {why}"
    for job in found.jobs:
        yield f"store on {job.runner}: {', '.join(job.environments)} for {', '.join(job.platforms)}"
    for alias in found.releases:
        yield f"tag {alias}"
    for name in found.removed:
        yield f"removed {name}: what is released of it stays"
    if not found.environments and not found.removed:
        yield "no environment changed: nothing to do"


def _page(found: Plan, *, shared: bool) -> str:
    """The plan in Markdown, for the page of a run."""
    lines = ["## What is published", ""]
    if not shared:
        lines += [_NO_STORE, ""]
    if not found.environments:
        return "\n".join([*lines, "No environment changed.", ""])
    rows = [
        f"| {code(job.environments[0])}{f' and {len(job.environments) - 1} more' if len(job.environments) > 1 else ''}"
        f" | {', '.join(job.platforms)} | {code(job.runner)} |"
        for job in found.jobs
    ]
    lines += ["| environment | platforms | machine |", "| --- | --- | --- |", *_first(rows), ""]
    if found.releases:
        lines += ["Tags, once all of that is stored:", "", *_first([f"- {code(item)}" for item in found.releases]), ""]
    if found.resolve:
        lines += ["**To be locked again** (`envtag lock NAME`):", ""]
        lines += [*_first([f"- {code(name)}: {code(why)}" for name, why in sorted(found.resolve.items())]), ""]
    if found.removed:
        lines += ["Removed:", "", *_first([f"- {code(name)}" for name in found.removed]), ""]
    return "\n".join(lines)


def _first(rows: list[str]) -> list[str]:
    """The first rows, and how many more there are."""
    more = len(rows) - _SHOWN
    return [*rows[:_SHOWN], *(["", f"and {more} more"] if more > 0 else [])]
