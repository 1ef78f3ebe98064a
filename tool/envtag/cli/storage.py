"""The commands that look after a store: is all of it right, and what of it is still needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from envtag.cli.options import json_option

if TYPE_CHECKING:
    from envtag.cli.session import Session


@click.command()
@click.argument("references", nargs=-1, metavar="[REF]...")
@click.option("--all", "every", is_flag=True, help="Every released tag, and what latest, stable and candidate are.")
@click.option("--deep", is_flag=True, help="Read every package in the store, and compare its hash.")
@click.option(
    "--prefix",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Compare a created environment file by file instead; a REF says what it must be.",
)
@json_option
@click.pass_obj
def verify(
    session: Session, references: tuple[str, ...], every: bool, deep: bool, prefix: Path | None, as_json: bool
) -> int:
    """Check each link from tag to commit, ledger, lock, manifest and packages, and name those that are broken."""
    if prefix is not None:
        if every or deep or len(references) > 1:
            raise click.UsageError("`--prefix` goes with at most one REF, and with neither `--all` nor `--deep`")
        from envtag.commands.verify import verify_prefix

        found = session.find(references[0]) if references else None
        return verify_prefix(prefix, found, as_json=as_json, output=session.output)
    if every == bool(references):
        raise click.UsageError("name what to verify: REFs, or `--all`, or `--prefix DIR`")
    from envtag.commands.verify import verify as verb

    return verb(
        references,
        deep=deep,
        as_json=as_json,
        registry=session.registry,
        store=session.store,
        config=session.config,
        output=session.output,
    )


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would be done; write nothing.")
@click.option(
    "--keep-days",
    type=click.IntRange(min=0),
    default=30,
    show_default=True,
    metavar="N",
    help="Keep what was written or requested in the last N days.",
)
@click.option(
    "--window-days",
    type=click.IntRange(min=1),
    default=7,
    show_default=True,
    metavar="N",
    help="Days between the mark of an object and its deletion.",
)
@json_option
@click.pass_obj
def gc(session: Session, dry_run: bool, keep_days: int, window_days: int, as_json: bool) -> int:
    """Free what no tag, pointer, recent request or recent write needs of the store; locks in git stay."""
    from envtag.commands.gc import gc as verb

    return verb(
        keep_days=keep_days,
        window_days=window_days,
        dry_run=dry_run,
        as_json=as_json,
        registry=session.registry,
        store=session.store,
        output=session.output,
    )
