"""The commands that a change of environments is reviewed with."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from envtag.cli.session import Session


@click.command()
@click.argument("first", default="", metavar="[A]")
@click.argument("second", default="", metavar="[B]")
@click.option("--markdown", "shape", flag_value="markdown", help="Print one GitHub comment, however large the change.")
@click.option("--html", "shape", flag_value="html", help="Print one self-contained page.")
@click.option("--json", "shape", flag_value="json", help="Print the difference as JSON.")
@click.option(
    "--recent-days",
    type=click.IntRange(min=0),
    default=7,
    show_default=True,
    metavar="N",
    help="Point out packages that were published less than N days before.",
)
@click.option("--exit-code", is_flag=True, help="Exit with 1 where something differs, as git does.")
@click.pass_obj
def diff(session: Session, first: str, second: str, shape: str | None, recent_days: int, exit_code: bool) -> int:
    """Show what differs between A and B: packages, sizes, settings, releases.

    A and B are each a path, an alias, a revision, or a path in one (REV:PATH). Default: from where the checked out
    branch left the default branch (A) to the work tree (B).
    """
    from envtag.commands.diff import diff as verb
    from envtag.comparison import Operands

    config = session.config
    operands = Operands(open_registry=lambda: session.registry, config=config, environ=os.environ, start=Path.cwd())
    return verb(
        first,
        second,
        shape=shape or "table",
        recent_days=recent_days,
        exit_code=exit_code,
        operands=operands,
        config=config,
        output=session.output,
    )
