"""The requirements of a requirements file, each with the place in the source that it is written at."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envtag.spec_edit.yaml_scalars import Span

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r|\Z)")
_COMMENT = re.compile(r"(?:^|\s+)#.*", re.DOTALL)


def spans(text: str) -> Iterator[Span]:
    """The logical lines of a requirements file that are requirements, without their comments.

    Args:
        text: The file's text.
    """
    shift = 1 if text.startswith("\ufeff") else 0
    start, first, number = shift, 1, 0
    for match in _LINE.finditer(text, shift):
        number += 1
        raw = match[0].rstrip("\r\n")
        if raw.endswith("\\") and not raw.lstrip().startswith("#") and match.end() < len(text):
            continue
        whole = text[start : match.start()] + raw
        value = _COMMENT.sub("", whole)
        if value.strip() and not value.lstrip().startswith("-"):
            yield Span(value=value, start=start, end=start + len(value), line=first)
        start, first = match.end(), number + 1
