"""`envtag run` and `envtag shell`: a command or a shell in an environment, by name."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from envtag.choice import choose, tell
from envtag.hydration import present, provide
from envtag.prefix.activation import activated, shell_argv, wrap
from envtag.util.process import replace_process

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.lookup import Found
    from envtag.output import Output
    from envtag.store import Store


def run(
    found: Found,
    command: Sequence[str],
    *,
    offline: bool,
    open_store: Callable[[], Store],
    config: Config,
    output: Output,
    platform: str = "",
) -> int:
    """Become a command in an environment; its exit code is this program's.

    Args:
        found: What was looked up.
        command: The program and its arguments; empty for an interactive shell.
        offline: Never ask an index or a channel.
        open_store: Gives where packages are asked for first; called only if the environment is not here yet.
        config: The client's settings.
        output: Where progress is told.
        platform: The variant to take; the one that fits this machine best if empty.

    Returns:
        The command's exit code (on POSIX the process is replaced, and this does not return).

    Raises:
        FatalError: The environment cannot be had, or the command is not there.
    """
    chosen = tell(found, choose(found, platform), output)
    prefix = present(found, chosen, config)
    if prefix is None:
        prefix = provide(found, config=config, open_store=open_store, offline=offline, output=output, platform=chosen)
    environ = activated(prefix, os.environ)
    environ["ENVTAG_ALIAS"] = str(found.alias)
    found.close()  # its reading process would be left as a child of the command
    argv = wrap(prefix, list(command)) if command else shell_argv(prefix, str(found.alias))
    return replace_process(argv, environ)
