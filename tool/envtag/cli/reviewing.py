"""The commands that a change of environments is reviewed with."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from envtag.cli.options import FILE, json_option

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


@click.command()
@click.option("--base", default="", metavar="REV", help="What it is to be merged into. Default: the default branch.")
@click.option("--all", "whole", is_flag=True, help="Check every environment, not only the ones that differ.")
@click.option("--strict", is_flag=True, help="Let warnings fail too.")
@click.option("--store", default="", metavar="URL", help="Compare tags with their replicas in this store too.")
@click.option("--github", "shape", flag_value="github", help="Print annotations for a GitHub Actions log.")
@click.option("--sarif", "shape", flag_value="sarif", help="Print SARIF 2.1.0, for code scanning.")
@click.option("--json", "shape", flag_value="json", help="Print the findings as JSON.")
@click.pass_obj
def check(session: Session, base: str, whole: bool, strict: bool, store: str, shape: str | None) -> int:
    """Check that what the work tree changes may be merged: releases, locks, names, owners, policy.

    Only the environments that differ from the merge base with REV are read. Nothing is solved, built or executed.
    """
    from envtag.commands.check import check as verb

    return verb(
        base=base,
        whole=whole,
        strict=strict,
        shape=shape or "text",
        store=store,
        registry=session.registry,
        config=session.config,
        output=session.output,
    )


@click.command()
@click.option("--base", default="", metavar="REV", help="What it was before the merge. Default: nothing, all is new.")
@click.option("--head", default="HEAD", show_default=True, metavar="REV", help="What it is after the merge.")
@click.option(
    "--since-success",
    is_flag=True,
    help="In a GitHub workflow: since the last run of it that succeeded, so that nothing is lost of runs that did not.",
)
@click.option("--github", is_flag=True, help="Give the job matrix to later jobs of a GitHub workflow, and show it.")
@json_option
@click.pass_obj
def plan(session: Session, base: str, head: str, since_success: bool, github: bool, as_json: bool) -> int:
    """Show what a merge has to resolve, store and tag, and on which machines."""
    from envtag.commands.plan import plan as verb

    if base and since_success:
        raise click.UsageError("--base and --since-success exclude each other")
    return verb(
        base=base,
        head=head,
        since_success=since_success,
        github=github,
        as_json=as_json,
        registry=session.registry,
        config=session.config,
        environ=os.environ,
        output=session.output,
    )


@click.command(hidden=True)
@click.option("--findings", type=FILE, metavar="FILE", help="What `envtag check --json` printed in the run.")
@click.pass_obj
def comment(session: Session, findings: Path | None) -> int:
    """Write the comment on a pull request, in a workflow that runs after that of the pull request."""
    from envtag.commands.comment import comment as verb

    return verb(
        findings=findings, registry=session.registry, config=session.config, environ=os.environ, output=session.output
    )
