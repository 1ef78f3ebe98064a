"""`envtag get` and `envtag create`: an environment's files onto this machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.hydration import create_at, provide
from envtag.names import parse_tag

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.lookup import Found
    from envtag.output import Output
    from envtag.store import Store


def create(
    found: Found,
    *,
    prefix: Path | None,
    name: str,
    force: bool,
    offline: bool,
    open_store: Callable[[], Store],
    config: Config,
    output: Output,
) -> int:
    """Create an environment under the root, or at a place or name of the user's choice; prints its path.

    Args:
        found: What was looked up.
        prefix: The directory to create it at, or None.
        name: The name to create it under, or empty.
        force: Replace what is at that place.
        offline: Never ask an index or a channel.
        open_store: Gives where packages are asked for first; called only if they must be.
        config: The client's settings.
        output: Where it is told.

    Returns:
        0.

    Raises:
        FatalError: The place is taken, or a package cannot be had whole.
    """
    if prefix is not None and name:
        raise FatalError("`--prefix` and `--name` both say where", "give one of them")
    if prefix is None and not name:
        if force:
            raise FatalError(
                "`--force` goes with `--prefix` or `--name`", "environments under the root are kept by their id"
            )
        path = provide(found, config=config, open_store=open_store, offline=offline, output=output)
        output.data(str(path))
        return 0
    target = prefix.absolute() if prefix is not None else config.directories.named / parse_tag(name)
    made = create_at(target, found, config=config, open_store=open_store, offline=offline, output=output, force=force)
    output.data(str(target))
    output.say(f"{'created' if made else 'already there,'} {found.alias}; run in it: `{target / 'bin' / 'python'}`")
    return 0
