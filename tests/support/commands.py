"""What the command line declares."""

from __future__ import annotations

import click

from envtag.cli.app import cli


def options_of(command: str) -> set[str]:
    """The options of a command, in each of their spellings."""
    found = cli.commands[command]
    return {
        option for item in found.params if isinstance(item, click.Option) and not item.hidden for option in item.opts
    }
