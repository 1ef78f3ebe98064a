"""What git runs, and how it comes to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from envtag.cli.options import FILE

if TYPE_CHECKING:
    from envtag.cli.session import Session

_CALLED = (
    "Git runs this: BASE, OURS and THEIRS are files with versions of PATH, OURS gets the result, "
    "and MARKER is the length of conflict markers."
)


@click.group("merge-driver")
def merge_driver() -> None:
    """Let git merge locks, ledgers and specs by what they mean."""


@merge_driver.command()
@click.option("--global", "user", is_flag=True, help="For each clone of this user's, not for this one alone.")
@click.pass_obj
def install(session: Session, user: bool) -> int:
    """Tell git to merge this registry's files with envtag."""
    from envtag.commands.merge_driver import install as verb

    return verb(session.registry, user=user, output=session.output)


def _driver(kind: str, short: str) -> click.Command:
    """The command that git runs for files of one kind."""

    @click.command(kind, help=f"{short} {_CALLED}")
    @click.argument("base", type=FILE)
    @click.argument("ours", type=FILE)
    @click.argument("theirs", type=FILE)
    @click.argument("marker", type=click.IntRange(min=1))
    @click.argument("path")
    @click.pass_obj
    def run(session: Session, base: Path, ours: Path, theirs: Path, marker: int, path: str) -> int:
        from envtag.commands.merge_driver import merge
        from envtag.merging import Versions

        versions = Versions(base=base, ours=ours, theirs=theirs, marker=marker, path=path)
        return merge(kind, versions, config=session.config, environ=os.environ, output=session.output)

    return run


for _kind, _short in (
    ("lock", "Merge a lock: keep the pins of both sides, and solve the rest."),
    ("ledger", "Merge a `tags.yml`: the releases of both sides, each pointer by itself."),
    ("spec", "Merge an `environment.yml` or requirements file: what both sides ask for."),
):
    merge_driver.add_command(_driver(_kind, _short))
