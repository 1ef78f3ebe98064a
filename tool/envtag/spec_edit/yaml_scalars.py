"""The texts of a YAML file, each with the place in the source that it is written at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_FLOW = re.compile(r"[,\[\]{}]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A text in a source.

    Attributes:
        value: What it says.
        start: Where it begins in the source, quotes included.
        end: Where it ends.
        line: 1-based line of its start, 0 where that is not what an origin names.
        quote: What it is quoted with, empty for nothing.
        flow: Whether it is in brackets, where a comma would end it.
    """

    value: str
    start: int
    end: int
    line: int
    quote: str = ""
    flow: bool = False

    def written(self, value: str) -> str:
        """Another value, written as this one is."""
        quote = self.quote or ('"' if self.flow and _FLOW.search(value) else "")
        return f"{quote}{value}{quote}"


def spans(text: str) -> Iterator[Span]:
    """The values of a YAML document that are written in one line, plain or in quotes, and without an anchor.

    Args:
        text: The file's text, which is YAML.
    """
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    shift = 1 if text.startswith("\ufeff") else 0
    body = text[shift:]
    starts = [0, *(match.end() for match in _BREAK.finditer(body))]
    flows: list[bool] = []
    for event in yaml.parse(body, Loader=loader):
        if isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
            flows.append(bool(event.flow_style))
        elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            flows.pop()
        elif isinstance(event, yaml.ScalarEvent):
            first, last = cast("Any", event.start_mark), cast("Any", event.end_mark)
            if first.line != last.line or event.anchor or event.style in ("|", ">"):
                continue
            start, end = (starts[mark.line] + mark.column for mark in (first, last))
            quote = event.style or ""
            if quote and (body[start] != quote or body[start + 1 : end - 1] != event.value):
                continue  # escapes in it: what is written is not what it says
            yield Span(
                value=event.value,
                start=start + shift,
                end=end + shift,
                line=first.line + 1,
                quote=quote,
                flow=any(flows),
            )
