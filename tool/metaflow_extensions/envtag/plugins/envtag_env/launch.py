"""What is done at launch: requirements of steps to environments, by envtag in a process of its own."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from typing import Any, Mapping, NamedTuple, Sequence

from metaflow_extensions.envtag.plugins.envtag_env.identity import HOST, Identity, Prepared
from metaflow_extensions.envtag.plugins.envtag_env.requirements import RequirementError, StepRequirement, substitute

_PROTOCOL = 1
#: Started with `-E`, so that nothing of the launcher's or a step's PYTHONPATH is seen; the working directory goes too.
_PROGRAM = (
    "import sys; sys.path[:] = [entry for entry in sys.path if entry]; from envtag.metaflow_host import main; main()"
)


class LaunchError(Exception):
    """A step's environment cannot be had."""


class Step(NamedTuple):
    """One step of a flow.

    Attributes:
        name: Its name.
        requirement: What its decorators ask for.
        platform: The platform of the machine that it runs on if that is another one; empty for this machine.
    """

    name: str
    requirement: StepRequirement
    platform: str


def host() -> str:
    """The Python that has envtag: this one, or the launcher's where this process runs inside a step; empty if none."""
    return sys.executable if importlib.util.find_spec("envtag") is not None else os.environ.get(HOST, "")


def code_cache() -> str:
    """Where Metaflow's code lies for steps in another Python than the launcher's."""
    root = os.environ.get("ENVTAG_HOME") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache"), "envtag"
    )
    return os.path.join(root, "metaflow-code")


def prepare(steps: Sequence[Step], datastore_type: str, echo: Any) -> dict[str, Prepared | None]:
    """Look up or solve what steps run in, all distinct requirements at once; make what runs on this machine.

    Args:
        steps: The steps of a flow.
        datastore_type: The run's datastore, whose libraries each step needs.
        echo: Metaflow's way to tell a person something.

    Returns:
        Step to what it runs in; None for the launcher's Python.

    Raises:
        LaunchError: One cannot be had.
    """
    del echo
    found: dict[str, Prepared | None] = {}
    wanted: dict[str, dict[str, Any]] = {}
    keys: dict[str, str] = {}
    for step in steps:
        if step.requirement.disabled:
            found[step.name] = None
            continue
        item = _wanted(step, datastore_type)
        keys[step.name] = json.dumps(item, sort_keys=True)
        wanted.setdefault(keys[step.name], {**item, "key": keys[step.name], "steps": []})["steps"].append(step.name)
    answers = _ask(list(wanted.values())) if wanted else {}
    for step in steps:
        if step.name in keys:
            found[step.name] = _prepared(step, answers[keys[step.name]])
    return found


def _wanted(step: Step, datastore_type: str) -> dict[str, Any]:
    """What envtag is asked for a step."""
    from metaflow.metaflow_config import get_pinned_conda_libs

    requirement = step.requirement
    try:
        reference = substitute(requirement.name, os.environ, f"step `{step.name}`")
    except RequirementError as error:
        raise LaunchError(str(error)) from error
    python = requirement.python
    if not python and not reference:
        python = "{}.{}".format(*sys.version_info[:2])
    return {
        "reference": reference,
        "platform": step.platform,
        "conda": dict(requirement.conda),
        "channels": list(requirement.channels),
        "pypi": dict(requirement.pypi),
        "extra_indices": list(requirement.extra_indices),
        "python": python,
        "sys_packages": dict(requirement.sys_packages),
        "needs": get_pinned_conda_libs(None, datastore_type),
        "make": not step.platform,
        "share": bool(step.platform),
    }


def _prepared(step: Step, answer: Mapping[str, Any]) -> Prepared:
    requirement = step.requirement
    identity = Identity(
        id=answer["id"],
        platform=answer["platform"],
        alias=requirement.name or requirement.pathspec,
        commit=answer["commit"],
        request=json.dumps(requirement.document(), sort_keys=True),
        manifest=answer["manifest"],
        store=answer["store"],
    )
    return Prepared(
        identity=identity,
        prefix=answer["prefix"],
        argv=tuple(answer["argv"]),
        variables=answer["variables"],
        remote=bool(step.platform),
    )


def _ask(wanted: list[dict[str, Any]]) -> dict[str, Any]:
    """Ask envtag; what it says meanwhile goes to this process's stderr."""
    from metaflow.metaflow_config import CONDA_NAMED_ENV_REGISTRY

    python = host()
    if not python:
        raise LaunchError(
            "envtag is not installed in the Python that runs this flow: `pip install envtag[metaflow]` into it"
        )
    question = {"version": _PROTOCOL, "registry": CONDA_NAMED_ENV_REGISTRY, "wanted": wanted}
    done = subprocess.run(
        [python, "-E", "-c", _PROGRAM], input=json.dumps(question).encode(), stdout=subprocess.PIPE, check=False
    )
    if done.returncode != 0:
        raise LaunchError(f"envtag ended with {done.returncode}: what it said is above")
    answer = json.loads(done.stdout)
    if "error" in answer:
        error = answer["error"]
        parts = [error["message"], error["detail"].rstrip(), f"hint: {error['hint']}" if error["hint"] else ""]
        raise LaunchError("\n".join(part for part in parts if part))
    found: dict[str, Any] = answer["steps"]
    return found
