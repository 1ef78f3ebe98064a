"""What a step on another machine takes: its Python's path, the commands that make it, and what they need."""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import zlib
from typing import TYPE_CHECKING, Mapping

from metaflow.metaflow_environment import InvalidEnvironmentException

from metaflow_extensions.envtag.plugins.envtag_env.identity import VARIABLE

if TYPE_CHECKING:
    from metaflow_extensions.envtag.plugins.envtag_env.identity import Prepared

#: Tells a trampoline what launch knows of pods: the commands that envtag made, as JSON.
POD = "_METAFLOW_ENVTAG_POD"
#: The Python of the step's environment, relative to the directory that the code package is unpacked in.
PYTHON = "../.envtag/python"
#: In a command of envtag's, stands for Metaflow's own one.
_DEFAULT = "@DEFAULT@"
#: Looks up what an earlier step ran in.
_LATE = "metaflow_extensions.envtag.plugins.envtag_env.late"
_ID = re.compile(r"[0-9a-f]{40}:[0-9a-f]{40}")
_MANIFEST = re.compile(r"[0-9a-f]{64}")
_PLATFORM = re.compile(r"[a-z0-9]+-[a-z0-9_]+")
#: Ends the quoting that commands are put in, or is substituted by a scheduler.
_HOSTILE = re.compile(r"[\"'`\\$\x00-\x1f\x7f]|\{\{|\}\}|\{%|%\}|\{#|#\}")
#: Of the identity, what the pod itself puts in.
_TOLD_BY_THE_POD = frozenset({"id", "manifest", "platform", "store"})
_LACKING = "envtag: error: this task has no envtag, and the start of the log of its container says why"


def executable(prepared: Prepared) -> str:
    """The command that is the step's Python."""
    del prepared
    return PYTHON


def bootstrap_commands(
    prepared: Prepared, datastore_type: str, pod: Mapping[str, str], *, short: bool = False
) -> list[str]:
    """The shell commands that make a step's environment; no double quotes and no backticks are allowed in them.

    Args:
        prepared: What launch made of the step's requirement.
        datastore_type: The datastore of the run.
        pod: What launch knows of pods; see `envtag.pods.deployment`.
        short: Whether commands may not be long, as on AWS Batch.

    Raises:
        InvalidEnvironmentException: It is not known what the step runs in, or a value cannot be passed on.
    """
    from metaflow.metaflow_config import CONDA_NAMED_ENV_NODE_CACHE

    identity = prepared.identity
    named = prepared.late or identity.alias
    if not pod:
        raise InvalidEnvironmentException(
            f"`{identity.id or named}` cannot be brought to another machine: {POD} is empty"
        )
    options = _wanted(prepared, datastore_type)
    before: list[str] = []
    hydrating = f"DISABLE_TRACING=True {pod['hydration']}"
    if prepared.of_step:  # by the image's Python, since the environment's is not there yet
        before.append(f"ENVTAG_STEP=$(DISABLE_TRACING=True python -m {_LATE} {_word(named)})")
        hydrating += " --name $ENVTAG_STEP"
    elif named:
        options += ["--name", named]
    if CONDA_NAMED_ENV_NODE_CACHE:
        options += ["--cache", CONDA_NAMED_ENV_NODE_CACHE]
    fields = {field: value for field, value in identity._asdict().items() if value and field not in _TOLD_BY_THE_POD}
    told = json.dumps(fields, sort_keys=True)
    words = [_word(option) for option in options]
    if short:
        packed = json.dumps([*options, "--identity", f"{VARIABLE}={told}"], separators=(",", ":")).encode()
        return [*before, f"{hydrating} --packed {base64.b64encode(zlib.compress(packed, 9)).decode()}"]
    identified = f"--identity {VARIABLE}={base64.b64encode(told.encode()).decode()}"
    return [
        f"if [ ! -d $ENVTAG_POD/lib/envtag ]; then echo '{_LACKING}' >&2; exit 1; fi",
        # The log goes up with the task's own: each `flush_mflogs` takes a second, to import all of Metaflow.
        "mflog 'Bootstrapping virtual environment...'",
        *before,
        " ".join([hydrating, *words, identified]),
        "mflog 'Environment bootstrapped.'",
    ]


def _wanted(prepared: Prepared, datastore_type: str) -> list[str]:
    """The options that say what was pinned, or what there must be in what is looked up.

    Raises:
        InvalidEnvironmentException: What was pinned is not known.
    """
    identity = prepared.identity
    if not prepared.late:
        known = (
            _ID.fullmatch(identity.id),
            _MANIFEST.fullmatch(identity.manifest),
            _PLATFORM.fullmatch(identity.platform),
        )
        if not all(known):
            raise InvalidEnvironmentException(
                f"`{identity.id or identity.alias}` cannot be brought to another machine: its id, manifest or platform "
                "is not known"
            )
        return ["--environment", f"{identity.platform}={identity.id}@{identity.manifest}"]
    from metaflow_extensions.envtag.plugins.envtag_env.launch import needs

    return [word for name in sorted(needs(datastore_type)) for word in ("--need", name)]


def disabled_commands(pod: Mapping[str, str]) -> list[str]:
    """The commands of a step in the image's Python: where boto came from the store, it learns of all services of AWS.

    Args:
        pod: What launch knows of pods; empty where no step of the flow has an environment.
    """
    if not pod:
        return []
    completing = pod["hydration"].replace("envtag.pods", "envtag.pods.services", 1)
    return [f"if [ -d $ENVTAG_POD/lib/botocore ]; then DISABLE_TRACING=True {completing}; fi"]


def install_dependencies(default: str, pod: Mapping[str, str], *, short: bool) -> str:
    """The command that gives a pod's own Python what it needs to fetch the code package.

    Args:
        default: Metaflow's own.
        pod: What launch knows of pods; empty where no step of the flow has an environment.
        short: Whether commands may not be long, as on AWS Batch.
    """
    return pod["short" if short else "prelude"].replace(_DEFAULT, default) if pod else default


def package_commands(commands: list[str], url: str, pod: Mapping[str, str], *, short: bool) -> list[str]:
    """Metaflow's commands that fetch and unpack the code package, as a pod runs them.

    Args:
        commands: Metaflow's own.
        url: Where the package is.
        pod: What launch knows of pods; empty where no step of the flow has an environment.
        short: Whether commands may not be long, as on AWS Batch: then its loop around boto gives way to what repeats
            requests by itself.
    """
    loop = [number for number, text in enumerate(commands) if text.startswith("i=0; while ")]
    if not pod or not short or len(loop) != 1 or not commands[loop[0] + 1].startswith("if [ $i -gt "):
        return commands
    fetching = f"python -m envtag.pods.code_package {_word(url)} job.tar"
    return [*commands[: loop[0]], fetching, *commands[loop[0] + 2 :]]


def current(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What launch told this process of pods; empty if nothing."""
    found: dict[str, str] = json.loads(environ.get(POD) or "{}")
    return found


def _word(text: str) -> str:
    """A value as one word of a command.

    Raises:
        InvalidEnvironmentException: It has a character that would not reach the pod as it is.
    """
    found = _HOSTILE.search(text)
    if found is not None:
        raise InvalidEnvironmentException(
            f"`{text!r}` cannot be passed to another machine: it contains {found[0]!r}, which shells and schedulers "
            "take for something else"
        )
    return shlex.quote(text)
