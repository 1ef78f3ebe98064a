"""YAML in, for files that people edit: mappings know the lines of their keys, numbers keep the text that was written.

`python: 3.10` is the number 3.1 to YAML; here it is still `3.10`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from envtag.errors import FatalError
from envtag.util.yaml_read import check_size, load, strict_loader

#: More than the settings and releases of any environment.
_LIMIT = 2_000_000


class Untyped(str):
    """The text of a scalar that YAML takes for a number or a date."""

    __slots__ = ()


class Table(dict[str, Any]):
    """A YAML mapping with text keys, and where it was written.

    Attributes:
        where: The file's name.
        line: The 1-based line on which the mapping begins, 0 if that is not known.
        lines: Key to 1-based line.
    """

    where: str
    line: int
    lines: dict[str, int]

    def at(self, key: str = "") -> str:
        """`FILE:LINE` of a key that is there, or of the mapping; the file alone where lines are not known."""
        line = self.lines.get(key, self.line)
        return f"{self.where}:{line}" if line else self.where

    def check_keys(self, known: Collection[str]) -> None:
        """Refuse a key that is none of `known`.

        Raises:
            FatalError: Names the file, the line and the key, and the key that may have been meant.
        """
        for key in self:
            if key not in known:
                import difflib

                close = difflib.get_close_matches(key, known, 1)
                hint = (
                    f"did you mean `{close[0]}`?"
                    if close
                    else f"known keys: {', '.join(f'`{name}`' for name in known)}"
                )
                raise FatalError(f"{self.at(key)}: unknown key `{key}`", hint)

    def check_version(self, version: str) -> None:
        """Refuse every format version but one; to be called before anything else is looked at.

        Raises:
            FatalError: There is no `version`, or it is another one.
        """
        if "version" not in self:
            raise FatalError(f"{self.where}: has no `version`", f"begin it with `version: {version}`")
        if self["version"] != version:
            raise FatalError(
                f"{self.at('version')}: format version `{self['version']}` is not one that this envtag reads",
                f"it reads version {version}: use a newer envtag",
            )

    def text(self, key: str, default: str | None = None) -> str:
        """The text of a key, numbers and dates as they were written.

        Raises:
            FatalError: It is not one piece of text, or is missing without a default.
        """
        if key not in self:
            if default is None:
                raise FatalError(f"{self.at()}: has no `{key}`")
            return default
        value = self[key]
        if not isinstance(value, str):
            raise FatalError(f"{self.at(key)}: `{key}` is {_kind(value)}, and text is expected", _quote_hint(value))
        return str(value)

    def texts(self, key: str) -> tuple[str, ...]:
        """The texts of a list; a missing key is an empty list, and one text alone is a list of it.

        Raises:
            FatalError: It is not a list of texts.
        """
        value = self.get(key, [])
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list):
            raise FatalError(f"{self.at(key)}: `{key}` is {_kind(value)}, and a list is expected")
        for item in items:
            if not isinstance(item, str):
                raise FatalError(
                    f"{self.at(key)}: `{key}` holds {_kind(item)}, and text is expected", _quote_hint(item)
                )
        return tuple(str(item) for item in items)

    def table(self, key: str) -> Table:
        """The mapping of a key; a missing one, or one without a value, is empty.

        Raises:
            FatalError: It is not a mapping.
        """
        value = self.get(key)
        if value is None:
            return _empty(self.where, self.lines.get(key, self.line))
        if not isinstance(value, Table):
            raise FatalError(f"{self.at(key)}: `{key}` is {_kind(value)}, and a mapping is expected")
        return value

    def tables(self, key: str) -> list[Table]:
        """The mappings of a list; a missing key, or one without a value, is an empty list.

        Raises:
            FatalError: It is not a list of mappings.
        """
        value = self.get(key)
        items = [] if value is None else value
        if not isinstance(items, list) or not all(isinstance(item, Table) for item in items):
            raise FatalError(f"{self.at(key)}: `{key}` is not a list of mappings")
        return items


def load_table(data: bytes, where: str) -> Table:
    """Parse a YAML document that is one mapping.

    Args:
        data: UTF-8 text.
        where: The file's name, for errors.

    Raises:
        FatalError: It is not YAML, not a mapping, has a key twice or a key that is not text.
    """
    check_size(len(data), where, _LIMIT)
    document = load(data, where, _loader(where))
    if not isinstance(document, Table):
        raise FatalError(f"{where}: not a mapping of keys to values")
    return document


def as_table(value: Mapping[str, Any], where: str) -> Table:
    """A mapping that came from elsewhere (TOML), for the same checks; its lines are not known."""
    table = _empty(where, 0)
    table.update({key: as_table(item, where) if isinstance(item, dict) else item for key, item in value.items()})
    return table


def _empty(where: str, line: int) -> Table:
    table = Table()
    table.where, table.line, table.lines = where, line, {}
    return table


def _loader(where: str) -> Any:
    base = strict_loader()

    class TableLoader(base):  # type: ignore[misc,valid-type]
        def construct_mapping(self, node: Any, deep: bool = False) -> Any:  # noqa: FBT002 - PyYAML's signature
            table = _empty(where, node.start_mark.line + 1)
            plain = super().construct_mapping(node, deep=deep)
            for key_node, _ in node.value:
                line = key_node.start_mark.line + 1
                if not isinstance(key_node.value, str):
                    raise FatalError(f"{where}:{line}: a key that is not text")
                table.lines[key_node.value] = line
            for key, value in plain.items():
                if not isinstance(key, str):
                    raise FatalError(
                        f"{where}: the key `{key}` is {_kind(key)}, and text is expected", _quote_hint(key)
                    )
                table[str(key)] = value
            return table

        def construct_table(self, node: Any) -> Any:
            return self.construct_mapping(node, deep=True)

        def construct_untyped(self, node: Any) -> Any:
            return Untyped(self.construct_scalar(node))

    for kind in ("int", "float", "timestamp"):
        TableLoader.add_constructor(f"tag:yaml.org,2002:{kind}", TableLoader.construct_untyped)
    TableLoader.add_constructor("tag:yaml.org,2002:map", TableLoader.construct_table)
    return TableLoader


def _kind(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, Untyped):
        return f"the number or date `{value}`"
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    return f"`{value}`"


def _quote_hint(value: Any) -> str:
    return "put it in quotes" if isinstance(value, (bool, Untyped)) else ""
