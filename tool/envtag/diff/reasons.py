"""Why a package is there: the shortest way to it from something that was asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, TypeAlias

from envtag.diff.compare import canonical

if TYPE_CHECKING:
    from envtag.lock import Lock
    from envtag.package import Package

Key: TypeAlias = "tuple[str, str]"


def reasons(lock: Lock, direct: Collection[Key]) -> Mapping[Key, tuple[str, ...]]:
    """The names from a direct request to each package that one leads to; the request itself has its name alone.

    Of several ways the shortest is taken, and of those the first by name, so that the answer is always the same.

    Args:
        lock: The lock, whose `depends` are followed.
        direct: (manager, name) of what the spec names; one that is not in the lock counts for the other world, as
            conda answers what PyPI packages need.
    """
    packages: dict[Key, Package] = {package.key: package for package in lock.packages}
    other: dict[Key, Key] = {(package.manager, canonical(package.name)): package.key for package in lock.packages}
    roots = {_find(manager, name, packages, other) for manager, name in direct}
    found: dict[Key, tuple[str, ...]] = {key: (key[1],) for key in sorted(key for key in roots if key is not None)}
    wave = list(found)
    while wave:
        following: dict[Key, tuple[str, ...]] = {}
        for key in wave:
            for name in sorted({spec.partition(" ")[0] for spec in packages[key].depends}):
                target = _find(key[0], name, packages, other)
                if target is not None and target not in found and target not in following:
                    following[target] = (*found[key], target[1])
        found.update(following)
        wave = sorted(following, key=lambda key: found[key])
    return found


def _find(manager: str, name: str, packages: Mapping[Key, Package], other: Mapping[Key, Key]) -> Key | None:
    """The package that answers a name: of the world that asks, else of the other one."""
    if (manager, name) in packages:
        return (manager, name)
    worlds = ("pypi", "conda") if manager == "pypi" else ("conda",)
    return next((other[world, canonical(name)] for world in worlds if (world, canonical(name)) in other), None)
