"""Specs that are for one variant of a platform alone: what they ask for there, and where that comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from envtag.platforms import base_platform
from envtag.request import CondaRequirement, PypiRequirement
from envtag.spec.model import Part, Placed, refused

_Requirement = TypeVar("_Requirement", CondaRequirement, PypiRequirement)
_HINT = "put it into a spec of the environment"


def own_parts(variants: Mapping[str, Sequence[str]], parts: Mapping[str, Part]) -> list[Part]:
    """What the files of variants ask for, each requirement for the variants alone that name its file.

    Args:
        variants: Variant to the names of its files.
        parts: Name of each of them to what is in it.

    Raises:
        FatalError: One says what can only be said of the whole environment; names file, line and text.
    """
    found = []
    for name, part in parts.items():
        _check(part)
        owners = frozenset(variant for variant, names in variants.items() if name in names)
        found.append(replace(part, conda=tuple(_limited(part.conda, owners)), pypi=tuple(_limited(part.pypi, owners))))
    return found


def links_of(parts: Sequence[Part]) -> tuple[str, ...]:
    """The pages of links that parts name, in order."""
    return tuple(dict.fromkeys(placed.value for part in parts for name, placed in part.options if name == "find-links"))


def _limited(items: Sequence[_Requirement], owners: frozenset[str]) -> Iterator[_Requirement]:
    """Requirements for some variants, and of these only for those that a selector keeps."""
    for item in items:
        asked = item.platforms
        kept = owners if asked is None else {name for name in owners if {name, base_platform(name)} & asked}
        if kept:
            yield replace(item, platforms=frozenset(kept))


def _check(part: Part) -> None:
    for what, placed in _of_all(part):
        raise refused(placed.origin, placed.value or what.strip("`"), f"{what} is of the whole environment", _HINT)


def _of_all(part: Part) -> Iterator[tuple[str, Placed]]:
    yield from (("Python", placed) for placed in part.pythons)
    yield from (("the list of platforms", placed) for placed in part.platforms)
    yield from ((f"`--{name}`", placed) for name, placed in part.options if name != "find-links")
