"""The commands that take environments over from other tools, and hand them to other tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from envtag.cli.options import json_option, offline_option

if TYPE_CHECKING:
    from envtag.cli.session import Session

_IMPORTS = ("conda-lock", "explicit")


@click.command(name="import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option(
    "--from", "kind", type=click.Choice(_IMPORTS), default=None, help="The format. Default: what FILE looks like."
)
@click.option("--alias", "aliases", multiple=True, metavar="NAME[:TAG]", help="What to call it; repeatable.")
@click.option("--platform", "platforms", multiple=True, metavar="P", help="Repeatable. Default: all that FILE is of.")
@click.option("--category", "categories", multiple=True, metavar="C", help="conda-lock.yml: repeatable. Default: main.")
@click.option("--python", default="", metavar="VERSION", help="Which Python it is for, where FILE does not say.")
@click.option("--index-url", default="", metavar="URL", help="The PyPI index that has what is pinned.")
@click.option("--extra-index-url", "extra_index_urls", multiple=True, metavar="URL", help="A further PyPI index.")
@click.option("--allow-missing", is_flag=True, help="Import although something that a package needs is not there.")
@click.option("--dry-run", is_flag=True, help="Read and tell; write nothing.")
@click.option("--force", is_flag=True, help="Replace a release that is not committed yet.")
@offline_option
@json_option
@click.pass_obj
def import_command(session: Session, /, files: tuple[Path, ...], **options: object) -> int:
    """Take an environment over from another tool's lock: the same packages and hashes, nothing is solved.

    FILE is a conda-lock.yml or an explicit list (`@EXPLICIT`). Several FILEs make one environment: a platform of
    each, or conda packages of one and PyPI packages of another.
    """
    from envtag.commands.import_file import Wanted, import_files

    wanted = Wanted(files=files, **options)  # type: ignore[arg-type]
    return import_files(wanted, registry=session.registry, config=session.config, output=session.output)
