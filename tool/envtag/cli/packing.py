"""The commands that make one file of an environment, and an environment of one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from envtag.cli import calls
from envtag.cli.options import FILE, json_option, offline_option

if TYPE_CHECKING:
    from envtag.cli.session import Session


@click.command()
@click.argument("references", nargs=-1, required=True, metavar="REF...")
@click.option(
    "-o",
    "--output",
    "destination",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A file, a directory (needed for several REFs), or `-`. Default: NAME-TAG-PLATFORM.tar here.",
)
@click.option("--platform", default="", metavar="P", help="The platform to pack for. Default: this machine's.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["archives", "conda-pack"]),
    default="archives",
    show_default=True,
    help="The packages as they are, or a relocatable prefix made by conda-pack.",
)
@click.option("--executable", is_flag=True, help="Let the file extract itself where `sh` and a Python are.")
@click.option("--force", is_flag=True, help="Replace files that are there.")
@offline_option
@json_option
@click.pass_obj
def pack(
    session: Session,
    references: tuple[str, ...],
    destination: Path | None,
    platform: str,
    kind: str,
    executable: bool,
    force: bool,
    offline: bool,
    as_json: bool,
) -> int:
    """Pack environments, one file each, for machines without network; print each file's digest."""
    from envtag.commands.pack import Packing
    from envtag.commands.pack import pack as verb

    session.offline = offline
    found = [session.find(reference) for reference in references]
    packing = Packing(
        kind=kind,
        executable=executable,
        force=force,
        offline=offline,
        store=session.store,
        config=session.config,
        output=session.output,
    )
    return verb(found, destination=destination, platform=platform, as_json=as_json, packing=packing)


@click.command()
@click.argument("file", type=FILE, metavar="FILE")
@click.option("--prefix", type=click.Path(path_type=Path), metavar="DIR", help="Create it in this directory.")
@click.option("--force", is_flag=True, help="Replace what is there.")
@click.option("--expect", default="", metavar="sha256:HEX", help="The digest that FILE, or its manifest, must have.")
@click.pass_obj
def unpack(session: Session, file: Path, prefix: Path | None, force: bool, expect: str) -> int:
    """Create the environment in a packed FILE, and print its path; no network, git or registry is needed."""
    return calls.unpack(session, file=file, prefix=prefix, force=force, expect=expect)
