"""The strings of a TOML file that are written as they are, each with its place in the source."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envtag.spec_edit.yaml_scalars import Span

_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*)|(?P<block>\"{3}(?:\\.|[^\\])*?\"{3,5}|'{3}.*?'{3,5})|(?P<quote>["'])""", re.DOTALL
)
_REST = {'"': re.compile(r'((?:\\.|[^"\\\n])*)"'), "'": re.compile(r"([^'\n]*)'")}


def spans(text: str) -> Iterator[Span]:
    """The strings of a TOML document that are in one line and have no escapes; which line is not said.

    Args:
        text: The file's text, which is TOML.
    """
    place = 0
    while (token := _TOKEN.search(text, place)) is not None:
        place = token.end()
        quote = token["quote"]
        if not quote:
            continue
        rest = _REST[quote].match(text, place)
        if rest is None:
            continue
        place = rest.end()
        if quote == "'" or "\\" not in rest[1]:
            yield Span(value=rest[1], start=token.start(), end=place, line=0, quote=quote)
