"""The most frequent commands without click, which takes as long to load as one of them takes to look something up.

Each word is understood in one way or the whole line is left to click, which then says what is wrong with it, too.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from envtag.cli import calls
from envtag.cli.session import Session


class _Words:
    """A line taken apart: flags that are set, options with a value, and everything else."""

    def __init__(self, flags: frozenset[str], values: Mapping[str, str], rest: tuple[str, ...]) -> None:
        self.flags = flags
        self.values = values
        self.rest = rest


class _Form:
    """What the line of a command may hold, and what makes a call of it; that gives None for what click is to judge."""

    def __init__(
        self,
        flags: frozenset[str],
        values: frozenset[str],
        *,
        ends_at_first: bool,
        call: Callable[[Session, _Words], Callable[[], int] | None],
    ) -> None:
        self.flags = flags
        self.values = values
        self.ends_at_first = ends_at_first
        self.call = call


def parse(argv: Sequence[str]) -> Callable[[], int] | None:
    """The call that a command line means, yet to be made; None for every line that click is to read."""
    if "_ENVTAG_COMPLETE" in os.environ:  # a shell asks click for completions
        return None
    head = _taken(argv, _GROUP)
    if head is None or not head.rest:
        return None
    form = _FORMS.get(head.rest[0])
    words = _taken(head.rest[1:], form) if form is not None else None
    if form is None or words is None:
        return None
    session = Session(where=head.values.get("--registry", ""), quiet=bool(head.flags))
    return form.call(session, words)


def _taken(argv: Sequence[str], form: _Form) -> _Words | None:
    """Take a line apart; None where a word could be understood in two ways, or in none."""
    flags: set[str] = set()
    values: dict[str, str] = {}
    rest: list[str] = []
    words = iter(argv)
    for word in words:
        if word in form.flags:
            flags.add(word)
        elif word in form.values:
            value = next(words, "")
            if not value or value.startswith("-"):
                return None
            values[word] = value
        elif not word or word.startswith("-"):
            return None
        else:
            rest.append(word)
            if form.ends_at_first:
                rest += words
    return _Words(frozenset(flags), values, tuple(rest))


def _nothing(_: Session, __: _Words) -> None:
    """The program's own options are no call."""


def _show(session: Session, words: _Words) -> Callable[[], int] | None:
    if not words.rest:
        return None
    platform = words.values.get("--platform", "")
    return lambda: calls.show(session, references=words.rest, platform=platform, as_json="--json" in words.flags)


def _create(session: Session, words: _Words) -> Callable[[], int] | None:
    if len(words.rest) != 1:
        return None
    return lambda: calls.create(
        session,
        reference=words.rest[0],
        prefix=Path(words.values["--prefix"]) if "--prefix" in words.values else None,
        name=words.values.get("--name", ""),
        force="--force" in words.flags,
        offline="--offline" in words.flags,
        platform=words.values.get("--platform", ""),
    )


def _run(session: Session, words: _Words) -> Callable[[], int] | None:
    command = words.rest[2:] if words.rest[1:2] == ("--",) else words.rest[1:]
    if not command:
        return None
    offline, platform = "--offline" in words.flags, words.values.get("--platform", "")
    return lambda: calls.run(session, reference=words.rest[0], words=command, offline=offline, platform=platform)


def _unpack(session: Session, words: _Words) -> Callable[[], int] | None:
    if len(words.rest) != 1 or not Path(words.rest[0]).is_file() or not os.access(words.rest[0], os.R_OK):
        return None
    return lambda: calls.unpack(
        session,
        file=Path(words.rest[0]),
        prefix=Path(words.values["--prefix"]) if "--prefix" in words.values else None,
        force="--force" in words.flags,
        expect=words.values.get("--expect", ""),
    )


_GROUP = _Form(frozenset({"-q", "--quiet"}), frozenset({"--registry"}), ends_at_first=True, call=_nothing)
_FORMS: Mapping[str, _Form] = {
    "show": _Form(frozenset({"--json"}), frozenset({"--platform"}), ends_at_first=False, call=_show),
    "create": _Form(
        frozenset({"--force", "--offline"}),
        frozenset({"--prefix", "--name", "--platform"}),
        ends_at_first=False,
        call=_create,
    ),
    "run": _Form(frozenset({"--offline"}), frozenset({"--platform"}), ends_at_first=True, call=_run),
    "unpack": _Form(frozenset({"--force"}), frozenset({"--prefix", "--expect"}), ends_at_first=False, call=_unpack),
}
