"""The commands that search what is published."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from envtag.cli.options import json_option

if TYPE_CHECKING:
    from envtag.cli.session import Session


@click.command()
@click.option("--request", required=True, metavar="ID", help="The request id (40 hex digits).")
@click.option("--platform", default="", metavar="P", help="Only on this platform. Default: all.")
@click.option("--by", default="", metavar="WHO", help="Only by authors whose name or mail contains this.")
@json_option
@click.pass_obj
def find(session: Session, request: str, platform: str, by: str, as_json: bool) -> int:
    """Find what a request was resolved to: locks, by whom and when, the newest first."""
    from envtag.commands.find import find as verb

    return verb(request, platform=platform, by=by, as_json=as_json, store=session.store, output=session.output)
