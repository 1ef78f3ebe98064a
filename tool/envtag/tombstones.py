"""Tombstones: how a collector says what it will delete, and how a publisher that needs it says no in time.

An object that nothing reaches is marked first. Once its mark is older than the window and nothing reaches it still, the
mark is swapped for `deleting`, the object is deleted, and the tombstone last. Each of these steps is a compare and swap
against a publisher that wants to reuse the object: it swaps the mark for `revived`, and one of the two is told no.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

from envtag.errors import FatalError
from envtag.store import keys
from envtag.util.canonical import canonical_json
from envtag.util.parallel import in_parallel

if TYPE_CHECKING:
    from envtag.store import Store

State = Literal["marked", "revived", "deleting"]

_VERSION = 1
_STATES = ("marked", "revived", "deleting")
_FRESH_SECONDS = 3600.0  # far less than the shortest window
_WAIT_SECONDS = 30.0  # one deletion takes a fraction of a second
_PAUSE_SECONDS = 0.2


def tombstone(key: str, state: State) -> bytes:
    """The bytes of a tombstone: no two are the same, so a swap can never take a later mark for an earlier one."""
    return canonical_json({"version": _VERSION, "key": key, "state": state, "nonce": uuid4().hex}) + b"\n"


def parse_state(data: bytes, key: str, where: str) -> State:
    """The state that a tombstone of an object is in.

    Args:
        data: The tombstone's bytes.
        key: The key of the object.
        where: The store's URL.

    Raises:
        FatalError: It is damaged, of another version, or of another object.
    """
    name = f"`{keys.tombstone_key(key)}` in {where}"
    hint = "it is damaged: remove it; gc marks the object anew"
    try:
        document = json.loads(data)
    except ValueError as error:
        raise FatalError(f"{name} is not JSON: {error}", hint) from error
    if not isinstance(document, dict) or document.get("version") != _VERSION:
        raise FatalError(f"{name} is not a tombstone of version {_VERSION}", "a newer envtag may read it")
    if document.get("key") != key or document.get("state") not in _STATES:
        raise FatalError(f"{name} is no tombstone of `{key}`", hint)
    state: State = document["state"]
    return state


@dataclass(slots=True, kw_only=True)
class Tombstones:
    """What a publisher asks before it builds on objects; safe to use from several threads.

    Attributes:
        store: Where the objects are.
    """

    store: Store
    clock: Callable[[], float] = field(default=time.time, repr=False)
    pause: Callable[[float], None] = field(default=time.sleep, repr=False)
    _known: set[str] = field(default_factory=set, repr=False)
    _asked: set[str] = field(default_factory=set, repr=False)
    _loaded: float | None = None
    _began: float | None = None  # since when what was asked for has to be there

    def load(self) -> None:
        """List the tombstones; each look-up after it is free, unless there is one in the way.

        Raises:
            FatalError: The store cannot be listed.
        """
        self._loaded = self.clock()
        if self._began is None:
            self._began = self._loaded
        self._known = {keys.tombstoned(entry.key) for entry in self.store.list(keys.TOMBSTONES)}

    def revive(self, key: str) -> bool:
        """Make sure that an object which is about to be built on is not deleted meanwhile.

        Ask for every object that is needed, found there or about to be written, before looking whether it is there.

        Args:
            key: An object or a manifest.

        Returns:
            True if nothing is in its way. False if it was deleted since the tombstones were listed: write it anew.

        Raises:
            FatalError: It stays half deleted, since a collector was killed, or hangs.
        """
        if self._loaded is None or abs(self.clock() - self._loaded) > _FRESH_SECONDS:
            self.load()
        self._asked.add(key)
        return key not in self._known or self._revive(key)

    def confirm(self) -> None:
        """Make sure that nothing asked for was deleted since: the last look before a tag names it all.

        Raises:
            FatalError: Something was, so that the publication must begin again.
        """
        now = self.clock()
        long_ago = self._began is not None and abs(now - self._began) > _FRESH_SECONDS
        self.load()
        for key in sorted(self._asked & self._known):
            if not self._revive(key):
                raise _gone(key, self.store)
        asked = sorted(self._asked) if long_ago else []
        for key, size in zip(asked, in_parallel(self.store.size, asked), strict=True):
            if size is None:
                raise _gone(key, self.store)
        self._began = now

    def _revive(self, key: str) -> bool:
        name = keys.tombstone_key(key)
        waited = 0.0
        while True:
            found = self.store.read_versioned(name)
            if found is None:
                self._known.discard(key)
                return False
            data, version = found
            state = parse_state(data, key, self.store.url)
            if state == "revived" or (state == "marked" and self.store.swap(name, tombstone(key, "revived"), version)):
                return True
            if waited >= _WAIT_SECONDS:
                raise FatalError(
                    f"`{key}` in {self.store.url} is being deleted by a gc that was killed, or hangs",
                    "run `envtag gc` to finish it, ten minutes after the other one; then publish again",
                )
            self.pause(_PAUSE_SECONDS)
            waited += _PAUSE_SECONDS


def _gone(key: str, store: Store) -> FatalError:
    return FatalError(
        f"`{key}` was deleted from {store.url} by a gc while this publication used it", "publish again: it is uploaded"
    )
