"""Two ledgers that grew apart, made one by meaning: what each side released, and where each side's pointers went."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from envtag.ledger import POINTERS, Ledger, Release

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedLedger:
    """What a merge came to.

    Attributes:
        data: The ledger's bytes; with git's conflict markers around the lines that are in `conflicts`.
        conflicts: The tags that both sides released with other content, and the pointers that both moved elsewhere.
    """

    data: bytes
    conflicts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Conflict(Generic[_Value]):
    """Both sides changed one thing, differently; None is that it is not there."""

    ours: _Value | None
    theirs: _Value | None


def merge_ledgers(
    base: Ledger, ours: Ledger, theirs: Ledger, *, published: Collection[str] = (), marker: int = 7
) -> MergedLedger:
    """Merge two ledgers.

    Releases keep the base's order; behind them come new ones that are published, since these are never moved, then the
    other new ones, ours first.

    Args:
        base: The ledger that both come from, empty where there was none.
        ours: One side.
        theirs: The other.
        published: The tags that are known to be published.
        marker: The length of conflict markers.
    """
    before, left, right = ({item.tag: item for item in ledger.releases} for ledger in (base, ours, theirs))
    pointers = {
        name: _merged(base.pointers.get(name), ours.pointers.get(name), theirs.pointers.get(name)) for name in POINTERS
    }
    aimed = {tag for tag in pointers.values() if isinstance(tag, str)}
    order = [tag for tag in before if tag in left or tag in right]
    order += sorted(
        dict.fromkeys(tag for tag in (*left, *right) if tag not in before), key=lambda tag: tag not in published
    )
    releases: dict[str, Release | _Conflict[Release]] = {}
    for tag in order:
        found = _merged(before.get(tag), left.get(tag), right.get(tag))
        if found is None and tag in aimed:  # one side took the line away, the other points at it
            found = _Conflict(left.get(tag), right.get(tag))
        if found is not None:
            releases[tag] = found
    lines = ["version: 1", "releases:" if releases else "releases: []"]
    lines += _lines(releases, lambda _, release: _release_line(release), marker)
    stated = {name: value for name, value in sorted(pointers.items()) if value is not None}
    lines.append("pointers:" if stated else "pointers: {}")
    lines += _lines(stated, _pointer_line, marker)
    conflicts = tuple(key for key, value in (*releases.items(), *stated.items()) if isinstance(value, _Conflict))
    return MergedLedger(data=("\n".join(lines) + "\n").encode(), conflicts=conflicts)


def _merged(base: _Value | None, ours: _Value | None, theirs: _Value | None) -> _Value | _Conflict[_Value] | None:
    if theirs in (ours, base):
        return ours
    return theirs if ours == base else _Conflict(ours, theirs)


def _lines(
    values: Mapping[str, _Value | _Conflict[_Value]], line: Callable[[str, _Value], str], marker: int
) -> Iterator[str]:
    for key, value in values.items():
        if not isinstance(value, _Conflict):
            yield line(key, value)
            continue
        yield f"{'<' * marker} ours"
        if value.ours is not None:
            yield line(key, value.ours)
        yield "=" * marker
        if value.theirs is not None:
            yield line(key, value.theirs)
        yield f"{'>' * marker} theirs"


def _release_line(release: Release) -> str:
    return Ledger(releases=(release,)).to_bytes().decode().splitlines()[2]


def _pointer_line(name: str, tag: str) -> str:
    return Ledger(pointers={name: tag}).to_bytes().decode().splitlines()[-1]
