"""`metaflow environment` and `metaflow env`: faces that hand their arguments to `envtag environment`."""

from __future__ import annotations

import sys
from typing import Any, Sequence

from metaflow._vendor import click

_HELP = "Manage the named environments of steps: resolve, show, get, alias, create, list."


class Face(click.Group):
    """A group with one command, as Metaflow wants it, which never runs: it is handed over before.

    Metaflow prints its version on stdout once it knows which command runs; what envtag prints there is data.
    """

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Hand over if the command is what was called; otherwise the command, which help lists."""
        found = super().get_command(ctx, cmd_name)
        if found is not None and sys.argv[1:2] == [cmd_name]:  # `metaflow` itself has no options
            hand_over(sys.argv[2:])
        return found


environment = Face(commands={"environment": click.Command("environment", help=_HELP)})
env = Face(commands={"env": click.Command("env", help="Short for `environment`. " + _HELP)})


def hand_over(arguments: Sequence[str]) -> None:
    """Let envtag do it, in the registry and with the store that flows use; the process ends with it."""
    import os

    from metaflow import metaflow_config

    from envtag.cli import main

    registry = getattr(metaflow_config, "CONDA_NAMED_ENV_REGISTRY", "")
    store = getattr(metaflow_config, "CONDA_NAMED_ENV_STORE", "")
    before = ["--registry", registry] if registry else []
    if store:
        os.environ["ENVTAG_STORE"] = store
    main([*before, "environment", "--datastore", metaflow_config.DEFAULT_DATASTORE, *arguments], "metaflow")
