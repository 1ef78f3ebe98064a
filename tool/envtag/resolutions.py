"""What each request was resolved to, when and by whom: the store's index of locks by request id."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from envtag.errors import FatalError
from envtag.manifest import parse as parse_manifest
from envtag.store import keys
from envtag.store.base import contended
from envtag.util.canonical import canonical_json, sha256_hex
from envtag.util.parallel import in_parallel

if TYPE_CHECKING:
    from envtag.manifest import Manifest
    from envtag.store import Store

#: What the names of environments begin with that flows solved for their steps: no tag ever leads to them.
OF_FLOWS = "flows/"
_VERSION = 1
_ATTEMPTS = 5
_SHA256 = re.compile(r"[0-9a-f]{64}")
_HINT = "it is damaged or was tampered with: remove it, and publish its environment again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """One record: a request on one platform was resolved to a lock.

    Attributes:
        request: The request id (40 hex digits).
        platform: Where it is for.
        lock: The lock id (40 hex digits).
        manifest: SHA-256 of the manifest that hydrates it (64 hex digits).
        environment: Name of the environment that it was first published as.
        commit: The commit that it was published from.
        who: Author of the commit, `Name <mail>`.
        when: The commit's date, `YYYY-MM-DDTHH:MM:SSZ`.
    """

    request: str
    platform: str
    lock: str
    manifest: str
    environment: str
    commit: str
    who: str
    when: str

    def to_bytes(self) -> bytes:
        """The record as it is stored: canonical JSON and a newline."""
        return canonical_json({"version": _VERSION, **asdict(self)}) + b"\n"


_KEYS = frozenset({"version", *(item.name for item in fields(Resolution))})


def record(store: Store, *, manifest: Manifest, environment: str, commit: str, who: str, when: str) -> str:
    """Store a manifest and record what it resolves, unless that was done before: the first writer decides.

    Two machines may make different manifests of one lock (their Pythons have different patch versions). All agree on
    the one that the record names, so long as the store has it whole.

    Args:
        store: Where to.
        manifest: What this machine made of the lock.
        environment: The environment's name.
        commit: The commit that it is published from.
        who: The commit's author.
        when: The commit's date.

    Returns:
        SHA-256 of the manifest to use, which is in the store.

    Raises:
        FatalError: What is recorded is malformed, or its manifest was tampered with.
    """
    lock = manifest.lock
    data = manifest.to_bytes()
    mine = Resolution(
        request=lock.request,
        platform=lock.platform,
        lock=lock.id,
        manifest=sha256_hex(data),
        environment=environment,
        commit=commit,
        who=who,
        when=when,
    )
    key = keys.request_key(lock.request, lock.platform, lock.id)
    for _ in range(_ATTEMPTS):
        found = store.read_versioned(key)
        there = parse(found[0], key, store.url) if found is not None else None
        if there is not None and _has_manifest(store, there):
            return there.manifest
        store.create(keys.manifest_key(mine.manifest), data, mine.manifest)
        if there is not None and there.manifest == mine.manifest:
            return mine.manifest
        if store.swap(key, mine.to_bytes(), found[1] if found is not None else None):
            return mine.manifest
    raise contended(key, store.url)


def renew(store: Store, key: str) -> None:
    """Let a record be as if it was written now, for who counts its age; one that is being written is young anyway."""
    found = store.read_versioned(key)
    if found is not None:
        store.swap(key, found[0], found[1])


def find(store: Store, request: str, platform: str = "") -> list[Resolution]:
    """What a request was resolved to, the newest first.

    Args:
        store: Where it is recorded.
        request: A request id (40 hex digits).
        platform: Only on this platform; all of them if empty.

    Raises:
        FatalError: A record is malformed, or not of its key.
    """
    found = [entry.key for entry in store.list(keys.request_prefix(request, platform))]
    records = in_parallel(lambda key: _read(store, key), found)
    known = [item for item in records if item is not None]
    return sorted(known, key=lambda item: (item.when, item.platform, item.lock), reverse=True)


def parse(data: bytes, key: str, where: str) -> Resolution:
    """Read a record and check that it is the one of its key.

    Args:
        data: The object's bytes.
        key: Its key, which repeats request, platform and lock.
        where: The store's URL.

    Raises:
        FatalError: It is malformed, of another version, or of another key.
    """
    try:
        document = json.loads(data)
    except ValueError as error:
        raise FatalError(f"`{key}` in {where}: not JSON: {error}", _HINT) from error
    if not isinstance(document, dict) or document.get("version") != _VERSION:
        raise FatalError(f"`{key}` in {where}: not a record of version {_VERSION}", "a newer envtag may read it")
    if set(document) != _KEYS or not all(isinstance(document[name], str) for name in _KEYS - {"version"}):
        odd = ", ".join(f"`{name}`" for name in sorted(_odd(document)))
        raise FatalError(f"`{key}` in {where}: unknown, missing or malformed: {odd}", _HINT)
    item = Resolution(**{name: value for name, value in document.items() if name != "version"})
    if keys.request_key(item.request, item.platform, item.lock) != key:
        raise FatalError(f"`{key}` in {where} is the record of `{item.request}:{item.lock}`", _HINT)
    if not _SHA256.fullmatch(item.manifest):
        raise FatalError(f"`{key}` in {where}: `manifest` is no sha256: `{item.manifest}`", _HINT)
    return item


def _odd(document: dict[str, Any]) -> Iterator[str]:
    yield from set(document) ^ _KEYS
    yield from (name for name in set(document) & _KEYS - {"version"} if not isinstance(document[name], str))


def _read(store: Store, key: str) -> Resolution | None:
    """A record, or None if it was removed since it was listed."""
    data = store.read(key)
    return None if data is None else parse(data, key, store.url)


def _has_manifest(store: Store, item: Resolution) -> bool:
    key = keys.manifest_key(item.manifest)
    data = store.read(key)
    if data is None:
        return False
    where = f"`{key}` in {store.url}"
    if sha256_hex(data) != item.manifest:
        raise FatalError(f"{where} has other bytes than its name promises", "remove it, and publish again")
    if parse_manifest(data, where).lock.id != item.lock:
        raise FatalError(f"{where} is not of lock {item.lock}, which the record of `{item.environment}` says", _HINT)
    return True


def is_current(store: Store, request: str, platform: str, lock: str) -> bool:
    """Whether a lock is what its request is resolved to today: the newest that is recorded, or none is.

    Raises:
        FatalError: The store does not answer, or a record is malformed.
    """
    found = find(store, request, platform)
    return not found or found[0].lock == lock
