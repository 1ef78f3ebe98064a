"""`envtag gc`: free what nothing needs of the store, in two phases."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from envtag.collection import Fate, Roots, Sweep, Swept, git_roots, store_roots, store_time, survey
from envtag.output import Output, megabytes
from envtag.render import table
from envtag.util.text import number_of

if TYPE_CHECKING:
    from envtag.collection import Item, Survey
    from envtag.registry import Registry
    from envtag.store import Store

_SHARED, _UNKNOWN = "(shared)", "(unknown)"
_FREED = (Fate.MARKED, Fate.WAITING, Fate.DELETED, Fate.LEFT)


def gc(
    *,
    keep_days: int,
    window_days: int,
    dry_run: bool,
    as_json: bool,
    registry: Registry,
    store: Store,
    output: Output,
) -> int:
    """Mark what nothing needs any more, and delete what was marked long enough ago; locks in git stay.

    Args:
        keep_days: What was written or requested in the last so many days is needed, whoever reaches it.
        window_days: So many days lie between the mark and the deletion; at least 1.
        dry_run: Only say what would be done; nothing at all is written.
        as_json: Print the report as JSON.
        registry: The registry; its remote is asked.
        store: The store, which other registries may share.
        output: Where it is told.

    Returns:
        0.

    Raises:
        FatalError: Something that may lead to what is needed cannot be read (nothing is deleted then), or the store
            refuses.
    """
    now = datetime.now(timezone.utc) if dry_run else store_time(store)
    with output.task("looking for what is needed"):
        roots = Roots()
        git_roots(registry, roots)
        store_roots(store, roots)
        seen = survey(store, roots, now=now, keep=timedelta(days=keep_days))
    sweep = Sweep(store=store, now=now, window=timedelta(days=window_days), dry_run=dry_run, output=output)
    swept = sweep.run(seen)
    rows = _by_environment(swept)
    if as_json:
        output.json(_document(rows, seen, swept, dry_run=dry_run, store=store))
        return 0
    if rows:
        header = ("environment", "needed", "marked", "waiting", "deleted")
        output.data(table(header, [_cells(name, sizes) for name, sizes in rows.items()]))
    _tell(seen, swept, store, output, dry_run=dry_run, window_days=window_days)
    return 0


def _by_environment(swept: Swept) -> dict[str, Counter[Fate]]:
    """Bytes by environment and fate: what several need is counted once, as shared."""
    sizes: defaultdict[str, Counter[Fate]] = defaultdict(Counter)
    for item, fate in swept.fates:
        sizes[_owner(item)][fate] += item.size
    last = (_SHARED, _UNKNOWN)
    return {name: sizes[name] for name in sorted(sizes, key=lambda name: (name in last, name))}


def _owner(item: Item) -> str:
    if len(item.names) > 1:
        return _SHARED
    return next(iter(item.names), _UNKNOWN)


def _cells(name: str, sizes: Counter[Fate]) -> tuple[str, ...]:
    waiting = sizes[Fate.WAITING] + sizes[Fate.LEFT]
    counts = (sizes[Fate.KEPT], sizes[Fate.MARKED], waiting, sizes[Fate.DELETED])
    return (name, *(megabytes(count) if count else "-" for count in counts))


def _document(
    rows: dict[str, Counter[Fate]], seen: Survey, swept: Swept, *, dry_run: bool, store: Store
) -> dict[str, Any]:
    objects, sizes = _totals(swept)
    return {
        "store": store.url,
        "dry_run": dry_run,
        "releases": seen.published,
        "elsewhere": list(seen.elsewhere),
        "requests_deleted": swept.requests,
        "totals": {fate.value: {"objects": objects[fate], "bytes": sizes[fate]} for fate in Fate},
        "environments": [
            {"name": name.strip("()"), "kind": "group" if name.startswith("(") else "environment"}
            | {fate.value: counts[fate] for fate in Fate}
            for name, counts in rows.items()
        ],
    }


def _totals(swept: Swept) -> tuple[Counter[Fate], Counter[Fate]]:
    objects: Counter[Fate] = Counter()
    sizes: Counter[Fate] = Counter()
    for item, fate in swept.fates:
        objects[fate] += 1
        sizes[fate] += item.size
    return objects, sizes


def _tell(seen: Survey, swept: Swept, store: Store, output: Output, *, dry_run: bool, window_days: int) -> None:
    objects, sizes = _totals(swept)
    if seen.elsewhere:
        some = ", ".join(f"`{alias}`" for alias in seen.elsewhere[:3])
        output.say(f"{number_of(len(seen.elsewhere), 'release')} not in {store.url} at all ({some})")
    if not any(objects[fate] for fate in _FREED):
        what = f"{number_of(objects[Fate.KEPT], 'object')} ({megabytes(sizes[Fate.KEPT])})"
        output.say(f"nothing to free in {store.url}: all of {what} is needed or recent")
        return
    would = "would be " if dry_run else ""
    parts = [
        f"{objects[fate]} objects ({megabytes(sizes[fate])}) {words}"
        for fate, words in (
            (Fate.DELETED, f"{would}deleted"),
            (Fate.MARKED, f"{would}marked"),
            (Fate.WAITING, "wait for the end of their window"),
            (Fate.LEFT, "left to another gc, or taken back by a publisher"),
        )
        if objects[fate]
    ]
    output.say(f"in {store.url}: {'; '.join(parts)}")
    if objects[Fate.MARKED]:
        again = "run without `--dry-run`; " if dry_run else ""
        days = f"{window_days} days" if window_days > 1 else "1 day"
        output.say(f"next: {again}a gc in {days} deletes what is marked and still not needed")
