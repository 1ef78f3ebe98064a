"""The commands that see to it that nothing which was released can change."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from envtag.cli.options import json_option

if TYPE_CHECKING:
    from envtag.cli.session import Session
    from envtag.server_hook import Kind


@click.command()
@click.option("--github", "slug", required=True, metavar="OWNER/REPO", help="The repository.")
@click.option("--apply", is_flag=True, help="Create or change what is missing or weaker.")
@json_option
@click.pass_obj
def protect(session: Session, slug: str, apply: bool, as_json: bool) -> int:
    """Compare a repository's rulesets on GitHub with those that keep tags immutable and changes reviewed.

    The token is what GH_TOKEN or GITHUB_TOKEN holds; GITHUB_API_URL names another server. Rulesets of other names are
    never touched.
    """
    from envtag.commands.protect import protect as verb
    from envtag.github import connect

    return verb(connect(slug, os.environ), apply=apply, as_json=as_json, output=session.output)


@click.command()
@click.option(
    "--github", "slug", default="", metavar="OWNER/REPO", help="The repository. Default: the registry's remote."
)
@click.option("--probe", is_flag=True, help="Try to move and delete tags on the remote, made for that alone.")
@click.option("--strict", is_flag=True, help="Exit with 1 for warnings too.")
@json_option
@click.pass_obj
def doctor(session: Session, slug: str, probe: bool, strict: bool, as_json: bool) -> int:
    """Ask whether all is there that the promises stand on: programs, registry, store, and what guards them.

    In the store, one object below `doctor/` is written, and removed again where that is allowed.
    """
    from envtag.commands.doctor import doctor as verb
    from envtag.doctoring.metaflow import metaflow
    from envtag.github import connect

    return verb(
        config=lambda: session.config,
        registry=lambda: session.registry,
        store=lambda: session.store,
        github=lambda named: connect(named, os.environ),
        metaflow=lambda: metaflow(os.environ),
        slug=slug,
        probe=probe,
        strict=strict,
        as_json=as_json,
        environ=os.environ,
        output=session.output,
    )


@click.group()
def hook() -> None:
    """Guard the tags of a git server that has no rulesets."""


@hook.command()
@click.option(
    "--repo",
    "directory",
    type=click.Path(path_type=Path),
    default=Path(),
    metavar="DIR",
    help="The bare repository. Default: the working directory.",
)
@click.option("--force", is_flag=True, help="Also where there is a hook; somebody else's is kept and run after.")
@click.pass_obj
def install(session: Session, directory: Path, force: bool) -> int:
    """Install the update hook in a bare repository."""
    from envtag.commands.hook import install as verb

    return verb(directory, force=force, output=session.output)


@hook.command("print")
@click.argument("kind", metavar="KIND", type=click.Choice(["update", "pre-receive", "gitolite"]))
@click.pass_obj
def print_command(session: Session, kind: Kind) -> int:
    """Print a hook, to install it by other means.

    KIND is `update`, `pre-receive` (one answer for a whole push, for GitLab's server hooks) or `gitolite` (a VREF).
    """
    from envtag.commands.hook import print_hook

    return print_hook(kind, output=session.output)
