"""Updates for security: which packages of a lock are affected, and the nearest versions that are not."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from envtag.errors import UnsolvableError
from envtag.lock_merge import Bound, Pins
from envtag.updating.model import Goal, Key, Outcome
from envtag.updating.search import Answer, search
from envtag.util.text import number_of

if TYPE_CHECKING:
    from packaging.version import Version

    from envtag.advisories import Advisories
    from envtag.lock import Lock
    from envtag.package import Package

_PYTHON = re.compile(r"(?:python|python_abi)(?![\w.-])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected:
    """A package that advisories are about.

    Attributes:
        package: As it is locked.
        ids: The advisories.
        fixed: The nearest version that none is about; empty where none is known.
        why_not: Why it cannot be had; empty where it can, or where none is known.
    """

    package: Package
    ids: tuple[str, ...]
    fixed: str = ""
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How much of a lock advisories on PyPI packages can tell about.

    Attributes:
        pypi: Packages from PyPI: all are looked up.
        by_content: conda packages whose PyPI dists are known from what is in them.
        by_name: conda packages that need Python, looked up under their own name as long as nobody looked into them.
        unmatched: conda packages that no such advisory is about, or whose version is none of PyPI's.
    """

    pypi: int = 0
    by_content: int = 0
    by_name: int = 0
    unmatched: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """What advisories say of a lock.

    Attributes:
        affected: The packages that they are about.
        coverage: What they were asked about.
    """

    affected: tuple[Affected, ...] = ()
    coverage: Coverage = field(default=Coverage())


def examine(
    lock: Lock, advisories: Advisories, dists: Callable[[Package], Sequence[tuple[str, str]] | None]
) -> Security:
    """Look the packages of a lock up in advisories on PyPI packages.

    Args:
        lock: The lock.
        advisories: What is known.
        dists: What a conda package brings, name and version each; None where nobody looked into it.
    """
    from packaging.version import InvalidVersion, Version

    counts = dict.fromkeys(("pypi", "by_content", "by_name", "unmatched"), 0)
    found: list[Affected] = []
    for package in lock.packages:
        how, names = _names(package, dists)
        counts[how] += 1
        ids: dict[str, None] = {}
        fixes: list[Version | None] = []
        for name, text in names:
            try:
                version = Version(text)
            except InvalidVersion:
                counts[how] -= 1
                counts["unmatched"] += 1
                break
            about = advisories.of(name, version)
            ids.update(dict.fromkeys(item.id for item in about))
            if about:
                fixes.append(advisories.nearest_fix(name, version))
        if ids:
            fixed = "" if None in fixes else str(max(item for item in fixes if item is not None))
            found.append(Affected(package=package, ids=tuple(ids), fixed=fixed))
    return Security(affected=tuple(found), coverage=Coverage(**counts))


def search_fixes(
    before: Lock, goal: Goal, affected: Sequence[Affected], has_newer: Callable[[Key, str], bool]
) -> Generator[Pins, Answer, tuple[Outcome | None, tuple[Affected, ...]]]:
    """The smallest change that brings the nearest fixed versions: all at once, else as many as go, one by one.

    Args:
        before: The lock as it is.
        goal: What is wanted beside them.
        affected: What is to be fixed; those without a fixed version stay.
        has_newer: See `search`.

    Returns:
        What was found, None where nothing can be fixed; and all that was affected, with what stands in the way.
    """
    fixable = [item for item in affected if item.fixed]
    if not fixable:
        return None, tuple(affected)
    try:
        outcome = yield from search(before, _with(goal, [(item, "==") for item in fixable]), has_newer)
    except UnsolvableError:
        return (yield from _one_by_one(before, goal, affected, has_newer))
    return outcome, tuple(affected)


def _one_by_one(
    before: Lock, goal: Goal, affected: Sequence[Affected], has_newer: Callable[[Key, str], bool]
) -> Generator[Pins, Answer, tuple[Outcome | None, tuple[Affected, ...]]]:
    reached: list[tuple[Affected, str]] = []
    outcome: Outcome | None = None
    told: list[Affected] = []
    for item in affected:
        why_not = ""
        for sign in ("==", ">=") if item.fixed else ():
            found = yield from _tried(before, _with(goal, [*reached, (item, sign)]), has_newer)
            if isinstance(found, Outcome):
                outcome, why_not = found, ""
                reached.append((item, sign))
                break
            why_not = found.detail or found.message
        told.append(replace(item, why_not=why_not))
    return outcome, tuple(told)


def _tried(
    before: Lock, goal: Goal, has_newer: Callable[[Key, str], bool]
) -> Generator[Pins, Answer, Outcome | UnsolvableError]:
    try:
        return (yield from search(before, goal, has_newer))
    except UnsolvableError as error:
        return error


def _with(goal: Goal, fixes: Sequence[tuple[Affected, str]]) -> Goal:
    bounds = tuple(
        Bound(manager=item.package.manager, name=item.package.name, versions=f"{sign}{item.fixed}")
        for item, sign in fixes
    )
    free = frozenset(item.package.key for item, _ in fixes)
    return replace(goal, free=goal.free | free, bounds=(*goal.bounds, *bounds))


def _names(
    package: Package, dists: Callable[[Package], Sequence[tuple[str, str]] | None]
) -> tuple[str, Sequence[tuple[str, str]]]:
    """How a package is looked up, and as what."""
    if package.manager == "pypi":
        return "pypi", [(package.name, package.version)]
    if not any(_PYTHON.match(text) for text in package.depends):
        return "unmatched", []
    known = dists(package)
    if known is not None:
        return ("by_content" if known else "unmatched"), known
    return "by_name", [(re.sub(r"[-_.]+", "-", package.name), package.version)]


def lines(security: Mapping[str, Security]) -> Iterator[str]:
    """What is affected, for people; what could not be told is told too."""
    for platform, found in security.items():
        for item in found.affected:
            ids = ", ".join(item.ids[:5]) + (f" and {len(item.ids) - 5} more" if len(item.ids) > 5 else "")  # noqa: PLR2004 - a handful
            state = f"fixed in {item.fixed}" if item.fixed else "no fixed version is known"
            blocked = ", which cannot be had: something stands against it" if item.why_not else ""
            yield f"{platform}: {item.package.name} {item.package.version} is affected by {ids} ({state}{blocked})"
        cover = found.coverage
        yield (
            f"{platform}: looked up {number_of(cover.pypi, 'PyPI package')}, "
            f"{number_of(cover.by_content, 'conda package')} by what they bring, {cover.by_name} by their names; "
            f"{number_of(cover.unmatched, 'conda package')} no advisory on PyPI can be about"
        )


def document(found: Security) -> dict[str, object]:
    """The same as JSON has it."""
    cover = found.coverage
    return {
        "affected": [
            {
                "manager": item.package.manager,
                "name": item.package.name,
                "version": item.package.version,
                "advisories": list(item.ids),
                "fixed": item.fixed or None,
                "why_not": item.why_not or None,
            }
            for item in found.affected
        ],
        "coverage": {
            "pypi": cover.pypi,
            "conda_by_content": cover.by_content,
            "conda_by_name": cover.by_name,
            "conda_unmatched": cover.unmatched,
        },
    }
