"""Two changes of one spec that touch as lines but not as requirements, made one requirement by requirement.

Git's own merge of the text comes first and stays what it is where it is clean. What it leaves as a conflict is merged
here only if each side's lines are whole requirements, no requirement was changed by both sides, and what the merged
file asks for, read as any spec is read, is exactly what both sides asked for together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from envtag.errors import FatalError
from envtag.spec import SpecFile, includes, kind_of, parse

_LISTED = re.compile(r"(?P<indent>[ ]*-[ ]+)['\"]?(?:[^\s'\"#]+::)?(?P<name>[A-Za-z0-9][\w.-]*)(?P<rest>[^\n]*)")
_PLAIN = re.compile(r"(?P<indent>)(?P<name>[A-Za-z0-9][\w.-]*)(?P<rest>[^\n]*)")
_BESIDE = re.compile(r"[ \t]*(?:#[^\n]*)?\r?\n?")
_Value = TypeVar("_Value")
_Blocks = dict[str, str]


class UnclearError(ValueError):
    """The two sides cannot be merged by requirement."""


@dataclass(slots=True)
class _Hunk:
    """A conflict: the lines of each version."""

    base: list[str] = field(default_factory=list)
    ours: list[str] = field(default_factory=list)
    theirs: list[str] = field(default_factory=list)


def merge_specs(name: str, base: bytes, ours: bytes, theirs: bytes, *, conflicted: bytes, marker: int) -> bytes:
    """Merge by requirement what git's merge of the text leaves as a conflict.

    Args:
        name: The file's name, which says its kind.
        base: The file before both changes.
        ours: One side.
        theirs: The other.
        conflicted: Git's merge of them with conflicts in the style `diff3`.
        marker: The length of its conflict markers.

    Returns:
        The merged file, comments and all.

    Raises:
        UnclearError: It cannot be told what both sides want together.
    """
    try:
        kind = kind_of(name)
        line = {"environment": _LISTED, "requirements": _PLAIN}.get(kind)
        if line is None:
            raise UnclearError(f"`{name}` is not merged by requirement")
        parts = _parts(conflicted.decode("utf-8"), marker)
        text = "".join(part if isinstance(part, str) else _resolved(part, line) for part in parts)
        merged = text.encode()
        _check(*(SpecFile(name=name, data=data) for data in (base, ours, theirs, merged)))
    except (FatalError, UnicodeDecodeError) as error:
        raise UnclearError(str(error)) from error
    return merged


def _parts(text: str, marker: int) -> Iterator[str | _Hunk]:
    """The text between conflicts, and the conflicts."""
    starts = {sign: sign * marker for sign in "<|=>"}
    hunk: _Hunk | None = None
    into: list[str] = []
    for line in text.splitlines(keepends=True):
        sign = line[:1]
        if sign not in starts or not re.match(rf"{re.escape(starts[sign])}(?: |\r?\n|\Z)", line):
            into.append(line) if hunk is not None else None
            if hunk is None:
                yield line
        elif sign == "<":
            hunk = _Hunk()
            into = hunk.ours
        elif hunk is not None and sign == ">":
            yield hunk
            hunk = None
        elif hunk is not None:
            into = hunk.base if sign == "|" else hunk.theirs


def _resolved(hunk: _Hunk, line: re.Pattern[str]) -> str:
    """Each requirement as the side that changed it has it: in our order, then what they alone have."""
    base, ours, theirs = (_blocks(lines, line) for lines in (hunk.base, hunk.ours, hunk.theirs))
    indents = {found["indent"] for text in (*hunk.base, *hunk.ours, *hunk.theirs) if (found := line.match(text))}
    if len(indents) > 1:
        raise UnclearError("the lines are of several lists")
    order = dict.fromkeys((*ours, *theirs))
    merged = (_three_ways(base.get(key), ours.get(key), theirs.get(key)) for key in order)
    return "".join(block for block in merged if block is not None)


def _blocks(lines: Sequence[str], line: re.Pattern[str]) -> _Blocks:
    """Normalized name to the requirement's line with the comments above it; comments at the end under no name."""
    blocks: _Blocks = {}
    above = ""
    for text in lines:
        if _BESIDE.fullmatch(text):
            above += text
            continue
        found = line.fullmatch(text.rstrip("\r\n"))
        code = found["rest"].partition(" #")[0].rstrip() if found else ""
        if found is None or code.endswith((":", "\\")):
            raise UnclearError(f"not a requirement: {text.strip()}")
        key = re.sub(r"[-_.]+", "-", found["name"]).lower()
        if key in blocks:
            raise UnclearError(f"`{key}` is there twice")
        blocks[key] = above + (text if text.endswith("\n") else f"{text}\n")
        above = ""
    if above:
        blocks[""] = above
    return blocks


def _three_ways(base: _Value, ours: _Value, theirs: _Value) -> _Value:
    if theirs in (ours, base):
        return ours
    if ours == base:
        return theirs
    raise UnclearError("both sides changed the same thing")


def _check(base: SpecFile, ours: SpecFile, theirs: SpecFile, merged: SpecFile) -> None:
    """Hold the merged file to what both sides ask for, however its lines came about."""
    before, left, right, found = (parse([file], lambda _: b"") for file in (base, ours, theirs, merged))
    wanted = [
        (_both(before.conda, left.conda, right.conda), set(found.conda)),
        (_both(before.pypi, left.pypi, right.pypi), set(found.pypi)),
        (_three_ways(before.channels, left.channels, right.channels), found.channels),
        (_three_ways(before.index_url, left.index_url, right.index_url), found.index_url),
        (
            _three_ways(before.extra_index_urls, left.extra_index_urls, right.extra_index_urls),
            found.extra_index_urls,
        ),
        (_three_ways(before.pypi_options, left.pypi_options, right.pypi_options), found.pypi_options),
        (_three_ways(before.platforms, left.platforms, right.platforms), found.platforms),
        (_three_ways(includes(base), includes(ours), includes(theirs)), includes(merged)),
    ]
    if any(expected != actual for expected, actual in wanted):
        raise UnclearError("the merged file does not ask for what both sides ask for")


def _both(base: Sequence[_Value], ours: Sequence[_Value], theirs: Sequence[_Value]) -> set[_Value]:
    before, left, right = set(base), set(ours), set(theirs)
    return (left & right) | (left - before) | (right - before)
