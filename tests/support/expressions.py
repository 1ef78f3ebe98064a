"""Expressions of GitHub workflows (docs: "Evaluate expressions"), as far as the workflows of this project use them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>\d+)|(?P<sign>==|!=|&&|\|\||[!().,\[\]])|(?P<name>[A-Za-z_][\w-]*))"
)
_CONSTANTS = {"true": True, "false": False, "null": None}
Function = Callable[..., Any]


def evaluate(text: str, contexts: Mapping[str, Any], functions: Mapping[str, Function] | None = None) -> Any:
    """The value of one expression, without `${{ }}`.

    Args:
        text: The expression.
        contexts: `github`, `needs`, … by name.
        functions: `success`, `always`, … by name, beside those that are pure.
    """
    return _Parser(text, contexts, functions or {}).whole()


def fill(text: str, contexts: Mapping[str, Any], functions: Mapping[str, Function] | None = None) -> Any:
    """A text with its `${{ }}` replaced; the value itself where it is nothing but one."""
    whole = re.fullmatch(r"\s*\$\{\{((?:(?!\}\}).)*)\}\}\s*", text, re.DOTALL)
    if whole is not None:
        return evaluate(whole[1], contexts, functions)
    return re.sub(
        r"\$\{\{(.*?)\}\}", lambda found: as_text(evaluate(found[1], contexts, functions)), text, flags=re.DOTALL
    )


def as_text(value: Any) -> str:
    """A value as GitHub writes it into a text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else json.dumps(value)


class _Parser:
    def __init__(self, text: str, contexts: Mapping[str, Any], functions: Mapping[str, Function]) -> None:
        self._tokens: list[tuple[str, str]] = []
        position = 0
        while text[position:].strip():
            found = _TOKEN.match(text, position)
            assert found is not None, f"not understood: {text[position:]!r}"
            assert found.lastgroup is not None
            self._tokens.append((found.lastgroup, found[found.lastgroup]))
            position = found.end()
        self._at = 0
        self._contexts = contexts
        self._functions: dict[str, Function] = {
            "format": _format,
            "contains": _contains,
            "fromJSON": json.loads,
            **functions,
        }

    def whole(self) -> Any:
        value = self._or()
        assert self._at == len(self._tokens), f"left over: {self._tokens[self._at :]}"
        return value

    def _or(self) -> Any:
        value = self._and()
        while self._take("||"):
            other = self._and()
            value = value or other
        return value

    def _and(self) -> Any:
        value = self._equal()
        while self._take("&&"):
            other = self._equal()
            value = value and other
        return value

    def _equal(self) -> Any:
        value = self._not()
        for sign in ("==", "!="):
            if self._take(sign):
                return (_same(value, self._not())) is (sign == "==")
        return value

    def _not(self) -> Any:
        if self._take("!"):
            return not self._not()
        value = self._value()
        while self._take("."):
            _, name = self._next()
            value = value.get(name) if isinstance(value, dict) else None
        return value

    def _value(self) -> Any:
        kind, word = self._next()
        if kind == "text":
            return word[1:-1].replace("''", "'")
        if kind == "number":
            return int(word)
        if word == "(":
            value = self._or()
            assert self._take(")")
            return value
        if self._take("("):
            arguments = []
            while not self._take(")"):
                arguments.append(self._or())
                self._take(",")
            return self._functions[word](*arguments)
        return _CONSTANTS[word] if word in _CONSTANTS else self._contexts[word]

    def _next(self) -> tuple[str, str]:
        self._at += 1
        return self._tokens[self._at - 1]

    def _take(self, sign: str) -> bool:
        if self._tokens[self._at : self._at + 1] == [("sign", sign)]:
            self._at += 1
            return True
        return False


def _same(first: Any, second: Any) -> bool:
    """Equality; texts without regard to case, and nothing is an empty text."""
    one, other = ("" if value is None else value for value in (first, second))
    if isinstance(one, str) and isinstance(other, str):
        return one.lower() == other.lower()
    return bool(one == other)


def _format(text: str, *values: Any) -> str:
    return re.sub(r"\{(\d+)\}", lambda found: as_text(values[int(found[1])]), text)


def _contains(where: Any, what: Any) -> bool:
    return any(_same(item, what) for item in where) if isinstance(where, list) else str(what) in str(where)
