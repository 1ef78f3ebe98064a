"""YAML that people edit, as a tree that knows its lines and its comments: read, never guessed at line by line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from envtag.errors import FatalError
from envtag.request import Origin
from envtag.spec.model import refused
from envtag.util.pattern import pattern
from envtag.util.text import shown

_DEPTH = 20
_NULLS = ("", "~", "null", "Null", "NULL")
_COMMENT = pattern(r"(?:^|(?<=\s))#")


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value as it was written, never turned into a number or a truth value.

    Attributes:
        text: Without quotes.
        line: 1-based line of its start.
        last_line: 1-based line of its end.
        null: Whether it is YAML's nothing.
    """

    text: str
    line: int
    last_line: int
    null: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    """A sequence, and the 1-based line of its start."""

    items: tuple[Node, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping in the order written, no key twice, and the 1-based line of its start."""

    entries: tuple[tuple[Scalar, Node], ...]
    line: int


Node = Scalar | Items | Table


@dataclass(frozen=True, slots=True)
class Document:
    """One document: its root (None for an empty one), and the comment after each line's content, from its `#` on."""

    root: Node | None
    comments: Mapping[int, str]


@dataclass(slots=True)
class _Open:
    """A sequence or mapping whose end has not come yet."""

    table: bool
    line: int
    anchor: str | None
    children: list[Node] = field(default_factory=list)


def compose(text: str, where: str) -> Document:
    """Read one document.

    Anchors and aliases are shared, not copied, so a small file cannot become a big tree.

    Args:
        text: The file's text.
        where: Its name, for errors.

    Raises:
        FatalError: It is not YAML, has several documents, a key twice, a tag, or nests too deep.
    """
    import yaml

    builder = _Builder(where)
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        for event in yaml.parse(text, Loader=loader):
            builder.feed(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        origin = Origin(file=where, line=mark.line + 1 if mark else 0)
        if "nesting depth" in str(error.problem):  # PyYAML 6.0.4's own limit, met while it looks ahead
            raise FatalError(f"{origin}: nested more than {_DEPTH} deep") from error
        raise FatalError(f"{origin}: not YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise FatalError(f"{where}: not YAML: {' '.join(str(error).split())}") from error
    return Document(builder.root, dict(_comments(text, builder.quoted)))


class _Builder:
    """Builds the tree from the parser's events, without recursion."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.root: Node | None = None
        self.quoted: list[tuple[tuple[int, int], tuple[int, int]]] = []
        self._open: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._documents = 0

    def feed(self, event: Any) -> None:
        import yaml

        line = event.start_mark.line + 1
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise self._refused(line, "---", "a second document", "one file holds one environment")
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise self._refused(line, f"*{event.anchor}", "there is no such anchor before it")
            self._close(self._anchors[event.anchor], None)
        elif isinstance(event, yaml.ScalarEvent):
            self._refuse_tag(event, line)
            self._close(self._scalar(event, line), event.anchor)
        elif isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
            self._refuse_tag(event, line)
            if len(self._open) >= _DEPTH:
                raise FatalError(f"{self.where}:{line}: nested more than {_DEPTH} deep")
            table = isinstance(event, yaml.MappingStartEvent)
            self._open.append(_Open(table=table, line=line, anchor=event.anchor))
        elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            done = self._open.pop()
            self._close(self._table(done) if done.table else Items(tuple(done.children), done.line), done.anchor)

    def _scalar(self, event: Any, line: int) -> Scalar:
        start, end = event.start_mark, event.end_mark
        if event.style:
            self.quoted.append(((start.line, start.column), (end.line, end.column)))
        return Scalar(event.value, line, end.line + 1, null=not event.style and event.value in _NULLS)

    def _table(self, done: _Open) -> Table:
        entries: list[tuple[Scalar, Node]] = []
        seen: dict[str, int] = {}
        for key, value in zip(done.children[::2], done.children[1::2], strict=True):
            if not isinstance(key, Scalar):
                raise FatalError(f"{self.where}:{key.line}: a key is not text")
            if key.text in seen:
                raise self._refused(key.line, key.text, f"the key is there twice, first in line {seen[key.text]}")
            seen[key.text] = key.line
            entries.append((key, value))
        return Table(tuple(entries), done.line)

    def _close(self, node: Node, anchor: str | None) -> None:
        if anchor:
            self._anchors[anchor] = node
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node

    def _refuse_tag(self, event: Any, line: int) -> None:
        if event.tag is not None and event.tag not in ("!", "tag:yaml.org,2002:str"):
            raise self._refused(line, event.tag, "tags are not understood", "write plain text")

    def _refused(self, line: int, text: str, reason: str, hint: str = "") -> FatalError:
        return refused(Origin(file=self.where, line=line), text, reason, hint)


def _comments(text: str, quoted: Iterable[tuple[tuple[int, int], tuple[int, int]]]) -> Iterator[tuple[int, str]]:
    """The comment after each line's content: the first `#` after a blank that stands in no quoted or block text."""
    spans: dict[int, list[tuple[int, int]]] = {}
    for (line, column), (last, end) in quoted:
        for number in range(line, last + 1):
            first = column if number == line else 0
            spans.setdefault(number, []).append((first, end if number == last else 1 << 30))
    for number, content in enumerate(re.split(r"\r\n|[\n\r\x85\u2028\u2029]", text)):
        for match in _COMMENT.finditer(content):
            if not any(first <= match.start() < end for first, end in spans.get(number, ())):
                if content[: match.start()].strip():
                    yield number + 1, content[match.start() :].rstrip()
                break


def describe(node: Node) -> str:
    """What a node is, for a message: its text, or `a list`, or `a mapping`."""
    if isinstance(node, Scalar):
        return shown(node.text) if not node.null else "nothing"
    return "a list" if isinstance(node, Items) else "a mapping"
