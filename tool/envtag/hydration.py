"""From a found environment to a directory with it installed: a quick look-up, or a checked creation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.lookup import no_platform
from envtag.platforms import current_platform
from envtag.prefix.marker import environment_path, is_whole
from envtag.store import keys
from envtag.util.canonical import sha256_hex
from envtag.util.files import write_atomic

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.lock import Lock
    from envtag.lookup import Found
    from envtag.output import Output
    from envtag.store import Store


def present(found: Found, platform: str, config: Config) -> Path | None:
    """Where an environment is under the root, if it is there and whole."""
    lock_id = _lock_id(found, platform, config)
    path = environment_path(config, lock_id)
    return path if is_whole(path, lock_id) else None


def _lock_id(found: Found, platform: str, config: Config) -> str:
    """The lock id, without parsing a lock whose very bytes were read and checked before."""
    if found.record is not None:
        return found.lock_id(platform)
    environment = found.environment
    if platform not in environment.platforms:
        raise no_platform(found.alias, platform, environment.platforms)
    seen = config.directories.lock_ids / sha256_hex(environment.lock_bytes(platform))
    try:
        return seen.read_text("ascii")
    except FileNotFoundError:
        lock_id = found.lock_id(platform)
        write_atomic(seen, lock_id.encode())
        return lock_id


def provide(found: Found, *, config: Config, store: Store | None, offline: bool, output: Output) -> Path:
    """The environment's directory under the root, created if it is not there yet.

    Args:
        found: What was looked up.
        config: The client's settings.
        store: Where packages are asked for first, or None.
        offline: Never ask an index or a channel.
        output: Where progress is told.

    Raises:
        FatalError: It is not locked for this platform, or a package cannot be had whole.
    """
    platform = current_platform()
    there = present(found, platform, config)
    if there is not None:
        return there
    lock = checked_lock(found, platform, store)
    path = environment_path(config, lock.id)
    from envtag.prefix.creation import hydrate  # with all that installs, which a look-up has no use for

    hydrate(lock, path, store=store, config=config, offline=offline, output=output)
    return path


def checked_lock(found: Found, platform: str, store: Store | None) -> Lock:
    """The lock of an environment, compared with the manifest that its tag names where the store has it.

    Raises:
        FatalError: The manifest was tampered with, or is of another lock.
    """
    lock = found.lock(platform)
    digest = found.record.manifests.get(platform) if found.record is not None else None
    data = store.read(keys.manifest_key(digest)) if store is not None and digest is not None else None
    if store is None or digest is None or data is None:
        return lock
    where = f"{store.url}/{keys.manifest_key(digest)}"
    if sha256_hex(data) != digest:
        raise FatalError(
            f"{where}: the manifest of `{found.alias}` was tampered with (its content is {sha256_hex(data)[:12]})",
            "publish the environment to a clean store again",
        )
    from envtag.manifest import parse

    stored = parse(data, where).lock
    if stored.id != lock.id:
        raise FatalError(f"{where}: the manifest of `{found.alias}` is of lock {stored.id}, not of {lock.id}")
    return lock
