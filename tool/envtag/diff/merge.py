"""The changes of all platforms as rows: what is the same to a reader on several of them is one row."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from envtag.diff.compare import source_of
from envtag.diff.model import KINDS, LockChange, PackageChange, Requests, Row

if TYPE_CHECKING:
    from envtag.diff.reasons import Key
    from envtag.package import Package

#: Platform to the ways that lead to its packages.
Ways: TypeAlias = "Mapping[str, Mapping[Key, tuple[str, ...]]]"
_NUMBER = re.compile(r"(?:^|_)(\d+)(?:_\w+)?$")
_LEVELS = ("major", "minor", "patch", "")


def rows(
    changes: Sequence[LockChange],
    requests: tuple[Requests, Requests],
    why: tuple[Ways, Ways],
) -> tuple[Row, ...]:
    """The rows of one environment: direct before transitive, then by what happened, then by name.

    Args:
        changes: The locks of the platforms.
        requests: What the spec asked for before, and asks for now.
        why: The ways to packages, before and now.
    """
    groups: dict[tuple[Any, ...], dict[str, PackageChange]] = defaultdict(dict)
    for change in changes:
        for item in change.packages:
            side = requests[item.after is not None]
            direct = is_direct(item.package, change.platform, side)
            groups[_same(item, direct)][change.platform] = item
    found = [_row(group, key[0], why) for key, group in groups.items()]
    return tuple(sorted(found, key=_order))


def is_direct(package: Package, platform: str, requests: Requests) -> bool | None:
    """Whether a spec names a package on a platform; None where no spec is known."""
    if requests.direct is None:
        return None
    return package.key in requests.direct.get(platform, frozenset())


def build_number(build: str) -> str:
    """The number at the end of a conda build string (`py311h64a7726_0` is 0); empty where there is none."""
    match = _NUMBER.search(build)
    return match[1] if match else ""


def by_importance(row: Row) -> tuple[int, int, str, str]:
    """The order of rows by what happened: the most surprising first."""
    return KINDS.index(row.kind), _LEVELS.index(row.level), row.name, row.manager


def _order(row: Row) -> tuple[Any, ...]:
    return (row.direct is False, *by_importance(row), row.platforms)


def _same(item: PackageChange, direct: bool | None) -> tuple[Any, ...]:
    """What makes two changes one row."""
    parts: list[Any] = [direct, item.kind, item.level, item.package.name]
    for package in (item.before, item.after):
        if package is None:
            parts.append(None)
            continue
        number = build_number(package.build) if item.kind == "rebuilt" else ""
        parts.append((package.manager, package.version, source_of(package), package.license, number, package.is_source))
    return tuple(parts)


def _row(
    group: Mapping[str, PackageChange],
    direct: bool | None,
    why: tuple[Ways, Ways],
) -> Row:
    platforms = tuple(sorted(group))
    first = group[platforms[0]]
    side = why[first.after is not None]
    return Row(
        kind=first.kind,
        level=first.level,
        name=first.package.name,
        manager=first.package.manager,
        direct=direct,
        platforms=platforms,
        changes={platform: group[platform] for platform in platforms},
        why=_shortest(side.get(platform, {}).get(group[platform].package.key, ()) for platform in platforms),
    )


def _shortest(ways: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return min((way for way in ways if way), key=lambda way: (len(way), way), default=())
