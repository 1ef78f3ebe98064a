"""What an earlier task ran in, by the pathspec of its step; anybody's, as far as the metadata reaches."""

from __future__ import annotations

from typing import Any


class PathspecError(ValueError):
    """A pathspec is malformed, leads nowhere, or to a step without an environment."""


def recorded_at(pathspec: str, metadata: str | None = None) -> dict[str, str]:
    """The metadata of the task that a pathspec means.

    Args:
        pathspec: `Flow/Run/Step`; `Flow/Run` for the run's end step; `Flow` for that of its latest run that has one. Of
            a foreach it is the task that was started last, of retries the last attempt, of a task that `resume` took
            over the task that it is of.
        metadata: `TYPE@WHERE` of the metadata provider to ask; the configured one if it is None.

    Raises:
        PathspecError: It is malformed, or leads to no task that ran in an environment of envtag's.
    """
    from metaflow.exception import MetaflowNotFound

    parts = pathspec.strip("/").split("/")
    if not all(parts) or len(parts) > _MOST_PARTS:
        raise PathspecError(f"`{pathspec}` is not a pathspec: write `Flow`, `Flow/Run` or `Flow/Run/Step`")
    try:
        found = _task(parts, metadata)
    except MetaflowNotFound as error:
        raise PathspecError(f"`{pathspec}` is in no metadata that is in reach: {error}") from error
    fields: dict[str, str] = found.metadata_dict
    if not fields.get("envtag_id"):
        raise PathspecError(
            f"`{pathspec}` is the task {found.pathspec}, which ran in no environment of envtag's: name a step that did"
        )
    return fields


_MOST_PARTS = 4


def _task(parts: list[str], metadata: str | None) -> Any:
    from metaflow.client.core import Flow, Run, Step, Task

    where = {"_namespace_check": False, "_current_metadata": metadata}
    path = "/".join(parts)
    if len(parts) == _MOST_PARTS:
        return Task(path, **where)
    if len(parts) == _MOST_PARTS - 1:
        task = Step(path, **where).task
        if task is None:
            raise PathspecError(f"`{path}` has no task yet")
        return task
    if len(parts) == len(("Flow", "Run")):
        task = Run(path, **where).end_task
        if task is None:
            raise PathspecError(f"run `{path}` has no end step, since it failed or still runs: name a step of it")
        return task
    for run in Flow(path, **where):
        if run.end_task is not None:
            return run.end_task
    raise PathspecError(f"no run of `{path}` has come to its end step: name a run and a step of it")
