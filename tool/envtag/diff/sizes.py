"""What a change weighs: bytes to download, and bytes on disk so far as archives are at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from envtag.diff.model import Facts, LockChange, PackageChange, Weight

if TYPE_CHECKING:
    from envtag.lock import Lock
    from envtag.package import Package

TOP = 5


def download(change: LockChange, before: Lock | None, after: Lock | None) -> Weight:
    """Bytes of a platform's archives, before and after."""
    totals = [
        sum(package.size or 0 for package in lock.packages) if lock is not None else 0 for lock in (before, after)
    ]
    return _weight(totals[0], totals[1], change.packages, lambda package: package.size)


def installed(change: LockChange, facts: Mapping[str, Facts]) -> Weight:
    """Bytes on disk of what changed on a platform; a change counts where both of its archives are known."""

    def size(package: Package) -> int | None:
        known = facts.get(package.sha256)
        return known.installed if known is not None else None

    known = [item for item in change.packages if _both(item, size) is not None]
    before = sum(size(item.before) or 0 for item in known if item.before is not None)
    after = sum(size(item.after) or 0 for item in known if item.after is not None)
    return _weight(before, after, change.packages, size)


def _weight(before: int, after: int, changes: Sequence[PackageChange], size: Callable[[Package], int | None]) -> Weight:
    deltas = [(item.package.name, _both(item, size)) for item in changes]
    known = [(name, delta) for name, delta in deltas if delta]
    known.sort(key=lambda item: (-abs(item[1]), item[0]))
    unknown = sum(delta is None for _, delta in deltas)
    return Weight(before=before, after=after, unknown=unknown, top=tuple(known[:TOP]))


def _both(item: PackageChange, size: Callable[[Package], int | None]) -> int | None:
    """The difference that one change makes; None where one side's size is not known."""
    sizes = [size(package) if package is not None else 0 for package in (item.before, item.after)]
    return None if sizes[0] is None or sizes[1] is None else sizes[1] - sizes[0]
