"""`python flow.py --environment=conda environment`: what the steps of a flow run in, resolved, shown and named."""

from __future__ import annotations

import json
from typing import Any, Sequence

from metaflow._vendor import click
from metaflow.exception import CommandException

from metaflow_extensions.envtag.plugins.envtag_env import inquiry, launch
from metaflow_extensions.envtag.plugins.envtag_env.environment import CondaEnvironment


@click.group()
def cli() -> None:
    """Hold the group below, as Metaflow wants it."""


@cli.group(help="What the steps run in: resolve, show.")
def environment() -> None:
    """See `help`."""


@environment.command(help="Resolve what STEPS run in (all of them if none is named), and give it a name.")
@click.argument("steps", nargs=-1)
@click.option("--alias", "aliases", multiple=True, metavar="NAME[:TAG]", help="What to call it; repeatable.")
@click.option("--arch", "--platform", "platform", default="", metavar="P", help="Resolve for this platform.")
@click.option("--dry-run", is_flag=True, help="Resolve and tell; give no names.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def resolve(
    obj: Any, steps: Sequence[str], aliases: Sequence[str], platform: str, dry_run: bool, as_json: bool
) -> None:
    """See `help`."""
    found = _resolved(obj, steps, platform)
    named = {step: item["id"] for step, item in found.items() if item is not None and item["id"]}
    told = {}
    if aliases and named:
        told = _called(inquiry.name, named, list(aliases), dry_run=dry_run)
    if as_json:
        click.echo(json.dumps({"steps": found, "aliases": told}, indent=2, sort_keys=True))
        return
    _tell(found)
    if len(told) > 1:
        click.echo(f"the steps run in {len(told)} environments, so that each has the step in its name")
    for full_id, names in told.items():
        for name in names:
            click.echo("{}{} -> {}".format("would name " if dry_run else "", name, full_id))


@environment.command(help="Show what STEPS run in (all of them if none is named).")
@click.argument("steps", nargs=-1)
@click.option("--arch", "--platform", "platform", default="", metavar="P", help="Show it for this platform.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def show(obj: Any, steps: Sequence[str], platform: str, as_json: bool) -> None:
    """See `help`."""
    found = _resolved(obj, steps, platform)
    if as_json:
        click.echo(json.dumps({"steps": found}, indent=2, sort_keys=True))
    else:
        _tell(found)


def _called(function: Any, *arguments: Any, **options: Any) -> Any:
    """What a call gives; what it refuses is one line of Metaflow's."""
    try:
        return function(*arguments, **options)
    except launch.LaunchError as error:
        raise CommandException(str(error)) from error


def _resolved(obj: Any, steps: Sequence[str], platform: str) -> dict[str, Any]:
    """Step to what it runs in, in the flow's order; None for the launcher's Python."""
    known = list(obj.graph.sorted_nodes)
    for step in steps:
        if step not in known:
            msg = "`{}` is not a step of {}: it has {}".format(step, obj.flow.name, ", ".join(known))
            raise CommandException(msg)
    if not isinstance(obj.environment, CondaEnvironment):
        raise CommandException(
            "`environment` needs --environment=conda before it: `python flow.py --environment=conda environment …`"
        )
    found: dict[str, Any] = _called(inquiry.identities, obj.flow, obj.environment, steps or known, platform, obj.echo)
    return found


def _tell(found: dict[str, Any]) -> None:
    for step, item in found.items():
        if item is None:
            click.echo(f"{step}: the Python that runs the flow")
        elif not item["id"]:
            click.echo("{}: {}, looked up when a task starts".format(step, item["alias"]))
        else:
            named = "{}, ".format(item["alias"]) if item["alias"] else ""
            click.echo("{}: {}{} on {}".format(step, named, item["id"], item["platform"]))
