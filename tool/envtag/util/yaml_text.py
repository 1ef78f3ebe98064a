"""YAML out, the same bytes for ever: block style, text quoted only where a reader could take it for another type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from envtag.util.pattern import pattern

_PLAIN = pattern(r"[A-Za-z](?:[A-Za-z0-9_./+=@!~-]|:(?=[^\s]))*\Z")
_RESERVED = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def dump(document: Mapping[str, Any]) -> bytes:
    """A mapping as YAML that 1.1 and 1.2 readers agree on; mappings in the order given, LF, final newline."""
    return ("\n".join(_mapping(document, "")) + "\n").encode()


def scalar(value: str | int | bool) -> str:
    """One scalar: text plain where it can only be text, quoted otherwise (double quotes with control characters)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if _PLAIN.match(value) and value.lower() not in _RESERVED:
        return value
    if value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    return '"' + "".join(_escape(letter) for letter in value) + '"'


def _mapping(items: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, value in items.items():
        head = f"{indent}{scalar(key)}:"
        if isinstance(value, Mapping):
            yield head + ("" if value else " {}")
            yield from _mapping(value, indent + "  ")
        elif isinstance(value, Sequence) and not isinstance(value, str):
            yield head + ("" if value else " []")
            yield from _sequence(value, indent)
        else:
            yield f"{head} {scalar(value)}"


def _sequence(items: Sequence[Any], indent: str) -> Iterator[str]:
    for item in items:
        if isinstance(item, Mapping):
            lines = list(_mapping(item, indent + "  "))
            yield f"{indent}- {lines[0].lstrip()}"
            yield from lines[1:]
        else:
            yield f"{indent}- {scalar(item)}"


def _escape(letter: str) -> str:
    if letter in '"\\':
        return "\\" + letter
    if letter.isprintable():
        return letter
    return f"\\U{ord(letter):08x}"
