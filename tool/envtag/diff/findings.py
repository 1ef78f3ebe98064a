"""What a reviewer should look at first, with the reason for each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from envtag.diff.compare import source_of
from envtag.diff.merge import is_direct
from envtag.diff.model import Facts, Finding, LockChange, PackageChange, Requests, Severity, State

if TYPE_CHECKING:
    from envtag.ledger import Ledger
    from envtag.lock import Lock
    from envtag.package import Package

#: Kind to its severity and its words, in the order in which they are shown.
KINDS: Mapping[str, tuple[Severity, str]] = {
    "hash": ("red", "same version, another hash"),
    "ledger": ("red", "a released line changed"),
    "channel": ("red", "from another channel or index"),
    "manager": ("red", "from another package manager"),
    "scripts": ("attention", "newly runs scripts"),
    "source": ("attention", "newly built from source"),
    "license": ("attention", "licence changed"),
    "recent": ("attention", "published very recently"),
    "downgrade": ("attention", "downgraded"),
    "direct": ("attention", "new direct dependency"),
    "virtual": ("attention", "newly needs a virtual package"),
}
_DAY = 86_400_000
_Told: TypeAlias = "tuple[str, str, str, str]"


def findings(
    changes: Sequence[LockChange],
    locks: tuple[Mapping[str, Lock], Mapping[str, Lock]],
    requests: tuple[Requests, Requests],
    ledgers: tuple[Ledger | None, Ledger | None],
    *,
    state: State,
    facts: Mapping[str, Facts],
    now: int,
    recent_days: int,
) -> tuple[Finding, ...]:
    """The findings of one environment, merged where they are equal on several platforms.

    Args:
        changes: The locks of the platforms that changed.
        locks: Platform to lock, before and now.
        requests: What the spec asked for before, and asks for now.
        ledgers: The ledger before and now.
        state: Of the environment; everything is new in a new one, so that alone is no finding there.
        facts: Hash of a package to what is in it, so far as that is known.
        now: Milliseconds since 1970.
        recent_days: How old a package is that is no longer recent.
    """
    platforms: dict[_Told, list[str]] = defaultdict(list)
    for change in changes:
        told = [
            *(found for item in change.packages for found in _package(item, facts, now, recent_days)),
            *_virtual(locks[0].get(change.platform), locks[1].get(change.platform)),
        ]
        if state == "changed":
            told += _direct(change, requests)
        for item in told:
            platforms[item].append(change.platform)
    for item in _ledger(*ledgers):
        platforms[item] = []
    found = [
        Finding(kind=kind, severity=KINDS[kind][0], name=name, before=before, after=after, platforms=tuple(sorted(on)))
        for (kind, name, before, after), on in platforms.items()
    ]
    order = list(KINDS)
    return tuple(sorted(found, key=lambda item: (order.index(item.kind), item.name, item.before, item.after)))


def _package(item: PackageChange, facts: Mapping[str, Facts], now: int, recent_days: int) -> Iterator[_Told]:
    before, after = item.before, item.after
    if after is None:
        return
    if before is not None:
        yield from _both(item, before, after)
    if before is None or before.sha256 != after.sha256:
        yield from _archive(before, after, facts, now, recent_days)


def _both(item: PackageChange, before: Package, after: Package) -> Iterator[_Told]:
    if item.kind == "replaced":
        yield "hash", str(after), before.sha256, after.sha256
    if before.manager != after.manager:
        yield "manager", after.name, before.manager, after.manager
    elif source_of(before) != source_of(after):
        yield "channel", after.name, source_of(before), source_of(after)
    if before.license != after.license and (before.license or after.license):
        yield "license", after.name, before.license or "", after.license or ""
    if item.kind == "downgraded":
        yield "downgrade", after.name, before.version, after.version


def _archive(
    before: Package | None, after: Package, facts: Mapping[str, Facts], now: int, recent_days: int
) -> Iterator[_Told]:
    """What is new because the archive itself is."""
    if after.is_source and not (before is not None and before.is_source):
        yield "source", _release(after), before.filename if before else "", after.filename
    if after.timestamp is not None and now - after.timestamp < recent_days * _DAY:
        yield "recent", _release(after), "", _age(now - after.timestamp)
    known = facts.get(after.sha256)
    if known is not None:
        earlier = facts.get(before.sha256, Facts()) if before is not None else Facts()
        runs = {*known.activation, *known.hooks} - {*earlier.activation, *earlier.hooks}
        if runs:
            yield "scripts", _release(after), "", ", ".join(sorted(runs))


def _release(package: Package) -> str:
    """A package without its build, which differs from platform to platform."""
    return f"{package.name} {package.version}"


def _age(milliseconds: int) -> str:
    if milliseconds < 0:
        return "dated in the future"
    days = milliseconds // _DAY
    return "less than a day old" if days == 0 else f"{days} day{'s' if days > 1 else ''} old"


def _direct(change: LockChange, requests: tuple[Requests, Requests]) -> Iterator[_Told]:
    """What the spec names now and did not name before, on a platform that was there before."""
    if requests[0].direct is None or change.before is None:
        return
    for item in change.packages:
        if item.after is not None and is_direct(item.after, change.platform, requests[1]):
            earlier = item.before or item.after
            if not is_direct(earlier, change.platform, requests[0]):
                yield "direct", item.after.name, "", item.after.version


def _virtual(before: Lock | None, after: Lock | None) -> Iterator[_Told]:
    """What is needed of virtual packages now and was not before, with the first package that needs it."""
    if before is None or after is None:
        return
    needed = _needs(before.packages)
    for spec, by in sorted(_needs(after.packages).items()):
        if spec not in needed:
            yield "virtual", spec, "", by


def _needs(packages: Iterable[Package]) -> dict[str, str]:
    """Names of virtual packages, and constraints on them, each to the first package that needs it."""
    found: dict[str, str] = {}
    for package in packages:
        for spec in package.depends:
            if spec.startswith("__"):
                found.setdefault(spec, package.name)
    return found


def _ledger(before: Ledger | None, after: Ledger | None) -> Iterator[_Told]:
    """Releases that were taken back or changed, which nobody may do."""
    if before is None or after is None:
        return
    for release in before.releases:
        now = after.release(release.tag)
        if now is None:
            yield "ledger", release.tag, "released", "no longer in the ledger"
        elif now != release:
            yield "ledger", release.tag, "released", "released with other content"
