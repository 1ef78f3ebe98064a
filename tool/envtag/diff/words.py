"""The words and numbers of a difference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from envtag.diff.compare import source_of
from envtag.diff.merge import build_number
from envtag.diff.model import KINDS
from envtag.output import megabytes

if TYPE_CHECKING:
    from envtag.diff.model import EnvironmentChange, Kind, Level, Row
    from envtag.package import Package

__all__ = ["count", "difference", "kind", "megabytes", "platforms", "short_hash", "summary", "versions", "weight_of"]

_KINDS: dict[Kind, str] = {
    "replaced": "SAME VERSION, OTHER HASH",
    "moved": "other place, same hash",
    "restated": "other metadata, same hash",
}
_SUMMARY_ORDER = ("added", "removed", "upgraded", "downgraded", "rebuilt", "replaced", "moved", "restated")


def count(number: int, noun: str) -> str:
    """`1 package`, `2 packages`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def kind(name: Kind, level: Level = "") -> str:
    """What happened to a package (`upgraded (major)`)."""
    return _KINDS.get(name, name) + (f" ({level})" if level else "")


def difference(size: int) -> str:
    """A difference in bytes with its sign (`+14.2 MB`)."""
    shown = megabytes(abs(size))
    return shown if shown == "0.0 MB" else f"{'+' if size > 0 else '-'}{shown}"


def platforms(names: Sequence[str], total: int) -> str:
    """Platforms in words: their names, or `all 4 platforms`."""
    if len(names) != total or total < 2:  # noqa: PLR2004 - one has a name
        return ", ".join(names)
    return "both platforms" if total == 2 else f"all {total} platforms"  # noqa: PLR2004 - two are both


def short_hash(sha256: str) -> str:
    """A hash by its first digits."""
    return f"sha256:{sha256[:16]}"


def summary(item: EnvironmentChange) -> str:
    """What happened to an environment, in one line."""
    kinds = Counter(row.kind for row in item.rows)
    major = sum(row.kind == "upgraded" and row.level == "major" for row in item.rows)
    parts = []
    for name in sorted(KINDS, key=_SUMMARY_ORDER.index):
        if kinds[name]:
            many = f" ({major} major)" if name == "upgraded" and major else ""
            parts.append(f"{kinds[name]} {_KINDS.get(name, name)}{many}")
    came = {state: [one.platform for one in item.platforms if one.state == state] for state in ("added", "removed")}
    if item.state != "changed":
        parts = [f"environment {item.state} with {_packages(item)}"]
    else:
        parts += [f"platform {state}: {', '.join(names)}" for state, names in came.items() if names]
    if not parts:
        parts = ["no package changed"]
    first = ", ".join(parts)
    weights = [one.download.delta for one in item.platforms]
    size = f" · download {_spread(weights)}" if any(one.download.top for one in item.platforms) else ""
    where = platforms([one.platform for one in item.platforms], item.total)
    return f"{first}{size}{f' · {where}' if where else ''}"


def versions(row: Row) -> tuple[str, str]:
    """What a package was and is, as far as it differs: the version, and whatever else changed."""
    change = row.change
    before, after = change.before, change.after
    if before is None or after is None:
        return (before.version if before else "", after.version if after else "")
    shown = [before.version, after.version]
    if row.kind == "rebuilt":
        builds = _builds(row)
        shown = [f"{version} {build}".strip() for version, build in zip(shown, builds, strict=True)]
    elif row.kind == "replaced":
        shown = [f"{item.version} {short_hash(item.sha256)}" for item in (before, after)]
    elif row.kind == "restated":
        shown = [f"{item.version} {_stated(before, after, item)}".strip() for item in (before, after)]
    if before.manager != after.manager:
        shown = [f"{item.manager} {text}" for item, text in zip((before, after), shown, strict=True)]
    if source_of(before) != source_of(after):
        shown = [f"{text} from {source_of(item)}" for item, text in zip((before, after), shown, strict=True)]
    elif row.kind == "moved":
        shown = [before.url, after.url]
    return shown[0], shown[1]


def weight_of(row: Row) -> str:
    """What a change adds to a download: one difference, or from the least to the most of its platforms."""
    deltas = []
    for change in row.changes.values():
        sizes = [package.size if package is not None else 0 for package in (change.before, change.after)]
        if sizes[0] is None or sizes[1] is None:
            return "not known"
        deltas.append(sizes[1] - sizes[0])
    return _spread(deltas)


def _spread(deltas: Sequence[int]) -> str:
    least, most = difference(min(deltas)), difference(max(deltas))
    return most if least == most else f"{least} to {most}"


def _packages(item: EnvironmentChange) -> str:
    numbers = [one.packages for one in item.platforms]
    if not numbers:
        return "no lock"
    least, most = min(numbers), max(numbers)
    return count(most, "package") if least == most else f"{least} to {most} packages"


def _builds(row: Row) -> tuple[str, str]:
    """Builds before and after: whole where all platforms have the same, their numbers otherwise."""
    pairs = {
        (change.before.build, change.after.build) for change in row.changes.values() if change.before and change.after
    }
    if len(pairs) == 1:
        return pairs.pop()
    before, after = min(pairs)
    numbers = build_number(before), build_number(after)
    return (f"build {numbers[0]}", f"build {numbers[1]}") if all(numbers) else ("", "")


def _stated(before: Package, after: Package, item: Package) -> str:
    """What the metadata says, of the fields that differ."""
    fields = [
        name for name in ("license", "size", "timestamp", "depends") if getattr(before, name) != getattr(after, name)
    ]
    texts = []
    for name in fields:
        value = getattr(item, name)
        if name == "depends":
            other = after if item is before else before
            value = ", ".join(sorted(set(item.depends) - set(other.depends)))
        texts.append(f"{name}: {value}")
    return "; ".join(texts)
