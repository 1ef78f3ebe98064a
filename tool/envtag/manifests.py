"""Manifests in a store: read by their digest, each held to the lock that it is of, and to what git says of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from envtag import resolutions, trust
from envtag.errors import FatalError
from envtag.manifest import Manifest, parse
from envtag.replicas import check_agreement, read_replica
from envtag.store import Store, keys
from envtag.util.canonical import sha256_hex

if TYPE_CHECKING:
    from pathlib import Path

    from envtag.lock import Lock
    from envtag.names import Alias
    from envtag.record import TagRecord


def alone(lock: Lock) -> Manifest:
    """What there is to install without a store: a lock."""
    return Manifest(lock=lock)


def of_release(lock: Lock, alias: Alias, commit: str, record: TagRecord, store: Store, *, memory: Path) -> Manifest:
    """The manifest of a released tag, once the store's replica of the tag agrees with git; both are read at once.

    Args:
        lock: The tag's lock on a platform, from git.
        alias: The immutable tag.
        commit: The commit that its git tag is on.
        record: The record in its git tag.
        store: Where the manifest is; the lock alone is what it comes to where it is not.
        memory: The client's memory of tags, which also knows what a store said of them when there was no git.

    Raises:
        FatalError: The replica says something else than git, or the manifest is not what the tag names.
    """
    with ThreadPoolExecutor(1) as threads:
        replica = threads.submit(read_replica, store, alias)
        found = read_manifest(store, record.manifests[lock.platform], f"`{alias}`")
        replicated = replica.result()
    if replicated is not None:
        check_agreement(replicated, commit, record, store.url)
        trust.remember(memory, store.url, alias, record.locks)
    if found is None:
        return alone(lock)
    _check_lock(found, lock.id, f"{store.url}/{keys.manifest_key(record.manifests[lock.platform])}", f"`{alias}`")
    return found


def of_lock(lock: Lock, store: Store) -> Manifest:
    """The manifest that a store has for a lock that no tag leads to; asked for only where it could say more.

    Raises:
        FatalError: It is not what it should be.
    """
    if not any(package.is_source for package in lock.packages):
        return alone(lock)
    key = keys.request_key(lock.request, lock.platform, lock.id)
    data = store.read(key)
    if data is None:
        return alone(lock)
    digest = resolutions.parse(data, key, store.url).manifest
    found = read_manifest(store, digest, f"lock {lock.id}")
    if found is None:
        return alone(lock)
    _check_lock(found, lock.id, f"{store.url}/{keys.manifest_key(digest)}", f"lock {lock.id}")
    return found


def read_manifest(store: Store, digest: str, what: str) -> Manifest | None:
    """A manifest by its digest; None where the store has it not.

    Args:
        store: Where it is.
        digest: SHA-256 of its bytes, 64 hex digits.
        what: What it is the manifest of, for errors.

    Raises:
        FatalError: Its bytes are other ones, or no manifest.
    """
    data = store.read(keys.manifest_key(digest))
    if data is None:
        return None
    where = f"{store.url}/{keys.manifest_key(digest)}"
    if sha256_hex(data) != digest:
        raise FatalError(
            f"{where}: the manifest of {what} was tampered with (its content is {sha256_hex(data)[:12]})",
            "remove it there and publish the environment again",
        )
    return parse(data, where)


def _check_lock(manifest: Manifest, lock: str, where: str, what: str) -> None:
    if manifest.lock.id != lock:
        raise FatalError(f"{where}: the manifest of {what} is of lock {manifest.lock.id}, not of {lock}")
