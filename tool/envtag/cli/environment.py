"""`envtag environment`: the commands of Metaflow's documents; `metaflow environment` hands its arguments to them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from envtag.cli.options import FILE, json_option, offline_option
from envtag.cli.using import list_command

if TYPE_CHECKING:
    from envtag.cli.session import Session
    from envtag.found import Found

_PATHSPEC = "A step of a run: `Flow/Run/Step`, or `Flow/Run` or `Flow` for an end step."
_pathspec_option = click.option("--pathspec", default="", metavar="STEP", help=_PATHSPEC)


@click.group()
@click.option("-q", "--quiet", is_flag=True, help="Print results and errors only.")
@click.option("--registry", default="", metavar="URL|PATH", help="The registry, in place of the one that is set.")
@click.option(
    "--datastore",
    default="local",
    metavar="KIND",
    help="Metaflow's datastore, whose library steps need: `local`, `s3`, `azure` or `gs`.",
)
@click.pass_context
def environment(context: click.Context, quiet: bool, registry: str, datastore: str) -> None:
    """Manage the environments of Metaflow's steps: what `metaflow environment` runs.

    REF names an environment: NAME[:TAG] (`latest` if left out), or its full id.
    """
    session: Session = context.obj
    session.quiet = session.quiet or quiet
    session.where = registry or session.where
    session.datastore = datastore


@environment.command()
@click.option("-r", "requirements", type=FILE, multiple=True, metavar="FILE", help="A requirements.txt; repeatable.")
@click.option("-f", "environments", type=FILE, multiple=True, metavar="FILE", help="An environment.yml; repeatable.")
@click.option("-p", "pyprojects", type=FILE, multiple=True, metavar="FILE", help="A pyproject.toml; repeatable.")
@click.option("--python", default="", metavar="SPEC", help="Which Python, such as `>=3.8,<3.9`.")
@click.option(
    "--platform", "--arch", "platforms", multiple=True, metavar="P",
    help="A platform to resolve for; repeatable. Default: those it has, or this machine's.",
)  # fmt: skip
@click.option("--alias", "aliases", multiple=True, metavar="NAME[:TAG]", help="What to call it; repeatable.")
@click.option("--using", default="", metavar="REF", help="Extend this environment, keeping each of its packages.")
@click.option("--using-pathspec", default="", metavar="STEP", help="Extend the environment of a step.")
@click.option("--from", "source", default="", metavar="REF", help="Resolve this one for more platforms, as it is.")
@click.option("--from-pathspec", default="", metavar="STEP", help="The same, of the environment of a step.")
@click.option("--force", is_flag=True, help="Resolve again; replace a release that is not committed yet.")
@click.option("--dry-run", is_flag=True, help="Resolve and tell; write nothing.")
@click.option("--local-only", is_flag=True, help="Do not ask the registry's remote whether a tag is taken.")
@click.option(
    "--set-default", is_flag=True, help="Let steps on this machine that ask for the same get what this is resolved to."
)
@click.option("--skip-metaflow-deps", is_flag=True, help="Leave out what Metaflow itself needs in a step.")
@json_option
@click.pass_obj
def resolve(
    session: Session,
    /,
    requirements: tuple[Path, ...],
    environments: tuple[Path, ...],
    pyprojects: tuple[Path, ...],
    using: str,
    using_pathspec: str,
    source: str,
    from_pathspec: str,
    local_only: bool,
    set_default: bool,
    skip_metaflow_deps: bool,
    **options: object,
) -> int:
    """Resolve requirements for every platform, under one or more aliases."""
    from envtag.commands.resolve import Wanted
    from envtag.commands.resolve import resolve as verb
    from envtag.needs import needs_of

    given = {
        "--using": using, "--using-pathspec": using_pathspec, "--from": source, "--from-pathspec": from_pathspec,
    }  # fmt: skip
    named = [option for option, value in given.items() if value]
    if len(named) > 1:
        raise click.UsageError(f"`{named[0]}` and `{named[1]}` both say what to begin with: give one of them")
    copied = source or _step(from_pathspec)
    refused = {"-r": requirements, "-f": environments, "-p": pyprojects, "--python": options["python"]}
    changed = [option for option, value in refused.items() if value]
    if copied and changed:
        raise click.UsageError(f"`{named[0]}` takes the request as it is: leave out `{changed[0]}`")
    if copied and not options["platforms"]:
        raise click.UsageError(f"`{named[0]}` is for more platforms: add `--platform`")
    if set_default and (options["dry_run"] or not (options["aliases"] or copied)):
        raise click.UsageError("`--set-default` is of what is written: leave out `--dry-run`, and add `--alias`")
    files = [
        *(("requirements", path) for path in requirements),
        *(("environment", path) for path in environments),
        *(("pyproject", path) for path in pyprojects),
    ]
    session.offline = local_only
    wanted = Wanted(
        files=files,
        using=session.pinned(_step(using_pathspec) or using),
        source=session.pinned(copied),
        needs={} if skip_metaflow_deps or copied else needs_of(session.datastore),
        **options,  # type: ignore[arg-type]
    )
    code = verb(wanted, registry=session.registry, config=session.config, output=session.output)
    if set_default and code == 0:
        _set_default(session, wanted.aliases[0] if wanted.aliases else wanted.source)
    return code


@environment.command()
@click.argument("references", nargs=-1, metavar="[REF]...")
@click.option("--pathspec", "pathspecs", multiple=True, metavar="STEP", help=f"{_PATHSPEC} Repeatable.")
@click.option("--platform", "--arch", default="", metavar="P", help="The platform to show. Default: this machine's.")
@json_option
@click.pass_obj
def show(
    session: Session, references: tuple[str, ...], pathspecs: tuple[str, ...], platform: str, as_json: bool
) -> int:
    """Show environments: ids, aliases, platforms, when and by whom, requested and installed packages."""
    named = [*references, *map(_step, pathspecs)]
    if not named:
        raise click.UsageError("name an environment: REF, or `--pathspec STEP`")
    return _show(session, [session.find(reference) for reference in named], platform, as_json=as_json)


@environment.command()
@click.argument("reference", default="", metavar="[REF]")
@_pathspec_option
@offline_option
@json_option
@click.pass_obj
def get(session: Session, reference: str, pathspec: str, offline: bool, as_json: bool) -> int:
    """Fetch an environment to this machine, and show it."""
    from envtag.hydration import provide

    session.offline = offline
    found = session.find(_one(reference, pathspec))
    provide(found, config=session.config, open_store=lambda: session.store, offline=offline, output=session.output)
    return _show(session, [found], "", as_json=as_json)


@environment.command()
@click.argument("words", nargs=-1, metavar="[REF] [NAME[:TAG]]")
@_pathspec_option
@click.option("--alias", "aliases", multiple=True, metavar="NAME[:TAG]", help="The further name; repeatable.")
@click.pass_obj
def alias(session: Session, words: tuple[str, ...], pathspec: str, aliases: tuple[str, ...]) -> int:
    """Give what REF (or a step) names a further NAME; nothing is resolved, every package stays."""
    from envtag.commands.alias import alias_all

    named, targets = list(words), list(aliases)
    source = _one("" if pathspec or not named else named.pop(0), pathspec)
    targets = [*named, *targets]
    if not targets:
        raise click.UsageError("give it a name: NAME[:TAG], or `--alias NAME[:TAG]`")
    found = session.find(source)
    return alias_all(
        found, targets, source=source, registry=session.registry, config=session.config, output=session.output
    )


@environment.command()
@click.argument("reference", default="", metavar="[REF]")
@_pathspec_option
@click.option("--name", default="", metavar="N", help="Create it under a name of your own.")
@click.option("--force", is_flag=True, help="Replace what is there.")
@click.option(
    "--into-dir", type=click.Path(path_type=Path), metavar="DIR", help="With --pathspec: put the step's code there."
)
@click.option("--install-notebook", "notebook", is_flag=True, help="Make it a kernel of Jupyter.")
@offline_option
@click.pass_obj
def create(session: Session, /, reference: str, pathspec: str, offline: bool, **options: Any) -> int:
    """Create what REF (or a step) names on this machine, and print its path."""
    from envtag.commands.create import create as verb
    from envtag.names import parse_pathspec, substitute

    session.offline = offline
    named = _one(reference, pathspec)
    return verb(
        session.find(named),
        prefix=None,
        offline=offline,
        open_store=lambda: session.store,
        config=session.config,
        output=session.output,
        step=parse_pathspec(substitute(pathspec, os.environ)) if pathspec else None,
        environ=os.environ,
        **options,
    )


environment.add_command(list_command, "list")


def _set_default(session: Session, alias: str) -> None:
    """Let what was just resolved be what its request is resolved to on this machine."""
    from envtag.flows.shelf import make_default
    from envtag.names import Alias, parse_reference

    reference = parse_reference(alias)
    if isinstance(reference, Alias):
        request = make_default(session.registry.environment(reference.name), session.config)
        session.output.say(f"steps on this machine that ask for request {request[:12]} get this resolution")


def _one(reference: str, pathspec: str) -> str:
    """What names the one environment that a command is about."""
    if bool(reference) == bool(pathspec):
        raise click.UsageError("name one environment: REF, or `--pathspec STEP`")
    return reference or _step(pathspec)


def _step(pathspec: str) -> str:
    """A pathspec as what names an environment; empty for none."""
    return f"step:{pathspec.removeprefix('step:')}" if pathspec else ""


def _show(session: Session, found: list[Found], platform: str, *, as_json: bool) -> int:
    from envtag.commands.show import show as verb

    return verb(
        found,
        platform=platform,
        as_json=as_json,
        config=session.config,
        output=session.output,
        store=lambda: session.store,
        documented=True,
    )
