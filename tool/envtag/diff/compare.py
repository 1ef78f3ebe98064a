"""Two locks of one platform: what changed, and the newer one again from the older one and the change."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from envtag.diff.model import Kind, Level, LockChange, PackageChange
from envtag.diff.versions import compare, level
from envtag.urls import channel_name

if TYPE_CHECKING:
    from envtag.lock import Lock
    from envtag.package import Package

_SEPARATORS = re.compile(r"[-_.]+")


def diff(before: Lock | None, after: Lock | None) -> LockChange:
    """What it takes to get from one lock to another of the same platform.

    A package that is of another world under the same name is one change, and not one that left and one that came.

    Args:
        before: The older lock; None where there is none.
        after: The newer lock; None where there is none.

    Raises:
        ValueError: They are of two platforms, or neither is there.
    """
    platforms = {lock.platform for lock in (before, after) if lock is not None}
    if len(platforms) != 1:
        raise ValueError(f"locks of {len(platforms)} platforms cannot be compared")
    old = {package.key: package for package in (before.packages if before else ())}
    new = {package.key: package for package in (after.packages if after else ())}
    pairs = [(old[key], new[key]) for key in old.keys() & new.keys() if old[key] != new[key]]
    gone = [package for key, package in sorted(old.items()) if key not in new]
    come = {canonical(package.name): package for key, package in sorted(new.items(), reverse=True) if key not in old}
    left = []
    for package in gone:
        other = come.get(canonical(package.name))
        if other is not None and other.manager != package.manager:
            pairs.append((package, come.pop(canonical(package.name))))
        else:
            left.append(package)
    taken = {pair[1].key for pair in pairs}
    came = [package for key, package in new.items() if key not in old and key not in taken]
    changes = [_change(*pair) for pair in pairs]
    changes += [PackageChange(before=package, after=None, kind="removed") for package in left]
    changes += [PackageChange(before=None, after=package, kind="added") for package in came]
    return LockChange(
        platform=platforms.pop(),
        before=_head(before),
        after=_head(after),
        packages=tuple(sorted(changes, key=lambda change: (change.package.name, change.package.manager))),
    )


def apply(change: LockChange, before: Lock | None) -> Lock | None:
    """The newer lock, from the older one and what changed.

    Args:
        change: What `diff` gave.
        before: The lock that it was given first.

    Raises:
        ValueError: The lock is not the one that the change begins at.
    """
    if _head(before) != change.before:
        raise ValueError("the change begins at another lock")
    packages = {package.key: package for package in (before.packages if before else ())}
    for item in change.packages:
        if item.before is not None and packages.pop(item.before.key, None) != item.before:
            raise ValueError(f"the change begins at another `{item.before.name}`")
    packages.update({item.after.key: item.after for item in change.packages if item.after is not None})
    if change.after is None:
        return None
    return change.after._replace(packages=tuple(packages[key] for key in sorted(packages)))


def source_of(package: Package) -> str:
    """Where a package comes from: its channel's short name, or the host of its index."""
    if package.manager == "conda":
        return channel_name(package.url.rsplit("/", 2)[0])
    scheme, _, rest = package.url.partition("://")
    host = rest.partition("/")[0]
    return f"{scheme}://{host}" if scheme.startswith("git+") else host or scheme


def canonical(name: str) -> str:
    """A package's name as both worlds would write it (PEP 503)."""
    return _SEPARATORS.sub("-", name).lower()


def _head(lock: Lock | None) -> Lock | None:
    return lock._replace(packages=()) if lock is not None else None


def _change(before: Package, after: Package) -> PackageChange:
    kind, size = _kind(before, after)
    return PackageChange(before=before, after=after, kind=kind, level=size)


def _kind(before: Package, after: Package) -> tuple[Kind, Level]:
    if before.version != after.version:
        order = compare(after.manager if before.manager == after.manager else "pypi", before.version, after.version)
        if order:
            return ("upgraded" if order < 0 else "downgraded"), level(before.version, after.version)
    if before.sha256 == after.sha256:
        return ("moved" if before.url != after.url else "restated"), ""
    if _archive(before) == _archive(after):
        return "replaced", ""
    return "rebuilt", ""


def _archive(package: Package) -> tuple[str, ...]:
    """What a publisher must not give two contents: the same version and build, or file, of the same place."""
    if package.manager == "conda":
        return (package.manager, package.version, package.build, package.subdir, package.extension)
    return (package.manager, package.version, package.filename)
