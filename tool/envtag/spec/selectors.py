"""Selectors: the comment `# [linux and not aarch64]` after a dependency, as the set of platforms that it means."""

from __future__ import annotations

from types import MappingProxyType

from envtag.platforms import PLATFORMS
from envtag.spec.model import MalformedError
from envtag.util.pattern import pattern
from envtag.util.text import shown

_ALL = frozenset(PLATFORMS)
_WORDS = MappingProxyType(
    {
        "linux": frozenset({"linux-64", "linux-aarch64"}),
        "linux64": frozenset({"linux-64"}),
        "aarch64": frozenset({"linux-aarch64"}),
        "osx": frozenset({"osx-64", "osx-arm64"}),
        "osx64": frozenset({"osx-64"}),
        "arm64": frozenset({"osx-arm64"}),
        "win": frozenset({"win-64"}),
        "win64": frozenset({"win-64"}),
        "unix": _ALL - {"win-64"},
    }
)
_TOKEN = pattern(r"\s*(?:([()])|([^\s()]+))")
_LEADING = pattern(r"#\s*\[([^\[\]]*)\]")
_BRACKETS = pattern(r"\[([^\[\]]*)\]")
_KNOWN = ", ".join(f"`{word}`" for word in _WORDS)
_DEPTH = 20


def of_comment(comment: str) -> frozenset[str] | None:
    """The platforms that a comment selects, or None if it holds no selector.

    `# [linux]` always is one. Brackets further on (`# needs a GPU [linux]`) are one if they can be read as one;
    prose in brackets is left alone.

    Args:
        comment: From its `#` on.

    Raises:
        MalformedError: It starts with brackets that are no known selector, or that select nothing.
    """
    leading = _LEADING.match(comment)
    if leading:
        return evaluate(leading[1])
    found = (_selector_or_prose(match[1]) for match in _BRACKETS.finditer(comment))
    return next((platforms for platforms in found if platforms is not None), None)


def _selector_or_prose(text: str) -> frozenset[str] | None:
    try:
        return evaluate(text)
    except MalformedError:  # prose: the comment did not begin with it
        return None


def evaluate(expression: str) -> frozenset[str]:
    """The platforms that an expression of words, `not`, `and`, `or` and parentheses means.

    Raises:
        MalformedError: A word is unknown, the expression is malformed, or no platform is left.
    """
    if not expression.strip():
        raise MalformedError("the selector is empty", f"known selectors: {_KNOWN}")
    parser = _Parser(expression)
    platforms = parser.either()
    if parser.peek():
        raise MalformedError(f"the selector has {shown(parser.peek())} too many", "join words by `and` or `or`")
    if not platforms:
        raise MalformedError(
            f"the selector {shown(expression)} selects no platform", "remove the line, or the selector"
        )
    return platforms


class _Parser:
    """Recursive descent over a selector's words; `or` binds less than `and`, `and` less than `not`."""

    def __init__(self, expression: str) -> None:
        self.tokens = [match[1] or match[2] for match in _TOKEN.finditer(expression)]
        self.depth = 0

    def peek(self) -> str:
        return self.tokens[0] if self.tokens else ""

    def take(self) -> str:
        return self.tokens.pop(0) if self.tokens else ""

    def either(self) -> frozenset[str]:
        found = self.both()
        while self.peek() == "or":
            self.take()
            found |= self.both()
        return found

    def both(self) -> frozenset[str]:
        found = self.one()
        while self.peek() == "and":
            self.take()
            found &= self.one()
        return found

    def one(self) -> frozenset[str]:
        word = self.take()
        if word in ("not", "("):
            self.depth += 1
            if self.depth > _DEPTH:
                raise MalformedError("the selector is nested too deep")
            found = _ALL - self.one() if word == "not" else self.either()
            self.depth -= 1
            if word == "(" and self.take() != ")":
                raise MalformedError("the selector has a `(` without `)`")
            return found
        if word in _WORDS:
            return _WORDS[word]
        reason = f"the selector {shown(word)} is unknown" if word else "the selector ends too early"
        raise MalformedError(reason, f"known selectors: {_KNOWN}, with `not`, `and`, `or` and parentheses")
