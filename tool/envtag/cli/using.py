"""The commands that look environments up and use them, and the client's own settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from envtag.cli import calls
from envtag.cli.options import json_option, offline_option, variant_option

if TYPE_CHECKING:
    from envtag.cli.session import Session


@click.command()
@click.argument("references", nargs=-1, metavar="REF...")
@click.option("--pathspec", "steps", multiple=True, metavar="STEP", help="A step of Metaflow: `Flow/Run/Step`.")
@click.option("--platform", default="", metavar="P", help="The platform to show. Default: this machine's.")
@json_option
@click.pass_obj
def show(session: Session, references: tuple[str, ...], steps: tuple[str, ...], platform: str, as_json: bool) -> int:
    """Show what is known of environments: ids, aliases, platforms, packages."""
    references = (*references, *(f"step:{step.removeprefix('step:')}" for step in steps))
    if not references:
        raise click.UsageError("Missing argument 'REF...'.")
    return calls.show(session, references=references, platform=platform, as_json=as_json)


@click.command("list")
@click.argument("prefix", default="")
@click.option("--tag", default="", metavar="TAG", help="Only those that have this tag.")
@click.option("--package", default="", metavar="SPEC", help="Only those with this package: `NAME`, or `NAME <2.32`.")
@click.option("--user", default="", metavar="WHO", help="Only those that someone of this name or mail resolved last.")
@json_option
@click.pass_obj
def list_command(session: Session, prefix: str, tag: str, package: str, user: str, as_json: bool) -> int:
    """List the registry's environments, or those below PREFIX."""
    from envtag.commands.list import Wanted, list_environments, list_replicas

    wanted = Wanted(tag=tag, package=package, user=user)
    options = {"wanted": wanted, "as_json": as_json, "config": session.config, "output": session.output}
    return session.list(
        lambda: list_environments(prefix, registry=session.registry, **options),  # type: ignore[arg-type]
        lambda store: list_replicas(prefix, store=store, **options),  # type: ignore[arg-type]
    )


@click.command()
@click.argument("reference", metavar="REF")
@variant_option
@offline_option
@click.pass_obj
def get(session: Session, reference: str, platform: str, offline: bool) -> int:
    """Fetch an environment to this machine, and show it."""
    from envtag.choice import choose, tell
    from envtag.commands.show import show as show_verb
    from envtag.hydration import provide

    session.offline = offline
    found = session.find(reference)
    chosen = tell(found, choose(found, platform), session.output) if platform else ""
    provide(
        found,
        config=session.config,
        open_store=lambda: session.store,
        offline=offline,
        output=session.output,
        platform=chosen,
    )
    return show_verb([found], platform=chosen, as_json=False, config=session.config, output=session.output)


@click.command()
@click.argument("reference", metavar="REF")
@click.option("--prefix", type=click.Path(path_type=Path), metavar="DIR", help="Create it in this directory.")
@click.option("--name", default="", metavar="N", help="Create it under a name of your own.")
@click.option("--force", is_flag=True, help="Replace what is there.")
@variant_option
@offline_option
@click.pass_obj
def create(
    session: Session,
    reference: str,
    prefix: Path | None,
    name: str,
    force: bool,
    platform: str,
    offline: bool,
) -> int:
    """Create an environment on this machine, and print its path."""
    return calls.create(
        session, reference=reference, prefix=prefix, name=name, force=force, offline=offline, platform=platform
    )


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@offline_option
@variant_option
@click.argument("reference", metavar="REF")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="[--] CMD...")
@click.pass_obj
def run(session: Session, reference: str, command: tuple[str, ...], platform: str, offline: bool) -> int:
    """Run CMD in an environment; its exit code is passed through."""
    words = command[1:] if command[0] == "--" else command
    if not words:
        raise click.UsageError("no command after `--`")
    return calls.run(session, reference=reference, words=words, offline=offline, platform=platform)


@click.command()
@offline_option
@variant_option
@click.argument("reference", metavar="REF")
@click.pass_obj
def shell(session: Session, reference: str, platform: str, offline: bool) -> int:
    """Start a shell in an environment."""
    return calls.run(session, reference=reference, words=(), offline=offline, platform=platform)


@click.command()
@json_option
@click.pass_obj
def config(session: Session, as_json: bool) -> int:
    """Show the client's settings, and where each comes from."""
    from envtag.commands.config import config as verb

    return verb(session.config, as_json=as_json, output=session.output)
