"""Which of many packages a store has: by a listing where that asks for less than a question for each."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice
from typing import TYPE_CHECKING

from envtag.store import keys

if TYPE_CHECKING:
    from envtag.store import Store

#: Fewer are asked for one by one.
_FEW = 20
#: How many entries of a listing cost as much as one question: a page of 1,000 takes about as long as 100 questions.
_ENTRIES_A_QUESTION = 10
_SAMPLE = 200


def listed_sizes(store: Store, wanted: Collection[str]) -> dict[str, int | None]:
    """What a listing tells of some keys of packages; it is not begun, or broken off, where it would take longer.

    Keys are hashes and a listing is sorted, so its first entries say how many there are in all.

    Args:
        store: The store; one of files is not listed, since asking it costs nothing.
        wanted: Keys of `objects/`.

    Returns:
        Key to size, or to None where there is no such object; keys that it does not have must be asked for.

    Raises:
        FatalError: The store cannot be listed.
    """
    if len(wanted) < _FEW or store.url.startswith("file:"):
        return {}
    limit = len(wanted) * _ENTRIES_A_QUESTION
    entries = iter(store.list(keys.OBJECTS))
    found = {entry.key: entry.size for entry in islice(entries, _SAMPLE)}
    if len(found) == _SAMPLE:
        if _SAMPLE / _share(max(found)) > limit:
            return _told(found, wanted, max(found))
        found |= {entry.key: entry.size for entry in islice(entries, limit)}
        if next(entries, None) is not None:
            return _told(found, wanted, max(found))
    return {key: found.get(key) for key in wanted}


def _told(found: dict[str, int], wanted: Collection[str], last: str) -> dict[str, int | None]:
    """What a listing tells that was broken off after a key."""
    return {key: found.get(key) for key in wanted if key <= last}


def _share(key: str) -> float:
    """Which share of all hashes comes before the one of a key."""
    digits = key.rpartition("/")[2][:8]
    return (int(digits, 16) + 1) / 16**8
