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
@click.option(
    "--repair", is_flag=True, help="Look at each package of each release; bring back what the store has lost."
)
@click.option("--dry-run", is_flag=True, help="Say what would be stored, built, tagged and replicated; change nothing.")
@click.option("--no-push", is_flag=True, help="Do not push tags to the registry's remote.")
@click.option("--sign", is_flag=True, help="Sign the tags with git's key, also where the registry does not demand it.")
@click.option("--sign-key", default="", metavar="KEY", help="Sign with this key, in place of git's `user.signingkey`.")
@json_option
@click.pass_obj
def publish(
    session: Session,
    names: tuple[str, ...],
    platforms: tuple[str, ...],
    changed_since: str,
    dry_run: bool,
    no_push: bool,
    sign: bool,
    sign_key: str,
    repair: bool,
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
        sign=sign,
        sign_key=sign_key,
        repair=repair,
        as_json=as_json,
        registry=session.registry,
        store=session.store,
        config=session.config,
        output=session.output,
    )
