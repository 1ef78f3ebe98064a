"""One environment on two sides: settings, requirements, ledger, platforms and packages, compared."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from envtag.diff import sizes
from envtag.diff.compare import diff, source_of
from envtag.diff.findings import findings
from envtag.diff.merge import rows
from envtag.diff.model import (
    Content,
    EnvironmentChange,
    Facts,
    LockChange,
    PackageChange,
    PlatformChange,
    Requests,
    Setting,
    State,
)
from envtag.diff.reasons import Key, reasons

if TYPE_CHECKING:
    from envtag.ledger import Ledger
    from envtag.lock import Lock
    from envtag.package import Package
    from envtag.settings import EnvironmentSettings

_NO_REQUESTS = Requests()
#: A credential in a URL: nothing has checked the registry's table at another revision.
_USER = re.compile(r"://[^/\s]*@")
_PYTHON = ("conda", "python")
_SETTINGS = (
    "spec", "python", "interpreter", "platforms", "channels", "index_url", "extra_index_urls", "exclude_newer", "base",
    "extras", "groups",
)  # fmt: skip


def compare(
    before: Content | None, after: Content | None, *, facts: Mapping[str, Facts], now: int, recent_days: int
) -> EnvironmentChange | None:
    """What differs between two states of one environment; None where nothing does.

    Args:
        before: The older state; None where it was not there.
        after: The newer state; None where it is there no more.
        facts: Hash of a package to what is in it, so far as that is known.
        now: Milliseconds since 1970.
        recent_days: How old a package is that is no longer recent.
    """
    sides = (before, after)
    state: State = "added" if before is None else "removed" if after is None else "changed"
    locks = (before.locks if before else {}, after.locks if after else {})
    names = sorted({*locks[0], *locks[1]})
    full = [diff(locks[0].get(name), locks[1].get(name)) for name in names]
    changed = [item for item in full if item.packages or item.before is None or item.after is None]
    shown = [_without_alike(item, changed, locks[1]) for item in changed]
    requests = (before.requests if before else _NO_REQUESTS, after.requests if after else _NO_REQUESTS)
    ledgers = (before.ledger if before else None, after.ledger if after else None)
    why = (_ways(locks[0], requests[0], shown), _ways(locks[1], requests[1], shown))
    came = {sha256 for change in changed for item in change.packages for sha256 in _new(item)}
    result = EnvironmentChange(
        name=" -> ".join(dict.fromkeys(side.name for side in sides if side is not None)),
        state=state,
        platforms=tuple(_platform(*pair, locks, facts) for pair in zip(changed, shown, strict=True)),
        total=len({name for side in sides if side is not None for name in side.platforms}),
        settings=(*_settings(*(side.settings if side else None for side in sides)), *_locked(full)),
        requirements=tuple(_texts(requests[0].texts, requests[1].texts)),
        ledger=tuple(_ledger(*ledgers)),
        rows=rows(shown, requests, why),
        findings=findings(
            changed, locks, requests, ledgers, state=state, facts=facts, now=now, recent_days=recent_days
        ),
        unread=len(came - facts.keys()),
        looked_into=len(came & facts.keys()),
    )
    parts = (result.platforms, result.settings, result.requirements, result.ledger, result.findings)
    return result if state != "changed" or any(parts) else None


def registry_settings(before: Mapping[str, object], after: Mapping[str, object]) -> tuple[Setting, ...]:
    """What differs between two `[tool.envtag]` tables, key by key (`policy.licenses`)."""
    return tuple(
        Setting(key=item.key, before=_USER.sub("://***@", item.before), after=_USER.sub("://***@", item.after))
        for item in _texts(dict(_flat(before, ())), dict(_flat(after, ())))
    )


def _new(item: PackageChange) -> tuple[str, ...]:
    """The hash of an archive that came in."""
    before, after = item.before, item.after
    return (after.sha256,) if after is not None and (before is None or before.sha256 != after.sha256) else ()


def _without_alike(change: LockChange, changed: list[LockChange], now: Mapping[str, Lock]) -> LockChange:
    """A platform that came in, without what another platform that was there before has in the same version."""
    if change.before is not None or change.after is None:
        return change
    before = {item.platform for item in changed if item.before is None}
    known = {_alike(package) for name, lock in now.items() if name not in before for package in lock.packages}
    left = tuple(item for item in change.packages if item.after is None or _alike(item.after) not in known)
    return replace(change, packages=left)


def _alike(package: Package) -> tuple[str, ...]:
    return (package.manager, package.name, package.version, source_of(package))


def _ways(
    locks: Mapping[str, Lock], requests: Requests, changes: list[LockChange]
) -> dict[str, Mapping[Key, tuple[str, ...]]]:
    if requests.direct is None:
        return {}
    wanted = {change.platform for change in changes if change.packages}
    return {
        name: _of_lock(lock, requests.direct.get(name, frozenset())) for name, lock in locks.items() if name in wanted
    }


def _of_lock(lock: Lock, direct: frozenset[Key]) -> Mapping[Key, tuple[str, ...]]:
    """The ways to packages; those that nothing of the spec needs are Python's, or of the base."""
    found = reasons(lock, direct)
    if len(found) < len(lock.packages) and _PYTHON not in found:
        found = reasons(lock, {*direct, _PYTHON})
    if lock.base:
        base = f"base {lock.base}"
        found = {**{package.key: (base, package.name) for package in lock.packages}, **found}
    return found


def _platform(
    change: LockChange,
    shown: LockChange,
    locks: tuple[Mapping[str, Lock], Mapping[str, Lock]],
    facts: Mapping[str, Facts],
) -> PlatformChange:
    before, after = locks[0].get(change.platform), locks[1].get(change.platform)
    lock = after or before
    return PlatformChange(
        platform=change.platform,
        state="added" if before is None else "removed" if after is None else "changed",
        locks=(before, after),
        packages=len(lock.packages) if lock is not None else 0,
        alike=len(change.packages) - len(shown.packages),
        download=sizes.download(change, before, after),
        installed=sizes.installed(change, facts),
    )


def _settings(before: EnvironmentSettings | None, after: EnvironmentSettings | None) -> Iterator[Setting]:
    if before is None and after is None:
        return
    old, new = _fields(before), _fields(after)
    yield from _texts(old, new)


def _locked(changes: list[LockChange]) -> list[Setting]:
    """What differs in how packages were locked, wherever that was set: per platform, merged where it is the same."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for change in changes:
        if change.before is not None and change.after is not None:
            for item in _texts(_lock_fields(change.before), _lock_fields(change.after)):
                found.setdefault((item.key, item.before, item.after), []).append(change.platform)
    settings = []
    for (key, before, after), platforms in sorted(found.items()):
        on = "" if len(platforms) == len(changes) else f" on {', '.join(platforms)}"
        settings.append(Setting(key=f"locked {key}{on}", before=before, after=after))
    return settings


def _lock_fields(lock: Lock) -> dict[str, str]:
    """What a lock says of itself that people should know of; its request and hash follow from spec and settings."""
    fields = {
        "python": lock.python,
        "interpreter": lock.interpreter,
        "channels": _text(lock.channels),
        "base": f"{lock.base} {lock.base_lock[:12]}".strip(),
        **{f"virtual package {name}": value for name, value in lock.virtual_packages.items()},
    }
    return {key: value for key, value in fields.items() if value}


def _fields(settings: EnvironmentSettings | None) -> dict[str, str]:
    if settings is None:
        return {}
    fields = {name.replace("_", "-"): _text(getattr(settings, name)) for name in _SETTINGS}
    for platform, packages in settings.virtual_packages.items():
        for name, value in packages.items():
            fields[f"virtual-packages.{platform}.{name}"] = value or "none"
    fields |= {f"variants.{variant}": _text(names) for variant, names in settings.variants.items()}
    return {key: value for key, value in fields.items() if value}


def _texts(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Setting]:
    """What differs between two mappings of texts."""
    for key in sorted({*before, *after}):
        old, new = before.get(key, ""), after.get(key, "")
        if old != new:
            yield Setting(key=key, before=old, after=new)


def _ledger(before: Ledger | None, after: Ledger | None) -> Iterator[Setting]:
    old, new = _lines(before), _lines(after)
    yield from _texts(old, new)


def _lines(ledger: Ledger | None) -> dict[str, str]:
    if ledger is None:
        return {}
    lines = {
        f"release {item.tag}": ", ".join(f"{platform} {lock[:12]}" for platform, lock in sorted(item.locks.items()))
        for item in ledger.releases
    }
    return {**lines, **{f"pointer {name}": tag for name, tag in ledger.pointers.items()}}


def _flat(table: Mapping[str, object], above: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        path = (*above, str(key))
        if isinstance(value, Mapping):
            yield from _flat(value, path)
        else:
            yield ".".join(path), _text(value)


def _text(value: object) -> str:
    if isinstance(value, (tuple, list)):
        return ", ".join(map(_text, value))
    return str(value)
