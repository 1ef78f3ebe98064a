"""The commands that say how an environment came to be what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from envtag.cli.options import json_option, offline_option

if TYPE_CHECKING:
    from envtag.cli.session import Session
    from envtag.lookup import Found

_platform = click.option(
    "--platform", default="", metavar="P", help="The platform to look at. Default: this machine's."
)


@click.command()
@click.argument("reference", metavar="REF")
@click.argument("package", metavar="PKG")
@_platform
@offline_option
@json_option
@click.pass_obj
def why(session: Session, reference: str, package: str, platform: str, offline: bool, as_json: bool) -> int:
    """Show by which chains of requirements an environment has PKG."""
    from envtag.commands.why import why as verb

    session.offline = offline
    found = session.find(reference)
    return verb(
        found,
        package,
        platform=_chosen(found, platform),
        offline=offline,
        as_json=as_json,
        config=session.config,
        output=session.output,
    )


@click.command()
@click.argument("reference", metavar="REF")
@click.option("--depth", type=click.IntRange(min=0), default=None, metavar="N", help="Show N levels below the first.")
@click.option("--invert", default="", metavar="PKG", help="Begin with PKG, and show what needs it.")
@_platform
@offline_option
@json_option
@click.pass_obj
def tree(
    session: Session, reference: str, depth: int | None, invert: str, platform: str, offline: bool, as_json: bool
) -> int:
    """Show what needs what in an environment, as a tree."""
    from envtag.commands.tree import tree as verb

    session.offline = offline
    found = session.find(reference)
    return verb(
        found,
        platform=_chosen(found, platform),
        depth=depth,
        invert=invert,
        offline=offline,
        as_json=as_json,
        config=session.config,
        output=session.output,
    )


@click.command()
@click.argument("name", metavar="NAME")
@json_option
@click.pass_obj
def log(session: Session, name: str, as_json: bool) -> int:
    """Show releases and moved pointers of an environment: when, by whom, reviewed and signed by whom."""
    from envtag.commands.log import log as verb

    return verb(name, as_json=as_json, registry=session.registry, output=session.output)


def _chosen(found: Found, platform: str) -> str:
    from envtag.platforms import current_platform

    here = current_platform()
    return platform or (here if here in found.platforms or not found.platforms else found.platforms[0])
