"""The command tree. Verbs are imported when they run, so that `--help` imports none of them."""

from __future__ import annotations

import click

from envtag import __version__
from envtag.cli import (
    authoring,
    environment,
    explaining,
    interchange,
    packing,
    plumbing,
    protecting,
    publishing,
    reviewing,
    searching,
    storage,
    updating,
    using,
)
from envtag.cli.session import Session

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
_COMMANDS = (
    authoring.init,
    authoring.resolve,
    authoring.lock,
    updating.update,
    updating.outdated,
    authoring.alias,
    interchange.import_command,
    interchange.export_command,
    publishing.publish,
    packing.pack,
    packing.unpack,
    using.show,
    explaining.why,
    explaining.tree,
    explaining.log,
    using.list_command,
    using.get,
    using.create,
    using.run,
    using.shell,
    using.config,
    storage.verify,
    storage.gc,
    reviewing.diff,
    reviewing.plan,
    reviewing.comment,
    reviewing.check,
    protecting.protect,
    protecting.doctor,
    protecting.hook,
    plumbing.merge_driver,
    searching.find,
    environment.environment,
)


def _follow(context: click.Context, option: click.Parameter, value: object) -> None:
    """Take an option of envtag's own that stands behind the command."""
    session = context.find_object(Session)
    if session is None or not value:
        return
    if option.name == "registry":
        session.where = str(value)
    else:
        session.quiet = True


def _with_own_options(command: click.Command) -> click.Command:
    """Let a command, or each of a group, take the options that are envtag's own; its own of the same name go first."""
    if isinstance(command, click.Group):
        for child in command.commands.values():
            _with_own_options(child)
        return command
    taken = {name for parameter in command.params for name in parameter.opts}
    for option in cli.params:
        if isinstance(option, click.Option) and option.name in ("registry", "quiet") and taken.isdisjoint(option.opts):
            follower = click.Option(
                option.opts, is_flag=option.is_flag or None, help=option.help, metavar=option.metavar,
                hidden=True, expose_value=False, callback=_follow,
            )  # fmt: skip
            command.params.append(follower)
    return command


class _Cli(click.Group):
    """The commands, each of which takes envtag's own options as well once it is the one that is meant."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """See `click.Group.resolve_command`."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, _with_own_options(command) if command is not None else None, rest


@click.group(cls=_Cli, context_settings=_CONTEXT)
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

    The options below may also follow COMMAND. REF names an environment: NAME[:TAG] (`latest` if left out),
    NAME:TAG@sha256:…, or its full id.
    """
    context.obj = Session(where=registry, quiet=quiet)


for _command in _COMMANDS:
    cli.add_command(_command)
