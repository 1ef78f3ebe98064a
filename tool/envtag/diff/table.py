"""A difference for a terminal: titles and aligned columns, nothing left out, no colour."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envtag.diff.escape import plain
from envtag.diff.view import Code, Section, view
from envtag.render import table

if TYPE_CHECKING:
    from envtag.diff.model import Diff
    from envtag.diff.view import Cell, View


def render(diff: Diff) -> str:
    """The text, with a newline at its end."""
    return "\n".join(_lines(view(diff))) + "\n"


def _lines(shown: View) -> Iterator[str]:
    yield f"{shown.title}: {plain(shown.before)} -> {plain(shown.after)}"
    for section in shown.sections:
        yield from _section(section, "")
    for chapter in shown.chapters:
        yield ""
        yield plain(chapter.name)
        yield f"  {chapter.summary}"
        if chapter.note:
            yield f"  {chapter.note}"
        for section in chapter.sections:
            yield from _section(section, "  ")


def _section(section: Section, indent: str) -> Iterator[str]:
    yield ""
    yield f"{indent}{section.title.upper() if section.kind == 'red' else section.title}"
    rows = [[_cell(cell) for cell in row] for row in section.rows]
    yield from (f"{indent}  {line}".rstrip() for line in table(section.header, rows).splitlines())
    if section.note:
        yield f"{indent}  {section.note}"


def _cell(cell: Cell) -> str:
    return "".join(plain(span.text) if isinstance(span, Code) else span for span in cell) or "-"
