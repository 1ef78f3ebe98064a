"""What is done at launch: requirements of steps to environments, by envtag in a process of its own."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from typing import Any, Mapping, NamedTuple, Sequence

from metaflow_extensions.envtag.plugins.envtag_env.identity import HOST, Identity, Prepared
from metaflow_extensions.envtag.plugins.envtag_env.pathspecs import PathspecError, recorded_at
from metaflow_extensions.envtag.plugins.envtag_env.requirements import RequirementError, StepRequirement, substitute

_PROTOCOL = 1
#: Started with `-E`, so that nothing of the launcher's or a step's PYTHONPATH is seen; the working directory goes too.
_PROGRAM = (
    "import sys; sys.path[:] = [entry for entry in sys.path if entry]; from envtag.metaflow_host import {0}; {0}()"
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


class Launch(NamedTuple):
    """What holds for all steps of a launch.

    Attributes:
        flow: The flow's name.
        datastore_type: The run's datastore, whose libraries each step needs.
        metadata: `TYPE@WHERE` of the run's metadata provider; None for the configured one.
        echo: Metaflow's way to tell a person something.
    """

    flow: str
    datastore_type: str
    metadata: str | None
    echo: Any

    def prepare(self, steps: Sequence[Step]) -> tuple[dict[str, Prepared | None], dict[str, str]]:
        """Look up or solve what steps run in, all distinct requirements at once; make what runs on this machine.

        Args:
            steps: The steps of the flow.

        Returns:
            Step to what it runs in, None for the launcher's Python; and what pods run, where steps run in some.

        Raises:
            LaunchError: One cannot be had.
        """
        wanted: dict[str, dict[str, Any]] = {}
        keys: dict[str, str] = {}
        for step in steps:
            if step.requirement.disabled or step.requirement.fetch_at_exec:
                continue
            item = self._wanted(step)
            key = keys[step.name] = json.dumps(item, sort_keys=True)
            wanted.setdefault(key, {**item, "key": key, "steps": []})["steps"].append(step.name)
        late = sorted({name for step in steps for name in (_late_name(step),) if name})
        pods = sorted({step.platform for step in steps if step.platform and not step.requirement.disabled})
        asked = wanted or late or pods
        answer = self._ask(list(wanted.values()), late, pods) if asked else {"steps": {}, "missing": {}, "pod": {}}
        for name, message in sorted(answer["missing"].items()):
            self.echo(f"    `{name}` is not there yet, and tasks will fail unless it comes: {message}", fg="yellow")
        prepared = {
            step.name: None
            if step.requirement.disabled
            else _prepared(step, answer["steps"][keys[step.name]])
            if step.name in keys
            else late_prepared(step)
            for step in steps
        }
        return prepared, answer["pod"]

    def _wanted(self, step: Step) -> dict[str, Any]:
        """What envtag is asked for a step."""
        requirement = step.requirement
        reference = resolved_reference(step, os.environ, self.metadata)
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
            "needs": needs(self.datastore_type),
            "make": not step.platform,
            "share": bool(step.platform),
        }

    def _ask(self, wanted: list[dict[str, Any]], late: list[str], pods: list[str]) -> dict[str, Any]:
        """Ask envtag; what it says meanwhile goes to this process's stderr."""
        from metaflow.metaflow_config import CONDA_USE_REMOTE_LATEST
        from metaflow.util import get_username

        python = host()
        if not python:
            raise LaunchError(
                "envtag is not installed in the Python that runs this flow: `pip install envtag[metaflow]` into it"
            )
        question = {
            "version": _PROTOCOL,
            **places(),
            "flow": self.flow,
            "user": get_username() or "",
            "trust": CONDA_USE_REMOTE_LATEST or "",
            "wanted": wanted,
            "late": late,
            "pods": pods,
        }
        done = subprocess.run(
            program(python, "main"), input=json.dumps(question).encode(), stdout=subprocess.PIPE, check=False
        )
        if done.returncode != 0:
            raise LaunchError(f"envtag ended with {done.returncode}: what it said is above")
        answer: dict[str, Any] = json.loads(done.stdout)
        if "error" in answer:
            error = answer["error"]
            parts = [error["message"], error["detail"].rstrip(), f"hint: {error['hint']}" if error["hint"] else ""]
            raise LaunchError("\n".join(part for part in parts if part))
        return answer


def program(python: str, function: str) -> list[str]:
    """The command that calls a function of `envtag.metaflow_host`."""
    return [python, "-E", "-c", _PROGRAM.format(function)]


def places() -> dict[str, str]:
    """Where Metaflow's settings say that the registry and the store are; empty for envtag's own settings."""
    from metaflow.metaflow_config import CONDA_NAMED_ENV_REGISTRY, CONDA_NAMED_ENV_STORE

    return {"registry": CONDA_NAMED_ENV_REGISTRY or "", "store": CONDA_NAMED_ENV_STORE or ""}


def needs(datastore_type: str) -> dict[str, str]:
    """What Metaflow needs in every environment: PyPI package to a constraint on its version."""
    from metaflow.metaflow_config import get_pinned_conda_libs

    found: dict[str, str] = get_pinned_conda_libs("{}.{}".format(*sys.version_info[:2]), datastore_type)
    return found


def resolved_reference(step: Step, variables: Mapping[str, str], metadata: str | None) -> str:
    """The alias or full id that a step names, by itself or by a pathspec; empty if it names none.

    Raises:
        LaunchError: A variable is missing, or the pathspec leads nowhere.
    """
    requirement, where = step.requirement, f"step `{step.name}`"
    try:
        if requirement.name:
            return substitute(requirement.name, variables, where)
        if requirement.pathspec:
            return recorded_at(substitute(requirement.pathspec, variables, where), metadata)["envtag_id"]
    except PathspecError as error:
        raise LaunchError(f"{where}: {error}" + (f"\nhint: {error.hint}" if error.hint else "")) from error
    except RequirementError as error:
        raise LaunchError(str(error)) from error
    return ""


def late_prepared(step: Step) -> Prepared:
    """What is known of a step whose environment is looked up when its task starts."""
    requirement = step.requirement
    named = requirement.name or requirement.pathspec
    identity = Identity(alias=named, request=json.dumps(requirement.document(), sort_keys=True))
    return Prepared(identity=identity, late=named, remote=bool(step.platform), of_step=bool(requirement.pathspec))


def _late_name(step: Step) -> str:
    """What a step will look up, as far as that can be told at launch."""
    requirement = step.requirement
    if requirement.disabled or not requirement.fetch_at_exec or not requirement.name:
        return ""
    try:
        return substitute(requirement.name, os.environ, step.name)
    except RequirementError:
        return ""


def _prepared(step: Step, answer: Mapping[str, Any]) -> Prepared:
    requirement = step.requirement
    named = requirement.name or requirement.pathspec
    identity = Identity(
        id=answer["id"],
        platform=answer["platform"],
        alias=substitute(named, os.environ, step.name),
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
