"""What a step on another machine takes: its Python's path, the commands that make it, and what they need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaflow.metaflow_environment import InvalidEnvironmentException

if TYPE_CHECKING:
    from metaflow_extensions.envtag.plugins.envtag_env.identity import Prepared

#: The Python of the step's environment, relative to the directory that the code package is unpacked in.
PYTHON = "./__envtag/bin/python -s"


def executable(prepared: Prepared) -> str:
    """The command that is the step's Python."""
    del prepared
    return PYTHON


def bootstrap_commands(prepared: Prepared, datastore_type: str) -> list[str]:
    """The shell commands that make a step's environment; no double quotes and no backticks are allowed in them.

    Args:
        prepared: What launch made of the step's requirement.
        datastore_type: The datastore of the run.

    Raises:
        InvalidEnvironmentException: The environment is not in a store.
    """
    del datastore_type
    what = prepared.identity.id or prepared.late
    raise InvalidEnvironmentException(f"`{what}` cannot be brought to another machine: it is in no store")


def install_dependencies(default: str, datastore_type: str) -> str:
    """The command that gives a pod's own Python what it needs to fetch the code package.

    Args:
        default: Metaflow's own.
        datastore_type: The datastore of the run.
    """
    del datastore_type
    return default
