"""A difference as one self-contained page: no script, nothing loaded from elsewhere, readable by screen readers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envtag.diff.escape import html_text
from envtag.diff.view import Chapter, Code, Section, view

if TYPE_CHECKING:
    from envtag.diff.model import Diff
    from envtag.diff.view import Cell

_STYLE = """\
:root { color-scheme: light dark; --line: #d0d7de; --soft: #f6f8fa; --red: #b42318; }
@media (prefers-color-scheme: dark) { :root { --line: #30363d; --soft: #161b22; --red: #ff7b72; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: .5rem 0 1rem; display: block; overflow-x: auto; }
caption { text-align: left; font-weight: 600; padding: .25rem 0; }
th, td { border: 1px solid var(--line); padding: .25rem .6rem; text-align: left; vertical-align: top; }
thead th { background: var(--soft); }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }
.red { border-left: .3rem solid var(--red); padding-left: 1rem; }
.red caption { color: var(--red); }
summary { cursor: pointer; font-weight: 600; }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def render(diff: Diff) -> str:
    """The page, with a newline at its end."""
    return "\n".join(_lines(diff)) + "\n"


def _lines(diff: Diff) -> Iterator[str]:
    shown = view(diff)
    yield from (
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>envtag diff: {shown.title}</title>",
        f"<style>\n{_STYLE}</style>",
        "</head>",
        "<body>",
        "<main>",
        f"<h1>{shown.title}</h1>",
        f"<p>From <code>{html_text(shown.before)}</code> to <code>{html_text(shown.after)}</code>.</p>",
    )
    for section in shown.sections:
        yield from _section(section)
    for number, chapter in enumerate(shown.chapters):
        yield from _chapter(chapter, number)
    yield from ("</main>", "</body>", "</html>")


def _chapter(chapter: Chapter, number: int) -> Iterator[str]:
    yield f'<section aria-labelledby="e{number}">'
    yield f'<h2 id="e{number}"><code>{html_text(chapter.name)}</code></h2>'
    yield f"<p><strong>{chapter.summary}</strong></p>"
    if chapter.note:
        yield f"<p>{chapter.note}</p>"
    for section in chapter.sections:
        yield from _section(section)
    yield "</section>"


def _section(section: Section) -> Iterator[str]:
    title = f"{section.title} ({len(section.rows):,})"
    if section.folded:
        yield f"<details><summary>{title}</summary>"
    elif section.kind == "red":
        yield '<div class="red">'
    yield f"<table><caption>{title}</caption>"
    header = "".join(f'<th scope="col">{word}</th>' for word in section.header)
    yield f"<thead><tr>{header}</tr></thead>"
    yield "<tbody>"
    for first, *rest in section.rows:
        cells = "".join(f"<td>{_cell(cell)}</td>" for cell in rest)
        yield f'<tr><th scope="row">{_cell(first)}</th>{cells}</tr>'
    yield "</tbody></table>"
    if section.note:
        yield f"<p>{section.note}</p>"
    if section.folded:
        yield "</details>"
    elif section.kind == "red":
        yield "</div>"


def _cell(cell: Cell) -> str:
    spans = (f"<code>{html_text(span.text)}</code>" if isinstance(span, Code) else span for span in cell)
    return "".join(spans).replace(" > ", " &gt; ")
