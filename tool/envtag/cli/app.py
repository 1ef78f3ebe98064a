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


for _command in _COMMANDS:
    cli.add_command(_command)
