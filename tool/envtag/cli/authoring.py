"""The commands that make a registry and what is in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from envtag.cli.options import FILE, json_option

if TYPE_CHECKING:
    from envtag.cli.session import Session


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--store", default="", metavar="URL", help="Where packages go: `file://`, `s3://`, `gs://` or `az://`.")
@click.option("--github", is_flag=True, help="Write what GitHub needs to serve it, also into a registry that is there.")
@click.option("--owner", default="", metavar="@ORG/TEAM", help="With --github: who reviews what protects the registry.")
@click.option("--force", is_flag=True, help="With --github: replace files that were edited.")
@click.pass_obj
def init(session: Session, directory: Path, store: str, github: bool, owner: str, force: bool) -> int:
    """Make DIRECTORY a registry: a git repository of environments."""
    from envtag.commands.init import init as verb

    if (owner or force) and not github:
        raise click.UsageError("--owner and --force are for --github")
    return verb(directory, store=store, github=github, owner=owner, force=force, output=session.output)


@click.command()
@click.option("-r", "requirements", type=FILE, multiple=True, metavar="FILE", help="A requirements.txt; repeatable.")
@click.option("-f", "environments", type=FILE, multiple=True, metavar="FILE", help="An environment.yml; repeatable.")
@click.option("-p", "pyprojects", type=FILE, multiple=True, metavar="FILE", help="A pyproject.toml; repeatable.")
@click.option("--extra", "extras", multiple=True, metavar="NAME", help="Optional dependencies of a pyproject.toml.")
@click.option("--group", "groups", multiple=True, metavar="NAME", help="A dependency group of a pyproject.toml.")
@click.option("--python", default="", metavar="SPEC", help="Which Python, such as `3.11` or `>=3.10,<3.13`.")
@click.option(
    "--platform",
    "platforms",
    multiple=True,
    metavar="P",
    help="linux-64, linux-aarch64, osx-64, osx-arm64, win-64; repeatable. Default: those it has, or this machine's.",
)
@click.option("--channel", "channels", multiple=True, metavar="C", help="A conda channel, name or URL; first wins.")
@click.option("--index-url", default="", metavar="URL", help="The PyPI index to use instead of the default one.")
@click.option("--extra-index-url", "extra_index_urls", multiple=True, metavar="URL", help="A further PyPI index.")
@click.option("--alias", "aliases", multiple=True, metavar="NAME[:TAG]", help="What to call it; repeatable.")
@click.option("--exclude-newer", default="", metavar="DATE", help="Use nothing published after this date (UTC).")
@click.option("--using", default="", metavar="REF", help="Extend this environment, keeping each of its packages.")
@click.option(
    "--engine",
    "engines",
    multiple=True,
    metavar="E",
    help="What solves: rattler or conda-lock for conda, uv or pip-tools for PyPI; repeatable. Default: rattler, uv.",
)
@click.option(
    "--variant",
    "variants",
    multiple=True,
    metavar="P=FILE",
    help="A further spec for one variant of a platform, `linux-64-cuda12=cuda.txt`; repeatable.",
)
@click.option("--from", "source", default="", metavar="REF", help="Lock this environment for more platforms, as it is.")
@click.option("--dry-run", is_flag=True, help="Solve and tell; write nothing.")
@click.option("--force", is_flag=True, help="Solve again; replace a release that is not committed yet.")
@json_option
@click.pass_obj
def resolve(
    session: Session,
    /,
    requirements: tuple[Path, ...],
    environments: tuple[Path, ...],
    pyprojects: tuple[Path, ...],
    variants: tuple[str, ...],
    **options: object,
) -> int:
    """Lock requirements on every platform, under one or more names."""
    from envtag.commands.resolve import Wanted
    from envtag.commands.resolve import resolve as verb

    files = [
        *(("requirements", path) for path in requirements),
        *(("environment", path) for path in environments),
        *(("pyproject", path) for path in pyprojects),
    ]
    pairs = [text.partition("=") for text in variants]
    if not all(name and path for name, _, path in pairs):
        raise click.UsageError("`--variant` is `PLATFORM-VARIANT=FILE`")
    own = [(name, Path(path)) for name, _, path in pairs]
    wanted = Wanted(files=files, variants=own, **options)  # type: ignore[arg-type]
    decides = (
        files,
        wanted.python,
        wanted.channels,
        wanted.index_url,
        wanted.extra_index_urls,
        wanted.exclude_newer,
        wanted.extras,
        wanted.groups,
        wanted.engines,
        wanted.variants,
    )
    if wanted.source and (any(decides) or wanted.using):
        raise click.UsageError("`--from` takes the request as it is: leave out what would change it")
    if wanted.source and not wanted.platforms:
        raise click.UsageError("`--from` is for more platforms: add `--platform`")
    return verb(wanted, registry=session.registry, config=session.config, output=session.output)


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--check", is_flag=True, help="Lock nothing; exit 1 where a lock does not answer its spec.")
@click.option("--upgrade", is_flag=True, help="Lock what is fresh as well: each package may move as its spec lets it.")
@click.option(
    "--engine", "engines", multiple=True, metavar="E", help="What solves NAME from now on, as of `envtag resolve`."
)
@json_option
@click.pass_obj
def lock(
    session: Session, names: tuple[str, ...], check: bool, upgrade: bool, engines: tuple[str, ...], as_json: bool
) -> int:
    """Lock environments again whose specs have changed (all of them without a NAME)."""
    from envtag.commands.lock import lock as verb

    if check and (upgrade or engines):
        raise click.UsageError(f"`--check` and `{'--upgrade' if upgrade else '--engine'}` do not go together")
    if engines and not names:
        raise click.UsageError("`--engine` is for environments that are named")
    return verb(
        names,
        check=check,
        upgrade=upgrade,
        engines=engines,
        as_json=as_json,
        registry=session.registry,
        config=session.config,
        output=session.output,
    )


@click.command()
@click.argument("source", metavar="REF")
@click.argument("target", metavar="NAME[:TAG]")
@click.pass_obj
def alias(session: Session, source: str, target: str) -> int:
    """Give what REF names a further name; `NAME:stable` and `NAME:candidate` point at releases of NAME."""
    from envtag.commands.alias import alias as verb

    found = session.find(source)
    return verb(found, target, source=source, registry=session.registry, config=session.config, output=session.output)
