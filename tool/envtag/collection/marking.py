"""Everything in a store, and what of it is needed: from roots to manifests to packages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from envtag import build_record, resolutions
from envtag.errors import FatalError
from envtag.manifest import parse as parse_manifest
from envtag.store import Entry, keys
from envtag.util.canonical import sha256_hex
from envtag.util.parallel import in_parallel

if TYPE_CHECKING:
    from envtag.collection.roots import Roots
    from envtag.resolutions import Resolution
    from envtag.store import Store

#: What flows solved for their steps is kept at least so long after it was last brought to the store: a deployed flow
#: needs it, and no tag says so.
KEEP_OF_FLOWS = timedelta(days=365)
#: What needs the archives that hydrate environments in pods, in place of an environment's name.
PODS = "pods"
_HINT = "nothing was deleted: `envtag verify --all` says what else is broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One object of the store that a collector may delete.

    Attributes:
        key: Its key.
        size: In bytes.
        modified: When it was written, by the store's clock.
        needed: Whether something reaches it, or it is younger than the grace period.
        names: The environments that need it; if none does, those that used to.
    """

    key: str
    size: int
    modified: datetime
    needed: bool
    names: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """A store at one moment.

    Attributes:
        items: Manifests, builds and packages, in the order in which they may be deleted.
        named: Key of each manifest and build to the keys that it names, needed or not.
        requests: Records of requests that are older than the grace period, with the manifest that each names.
        published: How many releases of the registry are in this store.
        elsewhere: Releases of the registry of which this store has nothing.
    """

    items: tuple[Item, ...]
    named: Mapping[str, frozenset[str]]
    requests: tuple[tuple[Entry, str], ...]
    published: int
    elsewhere: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Contents:
    """What a manifest is of: its lock's id, and the keys of its packages."""

    lock: str
    keys: frozenset[str]


_NOTHING = _Contents(lock="", keys=frozenset())


def survey(store: Store, roots: Roots, *, now: datetime, keep: timedelta) -> Survey:
    """Find out what is in a store and what of it is needed; nothing is changed.

    Args:
        store: The store.
        roots: What must be kept.
        now: The store's time.
        keep: The grace period: what was written since is needed.

    Raises:
        FatalError: Something that may lead to what is needed cannot be read, so that nothing may be deleted.
    """

    def young(entry: Entry) -> bool:
        return entry.modified >= now - keep

    manifests = {_digest(entry): entry for entry in store.list(keys.MANIFESTS)}
    elsewhere = _check_whole(roots, manifests, store)
    requests = _requests(store)
    former: defaultdict[str, set[str]] = defaultdict(set)
    for _, record in requests:
        former[record.manifest].add(record.environment)
    recent = [record for entry, record in requests if _remembered(entry, record, now, keep)]
    needed = _needed(roots, recent, manifests)
    for digest, entry in manifests.items():
        if young(entry):
            needed.setdefault(digest, set()).update(former[digest])
    contents = _read_manifests(store, manifests, needed)
    for digest, content in contents.items():
        if content.lock in roots.locks:
            needed.setdefault(digest, set()).update(roots.locks[content.lock])
    reached = _reach(contents, needed)
    _add_of_pods(store, reached)
    former_of_keys = _reach(contents, {digest: former[digest] for digest in manifests if digest not in needed})
    named = {manifests[digest].key: content.keys for digest, content in contents.items()}
    items = [_item(entry, needed.get(digest), former[digest], young(entry)) for digest, entry in manifests.items()]
    sources, former_sources = _by_hash(reached), _by_hash(former_of_keys)
    for entry, wheel in _builds(store):
        source = entry.key.split("/")[2]
        names = sources.get(source)
        items.append(_item(entry, names, former_sources.get(source, set()), young(entry)))
        named[entry.key] = frozenset({wheel})
        if items[-1].needed:
            reached.setdefault(wheel, set()).update(names or ())
    items += [
        _item(entry, reached.get(entry.key), former_of_keys.get(entry.key, set()), young(entry))
        for entry in store.list(keys.OBJECTS)
    ]
    old = tuple((entry, record.manifest) for entry, record in requests if not _remembered(entry, record, now, keep))
    published = len(roots.releases) - len(elsewhere)
    return Survey(items=tuple(items), named=named, requests=old, published=published, elsewhere=elsewhere)


def _add_of_pods(store: Store, reached: dict[str, set[str]]) -> None:
    """Add what pods of deployed flows fetch before they have anything else: no manifest names it."""
    from envtag.pods.runtime import stored

    for runtime in stored(store):
        for part in runtime.parts:
            reached.setdefault(part.key, set()).add(PODS)


def _remembered(entry: Entry, record: Resolution, now: datetime, keep: timedelta) -> bool:
    """Whether the record of a request is recent enough for what it names to be needed."""
    of_flow = record.environment.startswith(resolutions.OF_FLOWS)
    return entry.modified >= now - (max(keep, KEEP_OF_FLOWS) if of_flow else keep)


def _needed(roots: Roots, recent: Iterable[Resolution], manifests: Container[str]) -> dict[str, set[str]]:
    """The manifests that are there and that roots and recent requests name, with the environments that need them."""
    needed = {digest: set(names) for digest, names in roots.manifests.items() if digest in manifests}
    for record in recent:
        if record.manifest in manifests:
            needed.setdefault(record.manifest, set()).add(record.environment)
    return needed


def _item(entry: Entry, names: set[str] | None, former: set[str], young: bool) -> Item:
    return Item(
        key=entry.key,
        size=entry.size,
        modified=entry.modified,
        needed=names is not None or young,
        names=frozenset(names or former),
    )


def _digest(entry: Entry) -> str:
    return entry.key.rpartition("/")[2].removesuffix(".json")


def _reach(contents: Mapping[str, _Contents], manifests: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """The keys that manifests name, each with the environments that these are of."""
    reached: dict[str, set[str]] = {}
    for digest, names in manifests.items():
        for key in contents[digest].keys:
            reached.setdefault(key, set()).update(names)
    return reached


def _by_hash(reached: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """What is reached, by hash alone: a record of a build does not say which extension its source has."""
    return {key.rpartition("/")[2].partition(".")[0]: names for key, names in reached.items()}


def _requests(store: Store) -> list[tuple[Entry, Resolution]]:
    entries = list(store.list(keys.REQUESTS))
    found = zip(entries, in_parallel(store.read, [entry.key for entry in entries]), strict=True)
    return [(entry, resolutions.parse(data, entry.key, store.url)) for entry, data in found if data is not None]


def _builds(store: Store) -> list[tuple[Entry, str]]:
    """Each record of a build, with the key of its wheel."""
    entries = list(store.list(keys.BUILDS))
    found = zip(entries, in_parallel(store.read, [entry.key for entry in entries]), strict=True)
    return [
        (entry, keys.object_key(build_record.parse(data, f"{store.url}/{entry.key}").wheel.sha256, "whl"))
        for entry, data in found
        if data is not None
    ]


def _read_manifests(store: Store, entries: Mapping[str, Entry], needed: Container[str]) -> dict[str, _Contents]:
    """What each manifest names; one that is damaged and that nothing needs names nothing that can be used."""

    def read(digest: str) -> _Contents:
        key = entries[digest].key
        data = store.read(key)
        where = f"`{key}` in {store.url}"
        if data is None or sha256_hex(data) != digest:
            if digest in needed:
                raise FatalError(f"{where}: the manifest is damaged, or was removed just now", _HINT)
            return _NOTHING
        manifest = parse_manifest(data, where)
        packages = (*manifest.lock.packages, *manifest.archives())
        named = frozenset(keys.object_key(package.sha256, package.extension) for package in packages)
        return _Contents(lock=manifest.lock.id, keys=named)

    return dict(zip(entries, in_parallel(read, entries), strict=True))


def _check_whole(roots: Roots, manifests: Container[str], store: Store) -> tuple[str, ...]:
    """Refuse to go on where a manifest is missing, since nothing says then which packages it needs.

    Returns:
        The releases of which this store has nothing at all, since they were published to another one.
    """
    elsewhere = []
    wanted = list(roots.here.items())
    for alias, digests in roots.releases:
        if any(digest in manifests for digest in digests):
            wanted += [(digest, f"`{alias}`") for digest in digests]
        elif not any(digest in roots.here for digest in digests):
            elsewhere.append(alias)
    for digest, needed_by in wanted:
        if digest not in manifests:
            raise FatalError(
                f"the manifest {digest[:12]} is not in {store.url}, and {needed_by} needs it",
                "nothing was deleted: `envtag publish` of that environment restores it; then run gc again",
            )
    return tuple(elsewhere)
