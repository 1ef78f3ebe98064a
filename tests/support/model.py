"""A store in memory with its own clock, and actors on it that run one step at a time, in an order that is drawn."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from random import Random
from typing import NamedTuple

from envtag.lock import Lock
from envtag.manifest import Manifest
from envtag.package import Package
from envtag.store import Entry, Store, keys
from envtag.util.canonical import sha256_hex

#: The bytes of the packages that there are.
CONTENTS = tuple(f"package {number}".encode() for number in range(5))
_START = datetime(2026, 1, 1, tzinfo=timezone.utc)
_LONGEST_SECONDS = 60.0


class Killed(BaseException):
    """What ends an actor as `kill -9` does: nothing after it is done."""


class Stored(NamedTuple):
    """An object: its bytes and when they were written."""

    data: bytes
    modified: datetime


class Schedule:
    """Actors that take turns: each runs up to its next request, then another is drawn."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.now = _START
        self.actors: dict[threading.Thread, Actor] = {}

    def start(self, work: Callable[[Actor], None]) -> Actor:
        """Add an actor; it does nothing before its first turn."""
        actor = Actor(self, work)
        self.actors[actor.thread] = actor
        actor.thread.start()
        return actor

    def turn(self) -> bool:
        """Let one actor go on; false if there is none left."""
        waiting = [actor for actor in self.actors.values() if not actor.done]
        if not waiting:
            return False
        self.random.choice(waiting).go()
        return True

    def step(self) -> None:
        """Where an actor's request begins: the others may come first, or it is killed."""
        actor = self.actors.get(threading.current_thread())
        if actor is not None:
            actor.wait()

    def clock(self) -> float:
        """The time as processes see it."""
        return self.now.timestamp()

    @property
    def hurried(self) -> bool:
        """Whether an actor does what must not be held up for hours."""
        return any(actor.hurried and not actor.done for actor in self.actors.values())


class Actor:
    """One process: a publisher, or a collector."""

    def __init__(self, schedule: Schedule, work: Callable[[Actor], None]) -> None:
        self.done = False
        self.killed = False
        self.hurried = False
        self.error: BaseException | None = None
        self._mine = threading.Semaphore(0)
        self._back = threading.Semaphore(0)
        self._work = work
        self.thread = threading.Thread(target=self._run, daemon=True)

    def go(self) -> None:
        """Let it run up to its next request."""
        self._mine.release()
        assert self._back.acquire(timeout=_LONGEST_SECONDS), "an actor hangs"

    def kill(self) -> None:
        """End it before its next request."""
        self.killed = True
        while not self.done:
            self.go()

    def wait(self) -> None:
        """Hand over, and wait for the next turn."""
        if not self.killed:
            self._back.release()
            self._mine.acquire()
        if self.killed:
            raise Killed

    def _run(self) -> None:
        self._mine.acquire()
        try:
            self._work(self)
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001 - told by the test
            self.error = error
        self.done = True
        self._back.release()


class ModelStore:
    """A `Store` in a dictionary; each request is one step."""

    url = "model:///"

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.objects: dict[str, Stored] = {}

    def read(self, key: str) -> bytes | None:
        """See `Store.read`."""
        self.schedule.step()
        found = self.objects.get(key)
        return None if found is None else found.data

    def size(self, key: str) -> int | None:
        """See `Store.size`."""
        data = self.read(key)
        return None if data is None else len(data)

    def read_versioned(self, key: str) -> tuple[bytes, str] | None:
        """See `Store.read_versioned`."""
        data = self.read(key)
        return None if data is None else (data, sha256_hex(data))

    def create(self, key: str, source: Path | bytes, sha256: str) -> bool:
        """See `Store.create`."""
        assert isinstance(source, bytes)
        assert sha256_hex(source) == sha256
        return self.swap(key, source, None)

    def swap(self, key: str, data: bytes, expected: str | None) -> bool:
        """See `Store.swap`."""
        self.schedule.step()
        there = self.objects.get(key)
        if (None if there is None else sha256_hex(there.data)) != expected:
            return False
        self.objects[key] = Stored(data, self.schedule.now)
        return True

    def list(self, prefix: str) -> Iterator[Entry]:
        """See `Store.list`."""
        self.schedule.step()
        found = [(key, item) for key, item in sorted(self.objects.items()) if key.startswith(prefix)]
        return iter([Entry(key=key, size=len(item.data), modified=item.modified) for key, item in found])

    def delete(self, key: str) -> None:
        """See `Store.delete`."""
        self.schedule.step()
        self.objects.pop(key, None)

    def download(self, key: str, target: Path, sha256: str, progress: Callable[[int], None] | None = None) -> bool:
        """See `Store.download`; nobody needs it here."""
        raise NotImplementedError

    def local_path(self, key: str) -> Path | None:
        """See `Store.local_path`."""
        return None

    def later(self, **time: float) -> None:
        """Let time pass (`days=1`)."""
        self.schedule.now += timedelta(**time)


def key_of(number: int) -> str:
    """The key of one of the packages."""
    return keys.object_key(sha256_hex(CONTENTS[number]), "whl")


def manifest_of(*numbers: int) -> Manifest:
    """A manifest that names some of the packages."""
    packages = tuple(
        Package(
            manager="pypi", name=f"p{number}", version="1", url=f"https://index.example/p{number}-1-py3-none-any.whl",
            sha256=sha256_hex(CONTENTS[number]), size=len(CONTENTS[number]),
        )
        for number in sorted(numbers)
    )  # fmt: skip
    return Manifest(
        lock=Lock(platform="linux-64", request="a" * 40, interpreter="uv", python="3.11", packages=packages)
    )


def put(store: Store, *numbers: int) -> Manifest:
    """Packages and a manifest that names them, as a publisher leaves them in a store."""
    manifest = manifest_of(*numbers)
    for number in numbers:
        store.create(key_of(number), CONTENTS[number], sha256_hex(CONTENTS[number]))
    store.create(keys.manifest_key(manifest.digest), manifest.to_bytes(), manifest.digest)
    return manifest
