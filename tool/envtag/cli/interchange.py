"""The commands that take environments over from other tools, and hand them to other tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from envtag.cli.options import FILE, json_option, offline_option

if TYPE_CHECKING:
    from envtag.cli.session import Session

_IMPORTS = ("conda-lock", "explicit", "netflixext", "pixi", "prefix", "pylock", "uv-lock", "requirements")
_EXPORTS = (
    "conda-lock", "explicit", "environment.yml", "requirements", "pylock", "pixi", "dockerfile", "cyclonedx", "spdx",
)  # fmt: skip


@click.command(name="import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option(
    "--from", "kind", type=click.Choice(_IMPORTS), default=None, help="The format. Default: what FILE looks like."
)
@click.option("-r", "requirements", type=FILE, multiple=True, metavar="FILE", help="What to go on editing: its spec.")
@click.option("-f", "environments", type=FILE, multiple=True, metavar="FILE", help="An environment.yml as its spec.")
@click.option("-p", "pyprojects", type=FILE, multiple=True, metavar="FILE", help="A pyproject.toml as its spec.")
@click.option("--alias", "aliases", multiple=True, metavar="NAME[:TAG]", help="What to call it; repeatable.")
@click.option("--platform", "platforms", multiple=True, metavar="P", help="Repeatable. Default: all that FILE is of.")
@click.option("--category", "categories", multiple=True, metavar="C", help="conda-lock.yml: repeatable. Default: main.")
@click.option("--environment", default="", metavar="E", help="pixi.lock: which environment. Default: default.")
@click.option("--extra", "extras", multiple=True, metavar="X", help="pylock.toml, uv.lock: an extra; repeatable.")
@click.option("--group", "groups", multiple=True, metavar="G", help="pylock.toml, uv.lock: a dependency group.")
@click.option("--package", "root", default="", metavar="NAME", help="uv.lock: which project of a workspace.")
@click.option("--python", default="", metavar="VERSION", help="Which Python it is for, where FILE does not say.")
@click.option("--index-url", default="", metavar="URL", help="The PyPI index that has what is pinned.")
@click.option("--extra-index-url", "extra_index_urls", multiple=True, metavar="URL", help="A further PyPI index.")
@click.option("--allow-missing", is_flag=True, help="Import although something that a package needs is not there.")
@click.option("--dry-run", is_flag=True, help="Read and tell; write nothing.")
@click.option("--force", is_flag=True, help="Replace a release that is not committed yet.")
@offline_option
@json_option
@click.pass_obj
def import_command(
    session: Session,
    /,
    files: tuple[Path, ...],
    requirements: tuple[Path, ...],
    environments: tuple[Path, ...],
    pyprojects: tuple[Path, ...],
    **options: object,
) -> int:
    """Take an environment over from another tool's lock: the same packages and hashes, nothing is solved.

    FILE is a conda-lock.yml, an explicit list (`@EXPLICIT`), a pixi.lock, pylock.toml or uv.lock, requirements that
    were compiled with hashes, or the directory of an environment. Several FILEs make one environment: a platform of
    each, or conda packages of one and PyPI packages of another.
    """
    from envtag.commands.import_file import Wanted, import_files

    specs = [
        *(("requirements", path) for path in requirements),
        *(("environment", path) for path in environments),
        *(("pyproject", path) for path in pyprojects),
    ]
    wanted = Wanted(files=files, specs=specs, **options)  # type: ignore[arg-type]
    return import_files(wanted, registry=session.registry, config=session.config, output=session.output)


@click.command(name="export")
@click.argument("reference", metavar="REF")
@click.option("--to", "kind", type=click.Choice(_EXPORTS), required=True, help="The format.")
@click.option(
    "--platform", "platforms", multiple=True, metavar="P", help="Repeatable. Default: all, or this machine's."
)
@click.option(
    "-o",
    "--output",
    "destination",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write it there, and not to stdout.",
)
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@json_option
@click.pass_obj
def export_command(session: Session, /, reference: str, **options: object) -> int:
    """Write an environment down in the format of another tool, or as a bill of materials."""
    from envtag.commands.export import export

    return export(session.find(reference), output=session.output, **options)  # type: ignore[arg-type]
