"""What two locks that grew apart agree on: the pins that a solve of their merged spec must keep, and may keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envtag.lock import Lock
    from envtag.package import Package


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """Packages of locks, for the solve that is to merge them.

    Attributes:
        kept: What both sides have: at this build and hash wherever the answer has a package of its name.
        preferred: What one side alone changed, or has: kept where that goes with everything else.
        python: The minor version of Python that both sides have, or that one side moved to; empty where they differ.
    """

    kept: tuple[Package, ...] = ()
    preferred: tuple[Package, ...] = ()
    python: str = ""


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
