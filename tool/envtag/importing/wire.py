"""Documents of other tools, checked field by field: each refusal says file, entry and reason."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from envtag.errors import FatalError
from envtag.importing.model import Source, check_size, refused
from envtag.util.toml import loads
from envtag.util.yaml_read import load, strict_loader

_HEX = {"sha256": re.compile(r"[0-9a-f]{64}"), "md5": re.compile(r"[0-9a-f]{32}")}


class Table(NamedTuple):
    """A mapping of a document, and where it stands.

    Attributes:
        value: The mapping.
        where: File and entry.
    """

    value: Mapping[str, Any]
    where: str

    def text(self, key: str, default: str | None = None) -> str:
        """A text; without a default it must be there."""
        value = self.value.get(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or (default is None and not value):
            raise FatalError(f"{self.where}: `{key}` is {'missing' if value is None else 'not a text'}")
        return value

    def table(self, key: str) -> Table:
        """A mapping, empty where the key is missing."""
        value = self.value.get(key)
        return table_of({} if value is None else value, f"{self.where}: `{key}`")

    def tables(self, key: str) -> list[Table]:
        """A list of mappings, empty where the key is missing."""
        return [table_of(item, f"{self.where}: `{key}` {number}") for number, item in enumerate(self.list(key), 1)]

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, empty where the key is missing."""
        items = self.list(key)
        if not all(isinstance(item, str) for item in items):
            raise FatalError(f"{self.where}: `{key}` is not a list of texts")
        return tuple(items)

    def list(self, key: str) -> list[Any]:
        """A list, empty where the key is missing."""
        value = self.value.get(key)
        if value is not None and not isinstance(value, list):
            raise FatalError(f"{self.where}: `{key}` is not a list")
        return value or []

    def number(self, key: str) -> int | None:
        """A whole number (also as YAML's text of one), None where the key is missing."""
        value = self.value.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,18}", str(value)):
            raise FatalError(f"{self.where}: `{key}` is not a whole number")
        return int(value)

    def digest(self, key: str) -> str:
        """A `sha256` or `md5` in lower-case hex, empty where the key is missing or its value is empty."""
        text = self.text(key, "").lower()
        if text and not _HEX[key].fullmatch(text):
            raise refused(self.where, text, f"it is not a {key} in hex digits")
        return text


def table_of(value: Any, where: str) -> Table:
    """A value that must be a mapping."""
    if not isinstance(value, Mapping):
        raise FatalError(f"{where}: is not a mapping")
    return Table(value, where)


def python_bound(table: Table) -> str:
    """A `requires-python`, empty where it is missing.

    Raises:
        FatalError: It is no version specifier (PEP 440).
    """
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    text = table.text("requires-python", "")
    try:
        SpecifierSet(text)
    except InvalidSpecifier as error:
        raise refused(table.where, text, "it is not a constraint on Python") from error
    return text


def digest_of(kind: str, text: str, where: str) -> str:
    """A `sha256` or `md5` in lower-case hex, or the refusal of it."""
    return Table({kind: text}, where).digest(kind)


def yaml_of(source: Source) -> Table:
    """A file's YAML; every scalar is a text, so that no version becomes a number (`1.10`).

    Raises:
        FatalError: It is too big, not YAML, or not a mapping.
    """
    check_size(source)
    loader = type("TextLoader", (strict_loader(),), {"yaml_implicit_resolvers": {}})
    return table_of(load(source.data, source.name, loader), source.name)


def toml_of(source: Source) -> Table:
    """A file's TOML.

    Raises:
        FatalError: It is too big, no text, or not TOML.
    """
    return Table(loads(text_of(source), source.name), source.name)


def text_of(source: Source) -> str:
    """A file's text; a byte order mark at its start is left out.

    Raises:
        FatalError: It is too big, or not UTF-8.
    """
    check_size(source)
    try:
        return source.data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = source.data.count(b"\n", 0, error.start) + 1
        raise FatalError(f"{source.name}:{line}: not UTF-8 text: {error.reason}") from error
