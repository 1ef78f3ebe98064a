"""The commands that tell of newer packages, and bring them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from envtag.cli.options import json_option

if TYPE_CHECKING:
    from envtag.cli.session import Session

PATH = click.Path(path_type=Path)


@click.command()
@click.argument("name", metavar="NAME", default="")
@click.argument("packages", nargs=-1, metavar="[PKG[SPEC]]...")
@click.option("--all", "everything", is_flag=True, help="Let every package move as far as the spec lets it.")
@click.option("--every", is_flag=True, help="Update each environment of the registry, on a branch of its own.")
@click.option("--security", type=PATH, metavar="FILE|DIR", help="Move what these advisories (OSV) are about to a fix.")
@click.option(
    "--exclude-newer", default="", metavar="DATE", help="Bring nothing in that is newer than this date (UTC)."
)
@click.option(
    "--min-age",
    type=click.IntRange(min=0),
    metavar="DAYS",
    help="Bring nothing in that is younger than DAYS. Default: what the registry's policy says.",
)
@click.option("--exempt", multiple=True, metavar="PKG", help="A package that bounds in time are not for; repeatable.")
@click.option("--dry-run", is_flag=True, help="Solve and tell; write nothing.")
@click.option(
    "--pr-body", type=PATH, metavar="FILE", help="Write the words of a pull request; with --every a directory."
)
@json_option
@click.pass_obj
def update(
    session: Session,
    /,
    name: str,
    packages: tuple[str, ...],
    everything: bool,
    every: bool,
    security: Path | None,
    exclude_newer: str,
    min_age: int | None,
    exempt: tuple[str, ...],
    **options: Any,
) -> int:
    """Update packages of an environment, and move nothing else that need not move.

    PKG alone makes it as new as the spec lets it be. PKG with a version (`"numpy>=2"`) changes the spec too. Without
    a PKG, the locks follow a spec that was edited, by the smallest change.
    """
    from envtag.advisories import read_advisories
    from envtag.cutoff import parse_cutoff
    from envtag.updating.age import bounded
    from envtag.updating.environment import Wanted
    from envtag.updating.targets import parse_target

    _check_words(name, packages, everything=everything, every=every, security=security)
    registry = session.registry
    asked = Wanted(
        targets=tuple(parse_target(text) for text in packages),
        everything=everything or (every and security is None),
        cutoff=parse_cutoff(exclude_newer) if exclude_newer else "",
        advisories=read_advisories(security) if security is not None else None,
    )

    def wanted(environment: str) -> Wanted:
        return bounded(asked, environment, days=min_age, exempt=exempt, registry=registry)

    dry_run, body, as_json = options["dry_run"], options["pr_body"], options["as_json"]
    shared = {"dry_run": dry_run, "as_json": as_json, "config": session.config, "output": session.output}
    if every:
        from envtag.commands.update_every import update_every

        return update_every(wanted, pr_bodies=body, registry=registry, **shared)
    from envtag.commands.update import update as verb

    return verb(name, wanted(name), pr_body=body, registry=registry, **shared)


def _check_words(name: str, packages: tuple[str, ...], *, everything: bool, every: bool, security: Path | None) -> None:
    """Refuse words of `update` that do not go together."""
    if not name and not every:
        raise click.UsageError("Missing argument 'NAME' (or `--every`).")
    if name and every:
        raise click.UsageError("`--every` takes no NAME and no PKG")
    if everything and packages:
        raise click.UsageError("`--all` names every package: leave the others out")
    if security is not None and (packages or everything):
        raise click.UsageError("`--security` says itself what moves: leave packages and `--all` out")


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--bases", is_flag=True, help="Look at what environments extend alone; nothing is solved.")
@json_option
@click.pass_obj
def outdated(session: Session, names: tuple[str, ...], bases: bool, as_json: bool) -> int:
    """Show where newer packages or a newer base are to be had (exit code 1), in all environments without a NAME."""
    from envtag.commands.outdated import outdated as verb

    return verb(
        names,
        bases=bases,
        as_json=as_json,
        registry=session.registry,
        config=session.config,
        output=session.output,
    )
