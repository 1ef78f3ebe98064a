"""The commands that fill the store and read what is published."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from envtag.cli.options import json_option

if TYPE_CHECKING:
    from envtag.cli.session import Session


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--no-push", is_flag=True, help="Do not push tags to the registry's remote.")
@json_option
@click.pass_obj
def publish(session: Session, names: tuple[str, ...], no_push: bool, as_json: bool) -> int:
    """Store packages, then tag releases in git, then replicate the tags (all environments without a NAME)."""
    from envtag.commands.publish import publish as verb

    return verb(
        names,
        push=not no_push,
        as_json=as_json,
        registry=session.registry,
        store=session.store,
        config=session.config,
        output=session.output,
    )
