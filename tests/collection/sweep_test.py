from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from envtag.collection import Fate, Roots, Sweep, store_time, survey
from envtag.errors import FatalError
from envtag.manifest import Manifest
from envtag.output import Output
from envtag.store import keys
from envtag.tombstones import Tombstones, tombstone
from envtag.util.canonical import sha256_hex
from support.model import CONTENTS, Actor, Killed, ModelStore, Schedule, key_of, manifest_of, put

KEEP, WINDOW = timedelta(days=2), timedelta(days=1)


@pytest.fixture(autouse=True)
def _serial(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an actor be one thread, so that its steps can be put in order."""
    for module in ("collection.marking", "collection.sweep", "tombstones"):
        monkeypatch.setattr(f"envtag.{module}.in_parallel", lambda call, items, **_: [call(item) for item in items])


@pytest.fixture
def store() -> ModelStore:
    return ModelStore(Schedule(0))


def collect(store: ModelStore, *needed: Manifest, dry_run: bool = False, window: timedelta = WINDOW) -> dict[str, Fate]:
    """One run of a collector; what became of each object."""
    roots = Roots()
    for manifest in needed:
        roots.manifests[manifest.digest].add("a/b")
    now = store.schedule.now if dry_run else store_time(store)
    seen = survey(store, roots, now=now, keep=KEEP)
    sweep = Sweep(
        store=store, now=now, window=window, dry_run=dry_run, output=Output(quiet=True), clock=store.schedule.clock
    )
    return {item.key: fate for item, fate in sweep.run(seen).fates}


def state(store: ModelStore, key: str) -> str:
    return str(json.loads(store.objects[keys.tombstone_key(key)].data)["state"])


def test_time_is_the_stores_own_and_asking_leaves_nothing(store: ModelStore):
    assert store_time(store) == store.schedule.now
    assert store.objects == {}


def test_nothing_is_deleted_before_it_was_marked_for_the_whole_window(store: ModelStore):
    manifest = put(store, 0)
    key, package = keys.manifest_key(manifest.digest), key_of(0)
    assert collect(store) == {key: Fate.KEPT, package: Fate.KEPT}
    store.later(days=3)
    assert collect(store) == {key: Fate.MARKED, package: Fate.MARKED}
    store.later(hours=23)
    assert collect(store) == {key: Fate.WAITING, package: Fate.WAITING}
    store.later(hours=1)
    assert collect(store) == {key: Fate.DELETED, package: Fate.DELETED}
    assert store.objects == {}


def test_a_dry_run_says_the_same_and_writes_nothing(store: ModelStore):
    put(store, 0)
    for days in (3, 2):
        store.later(days=days)
        before = dict(store.objects)
        would = collect(store, dry_run=True)
        assert store.objects == before
        assert collect(store) == would
    assert set(would.values()) == {Fate.DELETED}


def test_what_is_needed_again_is_taken_back_and_later_marked_for_a_whole_window_again(store: ModelStore):
    manifest = put(store, 0)
    store.later(days=3)
    collect(store)
    store.later(days=2)
    assert set(collect(store, manifest).values()) == {Fate.KEPT}
    assert state(store, key_of(0)) == "revived"
    assert set(collect(store).values()) == {Fate.WAITING}
    store.later(days=1)
    assert set(collect(store).values()) == {Fate.MARKED}
    assert set(collect(store).values()) == {Fate.WAITING}


def test_packages_stay_as_long_as_a_manifest_that_names_them_is_there(store: ModelStore):
    manifest = put(store, 0)
    store.later(days=3)
    store.swap(keys.tombstone_key(key_of(0)), tombstone(key_of(0), "marked"), None)
    store.later(days=2)
    assert collect(store) == {keys.manifest_key(manifest.digest): Fate.MARKED, key_of(0): Fate.WAITING}
    store.later(days=2)
    assert set(collect(store).values()) == {Fate.DELETED}


def test_a_manifest_is_deleted_before_its_packages(store: ModelStore, monkeypatch):
    manifest = put(store, 0, 1)
    store.later(days=3)
    collect(store)
    store.later(days=2)
    gone = []
    real = store.delete
    monkeypatch.setattr(store, "delete", lambda key: (gone.append(key), real(key))[1])
    collect(store)
    gone = [key for key in gone if key.startswith(("objects", "manifests"))]
    assert gone == [keys.manifest_key(manifest.digest), *sorted([key_of(0), key_of(1)])]


def test_what_a_publisher_takes_back_meanwhile_stays(store: ModelStore, monkeypatch):
    put(store, 0)
    store.later(days=3)
    collect(store)
    store.later(days=2)
    publisher = Tombstones(store=store, clock=store.schedule.clock)
    real = store.swap

    def swap(key: str, data: bytes, expected: str | None) -> bool:
        if key == keys.tombstone_key(key_of(0)) and b"deleting" in data:
            monkeypatch.setattr(store, "swap", real)
            assert publisher.revive(key_of(0))
        return real(key, data, expected)

    monkeypatch.setattr(store, "swap", swap)
    assert collect(store)[key_of(0)] is Fate.LEFT
    assert key_of(0) in store.objects
    assert state(store, key_of(0)) == "revived"


@pytest.mark.parametrize("package_gone", [False, True])
def test_a_killed_collector_is_finished_by_the_next_one_once_it_cannot_act_any_more(
    store: ModelStore, package_gone: bool
):
    put(store, 0)
    store.later(days=3)
    collect(store)
    store.later(days=2)
    collect(store, window=timedelta(days=9))
    store.objects[keys.tombstone_key(key_of(0))] = store.objects[keys.tombstone_key(key_of(0))]._replace(
        data=tombstone(key_of(0), "deleting"), modified=store.schedule.now
    )
    if package_gone:
        store.delete(key_of(0))
    assert collect(store).get(key_of(0)) in (Fate.LEFT, None)
    assert keys.tombstone_key(key_of(0)) in store.objects
    store.later(minutes=10)
    collect(store)
    assert key_of(0) not in store.objects
    assert keys.tombstone_key(key_of(0)) not in store.objects


def test_what_was_written_again_after_its_mark_stays(store: ModelStore):
    put(store, 0)
    store.later(days=3)
    collect(store)
    store.delete(key_of(0))
    store.later(days=1)
    store.create(key_of(0), CONTENTS[0], sha256_hex(CONTENTS[0]))
    store.later(days=2.5)
    assert collect(store)[key_of(0)] is Fate.KEPT
    assert key_of(0) in store.objects


def test_a_collector_that_was_held_up_leaves_the_deletion_to_another(store: ModelStore, monkeypatch):
    put(store, 0)
    store.later(days=3)
    collect(store)
    store.later(days=2)
    real = store.swap

    def slow(key: str, data: bytes, expected: str | None) -> bool:
        done = real(key, data, expected)
        if b"deleting" in data:
            store.later(minutes=5)
        return done

    monkeypatch.setattr(store, "swap", slow)
    assert set(collect(store).values()) == {Fate.LEFT, Fate.WAITING}
    assert key_of(0) in store.objects


def test_a_damaged_tombstone_stops_it_before_anything_is_deleted(store: ModelStore):
    put(store, 0)
    store.later(days=3)
    collect(store)
    store.later(days=2)
    name = keys.tombstone_key(key_of(0))
    store.objects[name] = store.objects[name]._replace(data=b"{")
    before = set(store.objects)
    with pytest.raises(FatalError, match="is not JSON"):
        collect(store)
    assert set(store.objects) == before


def test_what_killed_runs_left_of_the_clock_goes(store: ModelStore):
    store.swap(f"{keys.CLOCK}left.json", b"{}", None)
    collect(store)
    assert f"{keys.CLOCK}left.json" in store.objects
    store.later(days=2)
    collect(store)
    assert store.objects == {}


class World:
    """Publishers and collectors that run, are held up and are killed at any request, in an order that a seed gives."""

    def __init__(self, seed: int) -> None:
        self.schedule = Schedule(seed)
        self.store = ModelStore(self.schedule)
        self.tags: dict[str, Manifest] = {}
        self.lost: list[str] = []
        self.deleting: dict[Actor, int] = {}

    def publisher(self, manifest: Manifest, numbers: list[int]) -> Callable[[Actor], None]:
        """What `envtag publish` does, as far as the store is concerned."""
        store = self.store

        def pause(_: float) -> None:
            self.schedule.step()

        def work(actor: Actor) -> None:
            asked = Tombstones(store=store, clock=self.schedule.clock, pause=pause)
            asked.load()
            for number in numbers:
                whole = asked.revive(key_of(number))
                if not whole or store.size(key_of(number)) is None:
                    store.create(key_of(number), CONTENTS[number], sha256_hex(CONTENTS[number]))
            asked.revive(keys.manifest_key(manifest.digest))
            store.create(keys.manifest_key(manifest.digest), manifest.to_bytes(), manifest.digest)
            actor.hurried = True
            asked.confirm()
            self.tags[manifest.digest] = manifest
            actor.hurried = False

        return work

    def collector(self, actor: Actor) -> None:
        """What `envtag gc` does, on roots as they are when it looks."""
        store = self.store
        now = store_time(store)
        roots = Roots()
        self.schedule.step()
        for digest in self.tags:
            roots.manifests[digest].add("a/b")
        seen = survey(store, roots, now=now, keep=KEEP)
        sweep = Sweep(
            store=_Hurrying(store, actor), now=now, window=WINDOW, dry_run=False, output=Output(quiet=True),
            clock=self.schedule.clock,
        )  # fmt: skip
        sweep.run(seen)

    def check(self) -> None:
        """Every tag has its manifest, and each of its packages."""
        for manifest in self.tags.values():
            wanted = [keys.manifest_key(manifest.digest)]
            wanted += [keys.object_key(package.sha256, "whl") for package in manifest.lock.packages]
            self.lost += [key for key in wanted if key not in self.store.objects]


class _Hurrying:
    """A collector's store: between saying `deleting` and the deletion, it must not be held up for hours."""

    def __init__(self, store: ModelStore, actor: Actor) -> None:
        self._store = store
        self._actor = actor

    def __getattr__(self, name: str):
        return getattr(self._store, name)

    def swap(self, key: str, data: bytes, expected: str | None) -> bool:
        if b"deleting" not in data:
            return self._store.swap(key, data, expected)
        self._actor.hurried = True
        done = self._store.swap(key, data, expected)
        self._actor.hurried = done
        return done

    def delete(self, key: str) -> None:
        self._store.delete(key)
        self._actor.hurried = not key.startswith(keys.TOMBSTONES) and self._actor.hurried


@pytest.mark.parametrize("seed", range(30))
def test_no_released_manifest_ever_misses_a_package(seed: int):
    world = World(seed)
    schedule, random = world.schedule, world.schedule.random
    actors: list[Actor] = []
    for _ in range(500):
        alive = [actor for actor in actors if not actor.done]
        if len(alive) < 3 and random.random() < 0.2:
            numbers = random.sample(range(5), random.randint(1, 4))
            work = world.collector if random.random() < 0.5 else world.publisher(manifest_of(*numbers), numbers)
            actors.append(schedule.start(work))
        if alive and random.random() < 0.02:
            random.choice(alive).kill()
        if random.random() < 0.1:
            hours = 0.01 if schedule.hurried else random.choice([0.01, 1, 12, 30, 80])
            world.store.later(hours=hours)
        if random.random() < 0.03 and world.tags:
            world.tags.pop(random.choice(sorted(world.tags)))  # a namespace's tag may go
        schedule.turn()
        world.check()
        assert world.lost == []
    for actor in actors:
        actor.kill()
        assert actor.error is None or isinstance(actor.error, FatalError)
    assert not any(isinstance(actor.error, Killed) for actor in actors)
    needed = tuple(world.tags.values())
    for _ in range(4):
        world.store.later(days=5)
        collect(world.store, *needed)
        world.check()
    wanted = {keys.manifest_key(item.digest) for item in needed}
    wanted |= {keys.object_key(package.sha256, "whl") for item in needed for package in item.lock.packages}
    assert {key for key in world.store.objects if not key.startswith((keys.TOMBSTONES, keys.CLOCK))} == wanted
    assert world.lost == []
