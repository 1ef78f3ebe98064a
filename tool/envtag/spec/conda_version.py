"""Version constraints in conda's words, in one canonical text.

The rules are those of conda's `VersionSpec` (CEP 29 writes them down): `,` binds tighter than `|`, a version alone is
exact, `=1.2` and `1.2*` mean `1.2.*`. What conda and rattler read differently (`==1.2.*`, `>1.2.*`) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from envtag.spec.model import MalformedError
from envtag.util.pattern import pattern
from envtag.util.text import shown

_CLAUSE = pattern(r"(==|!=|<=|>=|~=|=|<|>|)(.*)", re.DOTALL)
_VERSION = pattern(r"(?:[0-9]+!)?[0-9a-z]+(?:[._-][0-9a-z]+)*_?(?:\+[0-9a-z]+(?:[._-][0-9a-z]+)*)?")
_LONG_NUMBER = pattern(r"[0-9]{19}")
_TOKEN = pattern(r"[(),|]|[^(),|]+")
_ORDER = (">=", ">", "~=", "==", "", "!=", "<", "<=")
_DEPTH = 20
_EXAMPLES = "write it like `1.2.*`, `==1.2.3` or `>=1.2,<2`"


def canonical(text: str) -> str:
    """The canonical text of a version constraint; empty for any version.

    Clauses are sorted (lower bounds first) and unique, so their order does not matter; `|` alternatives likewise.

    Args:
        text: The constraint, without blanks.

    Raises:
        MalformedError: It is none; names the bad clause.
    """
    parser = _Parser(text)
    alternatives = parser.either()
    if parser.tokens:
        raise MalformedError(f"{shown(parser.tokens[0])} is in the wrong place", _EXAMPLES)
    return _joined(alternatives)


def clause(text: str) -> tuple[str, str]:
    """Operator and version of one clause: `("", "1.2.*")`, `("==", "1.2")`, `("", "")` for any version.

    Raises:
        MalformedError: It is malformed, or means different things to different tools.
    """
    if text in ("*", "=*", "==*"):
        return "", ""
    match = _CLAUSE.fullmatch(text)
    operator, written = (match[1], match[2]) if match else ("", text)
    if not written:
        raise MalformedError(f"{shown(text)} has no version" if text else "a version is empty", _EXAMPLES)
    if written[0] == "^" or written[-1] == "$":
        raise MalformedError(f"{shown(text)} is a regular expression", _EXAMPLES)
    wildcard = written.endswith("*")
    version = written.removesuffix("*").removesuffix(".").lower() if wildcard else written.lower()
    _check_version(version, text)
    if wildcard:
        return _with_wildcard(operator, version, text)
    if operator == "~=" and "." not in version:
        raise MalformedError(f"{shown(text)} needs two numbers after `~=`", f"write `~={version}.0` or `={version}`")
    return ("", f"{version}.*") if operator == "=" else (operator or "==", version)


def _with_wildcard(operator: str, version: str, text: str) -> tuple[str, str]:
    if operator in ("", "="):
        return "", f"{version}.*"
    if operator == "!=":
        return operator, f"{version}.*"
    if operator in (">=", "<"):
        return operator, version
    raise MalformedError(
        f"{shown(text)} means one thing to conda and another to mamba and pixi",
        f"write `={version}`, or `{operator}{version}` without `*`",
    )


def _check_version(version: str, text: str) -> None:
    if not _VERSION.fullmatch(version) or _LONG_NUMBER.search(version) or ("-" in version and "_" in version):
        raise MalformedError(f"{shown(text)} is not a version constraint", _EXAMPLES)


def _joined(alternatives: list[list[str]]) -> str:
    """`a,b|c` of canonical clauses; any version wherever one alternative is."""
    if not all(any(clauses) for clauses in alternatives):
        return ""
    return "|".join(_sorted(",".join(_sorted(filter(None, clauses))) for clauses in alternatives))


def _sorted(texts: Iterable[str]) -> list[str]:
    return sorted(set(texts), key=_rank)


def _rank(text: str) -> tuple[int, str]:
    match = _CLAUSE.match(text)
    return _ORDER.index(match[1] if match else ""), text


class _Parser:
    """Recursive descent; each method returns alternatives, each of them a list of clauses that hold together."""

    def __init__(self, text: str) -> None:
        self.tokens = _TOKEN.findall(text)
        self.depth = 0

    def either(self) -> list[list[str]]:
        found = self.both()
        while self.tokens[:1] == ["|"]:
            self.tokens.pop(0)
            found = found + self.both()
        return found

    def both(self) -> list[list[str]]:
        parts = [self.one()]
        while self.tokens[:1] == [","]:
            self.tokens.pop(0)
            parts.append(self.one())
        if len(parts) == 1:
            return parts[0]
        clauses: list[str] = []
        for part in parts:
            if len(part) == 1:
                clauses.extend(part[0])
            else:
                clauses.append(_grouped(part))
        return [clauses]

    def one(self) -> list[list[str]]:
        word = self.tokens.pop(0) if self.tokens else ""
        if word in ("", ")", ",", "|"):
            raise MalformedError("a clause of the version is empty", _EXAMPLES)
        return self.group() if word == "(" else [["".join(clause(word))]]

    def group(self) -> list[list[str]]:
        self.depth += 1
        if self.depth > _DEPTH:
            raise MalformedError("the version is nested too deep", _EXAMPLES)
        inner = self.either()
        if not self.tokens or self.tokens.pop(0) != ")":
            raise MalformedError("the version has a `(` without `)`", _EXAMPLES)
        self.depth -= 1
        return inner


def _grouped(alternatives: list[list[str]]) -> str:
    text = _joined(alternatives)
    return f"({text})" if "|" in text else text
