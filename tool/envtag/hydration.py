"""From a found environment to a directory with it installed: a quick look-up, or a checked creation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from envtag.choice import choose, tell
from envtag.platforms import base_platform, current_platform
from envtag.prefix.marker import environment_path, is_whole

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.lookup import Found
    from envtag.manifest import Manifest
    from envtag.output import Output
    from envtag.store import Store


def present(found: Found, platform: str, config: Config) -> Path | None:
    """Where an environment is under the root, if it is there and whole; no lock is parsed that was read before."""
    lock_id = found.lock_id(platform)
    path = environment_path(config, lock_id)
    return path if is_whole(path, lock_id) else None


def provide(
    found: Found,
    *,
    config: Config,
    open_store: Callable[[], Store | None],
    offline: bool,
    output: Output,
    platform: str = "",
) -> Path:
    """The environment's directory under the root, created if it is not there yet.

    Args:
        found: What was looked up.
        config: The client's settings.
        open_store: Gives where packages are asked for first; called only if they must be.
        offline: Never ask an index or a channel.
        output: Where progress is told.
        platform: Which lock; the one that `choice.choose` says if empty.

    Raises:
        FatalError: It is not locked for this platform, or a package cannot be had whole.
    """
    platform = platform or tell(found, choose(found), output)
    there = present(found, platform, config)
    if there is not None:
        return there
    path = environment_path(config, found.lock_id(platform))
    create_at(path, found, config=config, open_store=open_store, offline=offline, output=output, platform=platform)
    return path


def create_at(
    target: Path,
    found: Found,
    *,
    config: Config,
    open_store: Callable[[], Store | None],
    offline: bool,
    output: Output,
    platform: str = "",
    force: bool = False,
) -> bool:
    """Create an environment for this platform in a directory; what this machine lacks for it is told.

    Args:
        target: The directory.
        found: What was looked up.
        config: The client's settings.
        open_store: Gives where packages are asked for first; called only if they must be.
        offline: Never ask an index or a channel.
        output: Where progress is told.
        platform: Which lock; the one that `choice.choose` says if empty.
        force: Replace what is there.

    Returns:
        False if it was there already.

    Raises:
        FatalError: The place is taken, or a package cannot be had whole.
    """
    platform = platform or tell(found, choose(found), output)
    if not force:
        from envtag.prefix.cloning import clone

        made = clone(found.lock_id(platform), target, config=config, output=output)
        if made is not None:
            return made
    from envtag.prefix.creation import hydrate  # with all that installs, which nothing else has a use for

    store = open_store()
    manifest = checked_manifest(found, platform, store)
    if base_platform(platform) == current_platform():
        from envtag.machine import detected, shortfalls

        for shortfall in shortfalls(manifest.lock, detected()):
            output.warn(f"{found.alias}: {shortfall}")
    return hydrate(
        manifest.lock,
        target,
        store=store,
        config=config,
        offline=offline,
        output=output,
        force=force,
        builds=manifest.builds,
    )


def checked_manifest(found: Found, platform: str, store: Store | None) -> Manifest:
    """The lock of an environment with its builds, once everything that git and the store say of it agrees.

    Raises:
        FatalError: The manifest or the replica was tampered with, or is of another lock.
    """
    return found.manifest(platform, store)
