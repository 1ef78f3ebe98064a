"""What earlier locks hold a solve to; and of two that grew apart, what the solve of their merged spec must keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envtag.lock import Lock
    from envtag.package import Package


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """What a version must satisfy beyond the request, where a package of this name is in the answer.

    Attributes:
        manager: The package's world: `conda` or `pypi`.
        name: Its name.
        versions: The constraint in its world's words (`>=2,<3`).
    """

    manager: str
    name: str
    versions: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """What a solve is held to beyond its request: packages of earlier locks, and what an update asks for.

    Attributes:
        kept: At this build and hash wherever the answer has a package of its name; of a merge, what both sides have.
        preferred: Kept where that goes with everything else; of a merge, what one side alone changed, or has.
        python: The minor version of Python from uv that is kept; empty for any.
        bounds: Versions that are wanted.
        exempt: Names of packages that a cutoff in time is not for.
    """

    kept: tuple[Package, ...] = ()
    preferred: tuple[Package, ...] = ()
    python: str = ""
    bounds: tuple[Bound, ...] = ()
    exempt: frozenset[str] = frozenset()


def merge_pins(base: Lock | None, ours: Lock, theirs: Lock) -> Pins:
    """Compare two locks of one platform, package by package, with the one that both come from.

    Args:
        base: The lock before both changes, None where there was none.
        ours: One side.
        theirs: The other; which is which makes no difference.

    Returns:
        No package that both sides changed differently, and nothing between a Python from conda and one from uv.
    """
    if ours.interpreter != theirs.interpreter:
        return Pins()
    before = {package.key: package for package in base.packages} if base is not None else {}
    left = {package.key: package for package in ours.packages}
    right = {package.key: package for package in theirs.packages}
    kept: list[Package] = []
    preferred: list[Package] = []
    for key in sorted({*left, *right}):
        one, other, was = left.get(key), right.get(key), before.get(key)
        if one is not None and other is not None and one.sha256 == other.sha256:
            kept.append(one)
        elif one is None or other is None:
            preferred.extend(item for item in (one, other) if item is not None)
        elif was is not None and was.sha256 in (one.sha256, other.sha256):
            preferred.append(other if was.sha256 == one.sha256 else one)
    return Pins(kept=tuple(kept), preferred=tuple(preferred), python=_python(base, ours, theirs))


def _python(base: Lock | None, ours: Lock, theirs: Lock) -> str:
    if ours.python == theirs.python:
        return ours.python
    if base is not None and base.python in (ours.python, theirs.python):
        return theirs.python if base.python == ours.python else ours.python
    return ""
