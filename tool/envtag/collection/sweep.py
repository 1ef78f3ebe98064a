"""Freeing what is not needed, in two phases: a tombstone now, the deletion in a later run once the window is over."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from envtag.errors import FatalError
from envtag.store import keys
from envtag.tombstones import State, parse_state, tombstone
from envtag.util.parallel import in_parallel

if TYPE_CHECKING:
    from envtag.collection.marking import Item, Survey
    from envtag.output import Output
    from envtag.store import Store

_THREADS = 8
#: So long after it said `deleting`, a collector has deleted, or never will: a request is given up before that.
LEASE = timedelta(minutes=10)
_PROMPT_SECONDS = 60.0
_CLOCK_REMAINS = timedelta(days=1)


class Fate(Enum):
    """What one run did with an object, or would do."""

    KEPT = "kept"
    MARKED = "marked"
    WAITING = "waiting"
    DELETED = "deleted"
    LEFT = "left"


class _Tomb(NamedTuple):
    """A tombstone: its state, the version that was read, and when that was written at the latest."""

    state: State
    version: str
    modified: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What one run did.

    Attributes:
        fates: Each object with what became of it: `LEFT` is one that another collector deletes, or a publisher
            took back just now.
        requests: How many records of requests, whose manifests are gone, were deleted.
    """

    fates: tuple[tuple[Item, Fate], ...]
    requests: int


def store_time(store: Store) -> datetime:
    """The store's own time, whatever this machine's clock says: that of an object written now, then deleted.

    Raises:
        FatalError: The store cannot be written.
    """
    key = f"{keys.CLOCK}{uuid4().hex}.json"
    store.swap(key, b"{}\n", None)
    try:
        found = [entry.modified for entry in store.list(key)]
    finally:
        store.delete(key)
    if not found:
        raise FatalError(f"`{key}` was removed from {store.url} while gc ran", "run gc again")
    return found[0]


@dataclass(slots=True, kw_only=True)
class Sweep:
    """One run over a store.

    Attributes:
        store: The store.
        now: Its time when the run began.
        window: How long an object stays after it was marked.
        dry_run: Only say what would be done.
        output: Where progress is told.
    """

    store: Store
    now: datetime
    window: timedelta
    dry_run: bool
    output: Output
    clock: Callable[[], float] = field(default=time.time, repr=False)

    def run(self, survey: Survey) -> Swept:
        """Mark, delete and take back, each as its object needs it.

        Raises:
            FatalError: A tombstone cannot be read, so that nothing is deleted, or the store refuses.
        """
        tombs = self._tombs()
        fates: dict[str, Fate] = {}
        remaining = dict(survey.named)
        total = len(survey.items)
        with self.output.task("sweeping", total) as task:
            for items in _groups(survey.items):
                held = frozenset(key for named in remaining.values() for key in named)

                def treat(item: Item, held: frozenset[str] = held) -> Fate:
                    fate = self._treat(item, tombs.get(item.key), held)
                    task.advance()
                    return fate

                for item, fate in zip(items, in_parallel(treat, items, threads=_THREADS), strict=True):
                    fates[item.key] = fate
                    if fate is Fate.DELETED:
                        remaining.pop(item.key, None)
        self._bury({key: tomb for key, tomb in tombs.items() if key not in fates})
        there = {key for key, fate in fates.items() if fate is not Fate.DELETED}
        return Swept(
            fates=tuple((item, fates[item.key]) for item in survey.items), requests=self._forget(survey, there)
        )

    def _tombs(self) -> dict[str, _Tomb]:
        """Every tombstone, read before the times are listed, so that none is taken for older than it is."""
        listed = [keys.tombstoned(entry.key) for entry in self.store.list(keys.TOMBSTONES)]

        def read(key: str) -> tuple[State, str] | None:
            found = self.store.read_versioned(keys.tombstone_key(key))
            return None if found is None else (parse_state(found[0], key, self.store.url), found[1])

        found = dict(zip(listed, in_parallel(read, listed), strict=True))
        tombs = {}
        for entry in self.store.list(keys.TOMBSTONES):
            state = found.get(keys.tombstoned(entry.key))
            if state is not None:
                tombs[keys.tombstoned(entry.key)] = _Tomb(*state, entry.modified)
        return tombs

    def _treat(self, item: Item, tomb: _Tomb | None, held: frozenset[str]) -> Fate:
        if tomb is None:
            return Fate.KEPT if item.needed else self._mark(item, None)
        if tomb.state == "deleting" and self.now - tomb.modified < LEASE:
            return Fate.LEFT
        if item.needed or (tomb.state != "revived" and item.modified >= tomb.modified):
            return Fate.KEPT if tomb.state == "revived" or self._swap(item.key, "revived", tomb) else Fate.LEFT
        return self._next(item, tomb, held)

    def _next(self, item: Item, tomb: _Tomb, held: frozenset[str]) -> Fate:
        """The next step of an object that nothing needs and that has a tombstone."""
        if tomb.state == "deleting":
            return self._delete(item, tomb)
        if self.now - tomb.modified < self.window or (tomb.state == "marked" and item.key in held):
            return Fate.WAITING
        return self._mark(item, tomb) if tomb.state == "revived" else self._delete(item, tomb)

    def _mark(self, item: Item, tomb: _Tomb | None) -> Fate:
        return Fate.MARKED if self._swap(item.key, "marked", tomb) else Fate.LEFT

    def _delete(self, item: Item, tomb: _Tomb) -> Fate:
        if self.dry_run:
            return Fate.DELETED
        began = self.clock()
        if not self._swap(item.key, "deleting", tomb):
            return Fate.LEFT
        if abs(self.clock() - began) > _PROMPT_SECONDS:
            return Fate.LEFT  # so late that another collector may take over: leave it to that one
        self.store.delete(item.key)
        self.store.delete(keys.tombstone_key(item.key))
        return Fate.DELETED

    def _swap(self, key: str, state: State, tomb: _Tomb | None) -> bool:
        if self.dry_run:
            return True
        expected = None if tomb is None else tomb.version
        return self.store.swap(keys.tombstone_key(key), tombstone(key, state), expected)

    def _bury(self, tombs: Mapping[str, _Tomb]) -> None:
        """Remove tombstones whose objects are gone: the collector was killed between the two, or a person did it."""
        if self.dry_run:
            return
        for key, tomb in tombs.items():
            if self.now - tomb.modified >= LEASE and self._swap(key, "deleting", tomb):
                self.store.delete(keys.tombstone_key(key))
        for entry in list(self.store.list(keys.CLOCK)):
            if self.now - entry.modified > _CLOCK_REMAINS:
                self.store.delete(entry.key)

    def _forget(self, survey: Survey, there: set[str]) -> int:
        """Delete old records of requests whose manifests are gone, unless they were rewritten meanwhile."""
        count = 0
        for entry, digest in survey.requests:
            if keys.manifest_key(digest) in there:
                continue
            count += 1
            if not self.dry_run and digest.encode() in (self.store.read(entry.key) or b""):
                self.store.delete(entry.key)
        return count


def _groups(items: Iterable[Item]) -> list[list[Item]]:
    """Manifests, then builds, then packages: what names goes before what it names."""
    groups: dict[str, list[Item]] = {keys.MANIFESTS: [], keys.BUILDS: [], keys.OBJECTS: []}
    for item in items:
        next(group for prefix, group in groups.items() if item.key.startswith(prefix)).append(item)
    return list(groups.values())
