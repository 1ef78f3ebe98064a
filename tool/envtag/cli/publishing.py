"""The commands that fill the store and read what is published."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from envtag.cli.options import json_option

if TYPE_CHECKING:
    from envtag.cli.session import Session


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--platform",
    "platforms",
    multiple=True,
    metavar="P",
    help="Store only what is for this platform, and tag nothing. Repeat for several.",
)
@click.option(
    "--changed-since",
    default="",
    metavar="REV",
    help="Only environments whose directory differs between this revision and HEAD.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be stored, built, tagged and replicated; change nothing.")
@click.option("--no-push", is_flag=True, help="Do not push tags to the registry's remote.")
@json_option
@click.pass_obj
def publish(
    session: Session,
    names: tuple[str, ...],
    platforms: tuple[str, ...],
    changed_since: str,
    dry_run: bool,
    no_push: bool,
    as_json: bool,
) -> int:
    """Store packages, then tag releases in git, then replicate the tags (all environments without a NAME)."""
    from envtag.commands.publish import publish as verb

    return verb(
        names,
        platforms=platforms,
        changed_since=changed_since,
        dry_run=dry_run,
        push=not no_push,
        as_json=as_json,
        registry=session.registry,
        store=session.store,
        config=session.config,
        output=session.output,
    )
