"""Where in a TOML file a text stands, and values of the kinds that are expected there."""

from __future__ import annotations

from typing import Any

from envtag.errors import FatalError
from envtag.request import Origin
from envtag.spec.model import refused

_LIMIT = 10_000


class Lines:
    """A file's lines, for the places of errors; a line is 0 where a text is not written as it is (escapes).

    Args:
        name: The file's name.
        text: Its text.
    """

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self._lines = text.split("\n")

    def of(self, *texts: str, table: str = "") -> Origin:
        """The first line that holds one of some texts.

        Args:
            texts: What to look for.
            table: Header of the table (`[project]`) from which on it is looked for; the whole file if it is not there.
        """
        first = next((i for i, line in enumerate(self._lines) if table and line.strip().startswith(table)), 0)
        for number, line in enumerate(self._lines[first:], start=first + 1):
            if any(text in line for text in texts):
                return Origin(file=self.name, line=number)
        return Origin(file=self.name)

    def text(self, value: Any, what: str, *near: str) -> str:
        """A value that is text.

        Raises:
            FatalError: It is none; names it and its place.
        """
        if not isinstance(value, str):
            raise FatalError(f"{self.of(*near)}: {what} is not text")
        return value

    def texts(self, value: Any, what: str, *near: str) -> list[str]:
        """A value that is a list of texts.

        Raises:
            FatalError: It is none; names it and its place.
        """
        if not isinstance(value, list):
            raise FatalError(f"{self.of(*near)}: {what} is not a list")
        if len(value) > _LIMIT:
            raise FatalError(f"{self.of(*near)}: {what} has more than {_LIMIT} entries")
        for item in value:
            if not isinstance(item, str):
                raise refused(self.of(*near), str(item), f"an entry of {what} is not text")
        return value

    def table(self, value: Any, what: str, *near: str) -> dict[str, Any]:
        """A value that is a table; an absent one is empty.

        Raises:
            FatalError: It is none; names it and its place.
        """
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise FatalError(f"{self.of(*near)}: {what} is not a table")
        return value

    def tables(self, value: Any, what: str, *near: str) -> list[dict[str, Any]]:
        """A value that is a list of tables; an absent one is empty.

        Raises:
            FatalError: It is none; names it and its place.
        """
        items = [] if value is None else value
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise FatalError(f"{self.of(*near)}: {what} is not a list of tables")
        return items

    def quoted(self, text: str, *, table: str = "") -> Origin:
        """The line of a text in quotes of either kind."""
        return self.of(f'"{text}"', f"'{text}'", table=table)
