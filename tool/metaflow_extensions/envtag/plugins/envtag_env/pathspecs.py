"""What an earlier task ran in, by the pathspec of its step; anybody's, as far as the metadata reaches.

The one look-up of a pathspec: launches, tasks, and envtag's own commands use it.
"""

from __future__ import annotations

import itertools
from typing import Any

#: How far back `Flow` alone looks for a run that reached its end.
RUNS = 100
_MOST_PARTS = 4


class PathspecError(ValueError):
    """A pathspec is malformed, leads nowhere, or to a step without an environment; `hint` says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def recorded_at(pathspec: str, metadata: str | None = None) -> dict[str, str]:
    """The metadata of the task that a pathspec means.

    Args:
        pathspec: See `task_at`.
        metadata: `TYPE@WHERE` of the metadata provider to ask; the configured one if it is None.

    Raises:
        PathspecError: It is malformed, or leads to no task that ran in an environment of envtag's.
    """
    return recorded_of(task_at(pathspec, metadata))


def recorded_of(task: Any) -> dict[str, str]:
    """The metadata of a task that recorded an environment.

    Raises:
        PathspecError: It recorded none.
    """
    fields: dict[str, str] = task.metadata_dict
    if not fields.get("envtag_id"):
        raise PathspecError(
            f"`{task.pathspec}` recorded no environment",
            "it ran without `--environment=conda`, or its environment was disabled; name another step: `Flow/Run/Step`",
        )
    return fields


def task_at(pathspec: str, metadata: str | None = None) -> Any:
    """The task that a pathspec means, as Metaflow's client has it.

    Args:
        pathspec: `Flow/Run/Step`, or with `/Task` after it; `Flow/Run` for the run's end step, whatever it is called;
            `Flow` for that of the newest run that has reached it. Of a foreach it is the task that Metaflow gives
            first, of retries the last attempt, of a task that `resume` took over the task that it is of.
        metadata: `TYPE@WHERE` of the metadata provider to ask; the configured one if it is None.

    Raises:
        PathspecError: It is malformed, or there is no such task.
    """
    from metaflow.exception import MetaflowException

    parts = pathspec.strip("/").split("/")
    if not all(parts) or len(parts) > _MOST_PARTS:
        raise PathspecError(f"`{pathspec}` is not a pathspec", "write `Flow`, `Flow/Run` or `Flow/Run/Step`")
    try:
        return _task(parts, metadata)
    except MetaflowException as error:
        raise PathspecError(
            f"`{pathspec}` cannot be found: {' '.join(str(error).split())}",
            "runs are looked for where Metaflow keeps them: `.metaflow` upward from here, or its metadata service",
        ) from error


def _task(parts: list[str], metadata: str | None) -> Any:
    from metaflow.client.core import Flow, Run, Step, Task

    where = {"_namespace_check": False, "_current_metadata": metadata}
    path = "/".join(parts)
    if len(parts) == _MOST_PARTS:
        return Task(path, **where)
    if len(parts) == _MOST_PARTS - 1:
        task = Step(path, **where).task
        if task is None:
            raise PathspecError(f"`{path}` has no task yet", "wait until it has begun, or name another run")
        return task
    if len(parts) == len(("Flow", "Run")):
        task = Run(path, **where).end_task
        if task is None:
            raise PathspecError(f"`{path}` has not reached its end step", f"name a step: `{path}/start`, for example")
        return task
    ends = (run.end_task for run in itertools.islice(iter(Flow(path, **where)), RUNS))
    found = next((task for task in ends if task is not None), None)
    if found is None:
        raise PathspecError(f"no run of `{path}` has reached its end step", f"name a run and a step: `{path}/RUN/STEP`")
    return found
