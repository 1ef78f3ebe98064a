"""What the steps of a flow run in, asked without a run: nothing is made on this machine, nothing is shared."""

from __future__ import annotations

import json
import subprocess
from typing import Any, Sequence

from metaflow_extensions.envtag.plugins.envtag_env import launch


class Inquiry(launch.Launch):
    """A launch that looks up and resolves only."""

    def _wanted(self, step: launch.Step) -> dict[str, Any]:
        return {**super()._wanted(step), "make": False, "share": False}

    def _ask(self, wanted: list[dict[str, Any]], late: list[str], pods: list[str]) -> dict[str, Any]:
        del pods
        return super()._ask(wanted, late, [])


def identities(flow: Any, environment: Any, steps: Sequence[str], platform: str, echo: Any) -> dict[str, Any]:
    """Step to what it runs in: its identity's fields, or None for the Python that runs the flow.

    Args:
        flow: The flow.
        environment: Its environment.
        steps: Names of steps.
        platform: Where they are to run; empty for where each does.
        echo: Metaflow's way to tell a person something.

    Raises:
        LaunchError: An environment cannot be had.
    """
    from metaflow_extensions.envtag.plugins.envtag_env.environment import remote_platform

    asked = [
        launch.Step(
            name=name,
            requirement=environment.requirement(name),
            platform=platform or remote_platform(getattr(flow, name)),
        )
        for name in steps
    ]
    inquiry = Inquiry(
        flow=flow.name, datastore_type=environment.datastore_type, metadata=environment.metadata, echo=echo
    )
    prepared, _ = inquiry.prepare(asked)
    found: dict[str, Any] = {}
    for name in steps:
        item = prepared[name]
        found[name] = None if item is None else item.identity._asdict()
    return found


def name(steps: dict[str, str], aliases: Sequence[str], *, dry_run: bool) -> dict[str, list[str]]:
    """Give what steps run in names; all of them or none.

    Args:
        steps: Step to the full id of what it runs in.
        aliases: `NAME[:TAG]` each.
        dry_run: Only say which names.

    Returns:
        Full id to its names.

    Raises:
        LaunchError: A name is malformed or taken.
    """
    python = launch.host()
    if not python:
        raise launch.LaunchError("envtag is not installed in the Python that runs this flow")
    question = {**launch.places(), "steps": steps, "aliases": list(aliases), "dry_run": dry_run}
    done = subprocess.run(
        launch.program(python, "name"), input=json.dumps(question).encode(), stdout=subprocess.PIPE, check=False
    )
    if done.returncode != 0:
        raise launch.LaunchError(f"envtag ended with {done.returncode}: what it said is above")
    answer: dict[str, Any] = json.loads(done.stdout)
    if "error" in answer:
        error = answer["error"]
        raise launch.LaunchError("\n".join(filter(None, (error["message"], error["detail"].rstrip(), error["hint"]))))
    told: dict[str, list[str]] = answer["names"]
    return told
