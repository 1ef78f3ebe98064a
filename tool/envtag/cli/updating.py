"""The commands that tell of newer packages, and bring them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from envtag.cli.options import FILE, json_option

if TYPE_CHECKING:
    from envtag.cli.session import Session


@click.command()
@click.argument("name", metavar="NAME")
@click.argument("packages", nargs=-1, metavar="[PKG[SPEC]]...")
@click.option("--all", "everything", is_flag=True, help="Let every package move as far as the spec lets it.")
@click.option(
    "--exclude-newer", default="", metavar="DATE", help="Bring nothing in that is newer than this date (UTC)."
)
@click.option("--dry-run", is_flag=True, help="Solve and tell; write nothing.")
@click.option("--pr-body", type=FILE, metavar="FILE", help="Write the words of a pull request to this file.")
@json_option
@click.pass_obj
def update(
    session: Session,
    name: str,
    packages: tuple[str, ...],
    everything: bool,
    exclude_newer: str,
    dry_run: bool,
    pr_body: Path | None,
    as_json: bool,
) -> int:
    """Update packages of an environment, and move nothing else that need not move.

    PKG alone makes it as new as the spec lets it be. PKG with a version (`"numpy>=2"`) changes the spec too. Without
    a PKG, the locks follow a spec that was edited, by the smallest change.
    """
    from envtag.commands.update import update as verb
    from envtag.cutoff import parse_cutoff
    from envtag.updating.environment import Wanted
    from envtag.updating.targets import parse_target

    if everything and packages:
        raise click.UsageError("`--all` names every package: leave the others out")
    wanted = Wanted(
        targets=tuple(parse_target(text) for text in packages),
        everything=everything,
        cutoff=parse_cutoff(exclude_newer) if exclude_newer else "",
    )
    return verb(
        name,
        wanted,
        dry_run=dry_run,
        pr_body=pr_body,
        as_json=as_json,
        registry=session.registry,
        config=session.config,
        output=session.output,
    )


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--bases", is_flag=True, help="Look at what environments extend alone; nothing is solved.")
@json_option
@click.pass_obj
def outdated(session: Session, names: tuple[str, ...], bases: bool, as_json: bool) -> int:
    """Show where newer packages or a newer base are to be had (exit code 1), in all environments without a NAME."""
    from envtag.commands.outdated import outdated as verb

    return verb(
        names,
        bases=bases,
        as_json=as_json,
        registry=session.registry,
        config=session.config,
        output=session.output,
    )
