"""A difference as one GitHub comment, however large it is: what matters least is left out, and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envtag.diff import words
from envtag.diff.escape import markdown as code
from envtag.diff.view import Chapter, Code, Section, SectionKind, View, view

if TYPE_CHECKING:
    from envtag.diff.model import Diff
    from envtag.diff.view import Cell

#: Bytes that a comment may have. GitHub takes 65,536 characters; no way to count them gives more than bytes of UTF-8.
LIMIT = 65_000
#: The first line, by which a workflow finds its comment again.
MARKER = "<!-- envtag diff -->"
_FULL = "The same command with `--html` or `--json` shows everything."
_RESERVE = 1_000
_NOTE = 100
#: What is given up, the least important first; whole chapters go before the last two.
_GIVEN_UP: tuple[SectionKind, ...] = ("transitive", "every", "weight", "direct", "settings", "attention")
_LAST: tuple[SectionKind, ...] = ("overview", "settings", "red")


def render(diff: Diff, *, limit: int = LIMIT, full: str = _FULL) -> str:
    """The comment.

    Args:
        diff: What is shown.
        limit: Bytes that it may have.
        full: Where everything is to be found, in Markdown; said only where something is left out.
    """
    page = _Page(view(diff))
    page.shrink(limit - _RESERVE - len(full.encode()))
    return page.text(full)


@dataclass(slots=True)
class _Part:
    """A section and how many of its rows are kept."""

    section: Section
    head: str
    rows: list[str]
    foot: str
    kept: int

    @property
    def left_out(self) -> int:
        return len(self.rows) - self.kept

    @property
    def size(self) -> int:
        if not self.kept:
            return _NOTE
        rows = sum(_size(row) for row in self.rows[: self.kept])
        return _size(self.head) + rows + _size(self.foot) + (_NOTE if self.left_out else 0)

    def cut(self, excess: int) -> int:
        """Give rows up, the last first, until so many bytes are free; how many are."""
        before = self.size
        free = -_NOTE
        while self.kept and free < excess:
            self.kept -= 1
            free += _size(self.rows[self.kept])
        return before - self.size

    def text(self) -> str:
        """The section; a sentence where nothing of it is left."""
        told = f"*{words.count(self.left_out, 'row')} left out: {_noun(self.section)}.*\n\n"
        if not self.kept:
            return told
        body = self.head + "".join(self.rows[: self.kept]) + "\n" + (told if self.left_out else "")
        return body + self.foot


@dataclass(slots=True)
class _Block:
    """A chapter, and whether it is there at all."""

    chapter: Chapter
    head: str
    parts: list[_Part]
    kept: bool = True

    @property
    def size(self) -> int:
        return _size(self.head) + sum(part.size for part in self.parts)

    def drop(self) -> int:
        """Leave all of it out; how many bytes are free."""
        free = self.size
        self.kept = False
        for part in self.parts:
            part.kept = 0
        return free


class _Page:
    def __init__(self, shown: View) -> None:
        self._head = f"{MARKER}\n## envtag diff: {shown.title}\n\nFrom {code(shown.before)} to {code(shown.after)}.\n\n"
        self._parts = [_part(section, level="### ") for section in shown.sections]
        self._blocks = [
            _Block(
                chapter,
                f"### {code(chapter.name)}\n\n**{chapter.summary}**\n\n"
                + (f"*{chapter.note}*\n\n" if chapter.note else ""),
                [_part(section) for section in chapter.sections],
            )
            for chapter in shown.chapters
        ]

    def shrink(self, limit: int) -> None:
        """Give up what matters least until the rest has so many bytes."""
        excess = (
            _size(self._head)
            + sum(part.size for part in self._parts)
            + sum(block.size for block in self._blocks)
            - limit
        )
        for kind in _GIVEN_UP:
            for block in reversed(self._blocks):
                for part in block.parts:
                    if excess > 0 and part.section.kind == kind:
                        excess -= part.cut(excess)
        for block in reversed(self._blocks):
            if excess > 0:
                excess -= block.drop()
        for kind in _LAST:
            for part in self._parts:
                if excess > 0 and part.section.kind == kind:
                    excess -= part.cut(excess)

    def text(self, full: str) -> str:
        """The comment, with what was left out at its end."""
        texts = [self._head, *(part.text() for part in self._parts)]
        for block in self._blocks:
            if block.kept:
                texts += [block.head, *(part.text() for part in block.parts)]
        left = "; ".join(self._left_out())
        if left:
            texts.append(f"**This comment is not complete.** Left out, to stay below GitHub's limit: {left}. {full}\n")
        return "".join(texts).rstrip("\n") + "\n"

    def _left_out(self) -> Iterator[str]:
        counts: Counter[str] = Counter()
        parts = [*self._parts, *(part for block in self._blocks for part in block.parts)]
        for part in parts:
            counts[_noun(part.section)] += part.left_out
        dropped = sum(not block.kept for block in self._blocks)
        if dropped:
            yield f"{words.count(dropped, 'environment')} as a whole"
        for title, number in counts.items():
            if number:
                yield f"{words.count(number, 'row')} of {title}"


def _noun(section: Section) -> str:
    """What the rows of a section are."""
    return "findings" if section.kind == "attention" else section.title.lower()


def _part(section: Section, *, level: str = "") -> _Part:
    head, foot = _frame(section, level)
    table = f"| {' | '.join(section.header)} |\n|{' --- |' * len(section.header)}\n"
    rows = [f"| {' | '.join(_cell(cell) for cell in row)} |\n" for row in section.rows]
    note = f"*{section.note}*\n\n" if section.note else ""
    return _Part(section, head + table, rows, note + foot, len(rows))


def _frame(section: Section, level: str) -> tuple[str, str]:
    if section.folded:
        title = f"{section.title} ({len(section.rows):,})"
        return f"<details><summary>{title}</summary>\n\n", "</details>\n\n"
    if section.kind == "red":
        many = words.count(len(section.rows), "red flag")
        return f"> [!CAUTION]\n> {many}: find out the reason for each before this is merged.\n\n", ""
    return (f"{level}{section.title}\n\n" if level else f"**{section.title}**\n\n"), ""


def _cell(cell: Cell) -> str:
    return "".join(code(span.text) if isinstance(span, Code) else span for span in cell)


def _size(text: str) -> int:
    return len(text.encode())
