"""What a step runs in, as it travels from launch to trampoline and task, and as it is recorded."""

from __future__ import annotations

import json
import os
from typing import Any, Mapping, NamedTuple

#: Holds the identity as JSON for trampoline and task; empty for a step without an environment. Always set for a child,
#: so that what an outer task has does not leak into a run that the task starts.
VARIABLE = "_METAFLOW_ENVTAG"
#: The Python that has envtag: the launcher's, also for a run that is started inside a step.
HOST = "_METAFLOW_ENVTAG_PYTHON"
#: What a task on this machine is to look up as it starts, as JSON; envtag takes it away before the task begins.
LATE = "_METAFLOW_ENVTAG_LATE"
#: Metadata field of a task to the identity's attribute.
FIELDS = {
    "envtag_id": "id",
    "envtag_alias": "alias",
    "envtag_commit": "commit",
    "envtag_platform": "platform",
    "envtag_request": "request",
}


class Identity(NamedTuple):
    """What one step runs in.

    Attributes:
        id: The full id, `REQUEST:LOCK`; empty while it is to be fetched at execution.
        platform: The platform that the lock is for.
        alias: The name or pathspec as written in the flow, variables substituted; empty
            for an environment that is only defined by packages.
        commit: The registry's commit that the alias was read at; empty where there is none.
        request: The merged requirement as JSON.
        manifest: SHA-256 of the manifest in the store, for a remote step; empty otherwise.
        store: The URL of the store that has it, for a remote step.
    """

    id: str = ""
    platform: str = ""
    alias: str = ""
    commit: str = ""
    request: str = ""
    manifest: str = ""
    store: str = ""


class Prepared(NamedTuple):
    """What launch made of one step's requirement.

    Attributes:
        identity: What it runs in.
        prefix: Where that is on this machine; empty for a remote step, and for one that is fetched at execution.
        argv: The command that is its Python there, after its activation scripts.
        variables: What its activation sets there.
        late: The alias, full id or pathspec to look up when the task starts (`@{VAR}` not substituted); empty where
            the identity is known.
        remote: Whether it runs on another machine.
        of_step: Whether `late` is a pathspec.
    """

    identity: Identity
    prefix: str = ""
    argv: tuple[str, ...] = ()
    variables: Mapping[str, str] = {}
    late: str = ""
    remote: bool = False
    of_step: bool = False


def encode(identity: Identity | None) -> str:
    """The value of `VARIABLE`."""
    return json.dumps(identity._asdict(), sort_keys=True) if identity is not None else ""


def decode(text: str) -> Identity | None:
    """The inverse of `encode`; attributes that are not known here are left out.

    Raises:
        ValueError: It is malformed.
    """
    if not text:
        return None
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError(f"{VARIABLE} holds no identity: {text}")  # noqa: TRY004 - one kind for whoever reads it
    return Identity(**{key: str(value) for key, value in document.items() if key in Identity._fields})


def current(environ: Mapping[str, str] = os.environ) -> Identity | None:
    """The identity that this process was given; None outside a step with an environment."""
    return decode(environ.get(VARIABLE, ""))


def recorded(identity: Identity) -> dict[str, str]:
    """The metadata fields of a task, without what is empty."""
    found: dict[str, Any] = identity._asdict()
    return {field: found[attribute] for field, attribute in FIELDS.items() if found[attribute]}
