"""Which of two versions is newer, and how much: conda's order and PEP 440's, each for the packages of its world.

conda's order is that of `conda.models.version.VersionOrder`; PEP 440's is `packaging`'s. A PyPI version that is none by
PEP 440 is ordered as conda would.
"""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from envtag.diff.model import Level

_PARTS = re.compile(r"[0-9]+|[*]+|[^0-9*]+")
_NUMBERS = re.compile(r"(?:v?(?P<epoch>[0-9]+)!)?v?(?P<release>[0-9]+(?:[._-][0-9]+)*)")
_LEVELS: tuple[Level, ...] = ("major", "minor")
#: A part of a version: rank first, so that `dev` < text < number < `post`; a missing part is the number 0.
_Part: TypeAlias = "tuple[int, int, str]"
_ZERO: _Part = (1, 0, "")


def compare(manager: str, one: str, other: str) -> int:
    """-1 where one version is older than the other, 1 where it is newer, 0 where neither is.

    Args:
        manager: The world whose order counts: `conda` or `pypi`.
        one: A version.
        other: Another.
    """
    if one == other:
        return 0
    if manager == "pypi":
        found = _compare_pep440(one, other)
        if found is not None:
            return found
    return _compare_conda(one, other)


def level(one: str, other: str) -> Level:
    """How much two versions differ: `major` where their first number or epoch does, `minor` for the second.

    Anything behind it, a suffix too, is a `patch`. Text that does not begin with a number differs in no known part.
    """
    first, second = _release(one), _release(other)
    if first is None or second is None:
        return ""
    for number, pair in enumerate(zip_longest(first, second, fillvalue=0)):
        if pair[0] != pair[1]:
            return _LEVELS[max(number - 1, 0)] if number <= len(_LEVELS) else "patch"
    return "patch"


def _release(text: str) -> tuple[int, ...] | None:
    """Epoch and numbers of a version."""
    match = _NUMBERS.match(text.strip().lower())
    if match is None:
        return None
    return (int(match["epoch"] or 0), *(int(part) for part in re.split(r"[._-]", match["release"])))


def _compare_pep440(one: str, other: str) -> int | None:
    from packaging.version import InvalidVersion, Version

    try:
        first, second = Version(one), Version(other)
    except InvalidVersion:
        return None
    return (first > second) - (first < second)


def _compare_conda(one: str, other: str) -> int:
    pairs = zip_longest(_conda_key(one), _conda_key(other), fillvalue=())
    for first, second in pairs:
        for mine, theirs in zip_longest(first, second, fillvalue=()):
            for left, right in zip_longest(mine, theirs, fillvalue=_ZERO):
                if left != right:
                    return 1 if left > right else -1
    return 0


def _conda_key(text: str) -> tuple[tuple[tuple[_Part, ...], ...], ...]:
    """Epoch, version and local version, each as components of parts."""
    epoch, has_epoch, rest = text.strip().lower().rpartition("!")
    main, _, local = rest.partition("+")
    return _components(epoch if has_epoch else "0"), _components(main), _components(local) if local else ()


def _components(text: str) -> tuple[tuple[_Part, ...], ...]:
    ends = text.endswith(("_", "-")) and len(text) > 1
    words = re.split(r"[._-]", text[:-1] if ends else text)
    if ends:  # openssl's way: `1.0.1_` is older than `1.0.1a`
        words[-1] += "_"
    return tuple(_component(word) for word in words)


def _component(word: str) -> tuple[_Part, ...]:
    parts = tuple(_part(found) for found in _PARTS.findall(word))
    return parts if word[:1].isdigit() else (_ZERO, *parts)


def _part(text: str) -> _Part:
    if text.isdecimal() and text.isascii():
        return (1, int(text), "")
    if text == "post":
        return (2, 0, "")
    return (-1, 0, "") if text == "dev" else (0, 0, text)
