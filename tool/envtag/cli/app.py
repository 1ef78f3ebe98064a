"""The command tree. Verbs are imported when they run, so that `--help` imports none of them."""

from __future__ import annotations

from pathlib import Path

import click

from envtag import __version__
from envtag.cli.session import Session

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
_FILE = click.Path(path_type=Path, dir_okay=False)

json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
offline_option = click.option(
    "--offline",
    is_flag=True,
    help="Use the store and this machine's caches alone; never ask an index, channel or remote.",
)


@click.group(context_settings=_CONTEXT)
@click.option(
    "--registry",
    default="",
    metavar="URL|PATH",
    help="The registry: any git URL, or a directory. Default: upward from here. [env: ENVTAG_REGISTRY]",
)
@click.option("-q", "--quiet", is_flag=True, help="Print results and errors only.")
@click.version_option(__version__, prog_name="envtag", message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context, registry: str, quiet: bool) -> None:
    """Docker tags for Python environments, kept in git.

    REF names an environment: NAME[:TAG] (`latest` if left out), NAME:TAG@sha256:…, or its full id.
    """
    context.obj = Session(where=registry, quiet=quiet)


@cli.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--store", default="", metavar="URL", help="Where published packages are kept: `file:///…` or `s3://…`.")
@click.pass_obj
def init(session: Session, directory: Path, store: str) -> int:
    """Make DIRECTORY a registry: a git repository of environments."""
    from envtag.commands.init import init as verb

    return verb(directory, store=store, output=session.output)


@cli.command()
@click.option("-r", "requirements", type=_FILE, multiple=True, metavar="FILE", help="A requirements.txt; repeatable.")
@click.option("-f", "environments", type=_FILE, multiple=True, metavar="FILE", help="An environment.yml; repeatable.")
@click.option("-p", "pyprojects", type=_FILE, multiple=True, metavar="FILE", help="A pyproject.toml; repeatable.")
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
    wanted = Wanted(files=files, **options)  # type: ignore[arg-type]
    return verb(wanted, registry=session.registry, config=session.config, output=session.output)


@cli.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--check", is_flag=True, help="Lock nothing; exit 1 where a lock does not answer its spec.")
@json_option
@click.pass_obj
def lock(session: Session, names: tuple[str, ...], check: bool, as_json: bool) -> int:
    """Lock environments again whose specs have changed (all of them without a NAME)."""
    from envtag.commands.lock import lock as verb

    return verb(
        names, check=check, as_json=as_json, registry=session.registry, config=session.config, output=session.output
    )


@cli.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--no-push", is_flag=True, help="Do not push tags to the registry's remote.")
@json_option
@click.pass_obj
def publish(session: Session, names: tuple[str, ...], no_push: bool, as_json: bool) -> int:
    """Store packages, then tag releases in git, then replicate the tags (all environments without a NAME)."""
    from envtag.commands.publish import publish as verb

    return verb(
        names,
        push=not no_push,
        as_json=as_json,
        registry=session.registry,
        store=session.store,
        config=session.config,
        output=session.output,
    )


@cli.command()
@click.argument("source")
@click.argument("target", metavar="NAME:stable|candidate")
@click.pass_obj
def alias(session: Session, source: str, target: str) -> int:
    """Point `stable` or `candidate` at the release SOURCE."""
    from envtag.commands.alias import alias as verb

    return verb(source, target, registry=session.registry, config=session.config, output=session.output)


@cli.command()
@click.argument("references", nargs=-1, required=True, metavar="REF...")
@click.option("--platform", default="", metavar="P", help="The platform to show. Default: this machine's.")
@json_option
@click.pass_obj
def show(session: Session, references: tuple[str, ...], platform: str, as_json: bool) -> int:
    """Show what is known of environments: ids, aliases, platforms, packages."""
    from envtag.commands.show import show as verb

    found = [session.find(reference) for reference in references]
    return verb(
        found,
        platform=platform,
        as_json=as_json,
        registry=session.registry,
        config=session.config,
        output=session.output,
    )


@cli.command("list")
@click.argument("prefix", default="")
@json_option
@click.pass_obj
def list_command(session: Session, prefix: str, as_json: bool) -> int:
    """List the registry's environments, or those below PREFIX."""
    from envtag.commands.list import list_environments

    return list_environments(
        prefix, as_json=as_json, registry=session.registry, config=session.config, output=session.output
    )


@cli.command()
@click.argument("reference", metavar="REF")
@offline_option
@click.pass_obj
def get(session: Session, reference: str, offline: bool) -> int:
    """Fetch an environment to this machine, and show it."""
    from envtag.commands.show import show as show_verb
    from envtag.hydration import provide

    session.offline = offline
    found = session.find(reference)
    provide(found, config=session.config, store=session.store, offline=offline, output=session.output)
    return show_verb(
        [found], platform="", as_json=False, registry=session.registry, config=session.config, output=session.output
    )


@cli.command()
@click.argument("reference", metavar="REF")
@click.option("--prefix", type=click.Path(path_type=Path), metavar="DIR", help="Create it in this directory.")
@click.option("--name", default="", metavar="N", help="Create it under a name of your own.")
@click.option("--force", is_flag=True, help="Replace what is there.")
@offline_option
@click.pass_obj
def create(
    session: Session,
    reference: str,
    prefix: Path | None,
    name: str,
    force: bool,
    offline: bool,
) -> int:
    """Create an environment on this machine, and print its path."""
    from envtag.commands.create import create as verb

    session.offline = offline
    return verb(
        session.find(reference),
        prefix=prefix,
        name=name,
        force=force,
        offline=offline,
        store=session.store,
        config=session.config,
        output=session.output,
    )


@cli.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@offline_option
@click.argument("reference", metavar="REF")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="[--] CMD...")
@click.pass_obj
def run(session: Session, reference: str, command: tuple[str, ...], offline: bool) -> int:
    """Run CMD in an environment; its exit code is passed through."""
    from envtag.commands.run import run as verb

    session.offline = offline
    words = command[1:] if command[0] == "--" else command
    if not words:
        raise click.UsageError("no command after `--`")
    return verb(
        session.find(reference),
        words,
        offline=offline,
        open_store=lambda: session.store,
        config=session.config,
        output=session.output,
    )


@cli.command()
@offline_option
@click.argument("reference", metavar="REF")
@click.pass_obj
def shell(session: Session, reference: str, offline: bool) -> int:
    """Start a shell in an environment."""
    from envtag.commands.run import run as verb

    session.offline = offline
    return verb(
        session.find(reference),
        (),
        offline=offline,
        open_store=lambda: session.store,
        config=session.config,
        output=session.output,
    )


@cli.command()
@json_option
@click.pass_obj
def config(session: Session, as_json: bool) -> int:
    """Show the client's settings, and where each comes from."""
    from envtag.commands.config import config as verb

    return verb(session.config, as_json=as_json, output=session.output)
