"""Licences as packages state them: SPDX expressions where they are such, any text otherwise."""

from __future__ import annotations

import re
from collections.abc import Callable

_WORD = re.compile(r"\s*(\(|\)|[^\s()]+)")
_OPERATORS = ("and", "or", "with", "(", ")")


def allows(text: str, is_allowed: Callable[[str], bool]) -> bool:
    """Whether a licence may be used: one side of each `OR` and both of each `AND` (SPDX 2.3, annex D).

    Args:
        text: What the package states.
        is_allowed: Whether a single licence may be used, in lower case (`mit`, `gpl-2.0-only with …`).
    """
    text = " ".join(text.lower().split())
    if is_allowed(text):
        return True
    words = _WORD.findall(text)
    reader = _Reader(words, is_allowed)
    try:
        found = reader.either()
    except (IndexError, ValueError, RecursionError):  # no expression: a text of the package's own
        return False
    return found and not reader.words


class _Reader:
    """Reads an expression from its words, and says whether it is allowed as it goes."""

    def __init__(self, words: list[str], is_allowed: Callable[[str], bool]) -> None:
        self.words = words
        self._is_allowed = is_allowed

    def either(self) -> bool:
        """`A or B …`."""
        found = self._both()
        while self.words[:1] == ["or"]:
            self.words.pop(0)
            found = self._both() or found
        return found

    def _both(self) -> bool:
        found = self._one()
        while self.words[:1] == ["and"]:
            self.words.pop(0)
            found = self._one() and found
        return found

    def _one(self) -> bool:
        word = self.words.pop(0)
        if word == "(":
            found = self.either()
            if self.words.pop(0) != ")":
                raise ValueError("a parenthesis is left open")
            return found
        if word in _OPERATORS:
            raise ValueError("a licence is expected")
        if self.words[:1] == ["with"]:
            self.words.pop(0)
            word = f"{word} with {self.words.pop(0)}"
            return self._is_allowed(word) or self._is_allowed(word.partition(" ")[0])
        return self._is_allowed(word)
