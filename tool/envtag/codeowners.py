r"""CODEOWNERS as GitHub reads it (docs: "About code owners"): the last line that matches a path says who owns it.

Patterns are those of gitignore without `!`, `[ ]` and `\#`; a line that GitHub cannot read it skips, so that what the
line was to protect loses its owner in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from envtag.util.pattern import pattern

#: Where GitHub looks; it takes the first that is there.
PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
#: A bigger file is ignored as a whole.
SIZE_LIMIT = 3_000_000
_OWNER = pattern(r"@[A-Za-z0-9](?:[A-Za-z0-9_-]*)(?:/[A-Za-z0-9._-]+)?|[^@\s]+@[^@\s]+\.[^@\s]+")
_WILD = pattern(r"[*?]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line.

    Attributes:
        line: Its number, from 1.
        pattern: What it is about.
        owners: Who owns that; nobody where it is empty.
    """

    line: int
    pattern: str
    owners: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """A line that GitHub skips.

    Attributes:
        line: Its number, from 1.
        reason: Why, in words.
    """

    line: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class CodeOwners:
    """A parsed file.

    Attributes:
        rules: In the order of the file.
        mistakes: The lines that do not count.
    """

    rules: tuple[Rule, ...]
    mistakes: tuple[Mistake, ...]

    @classmethod
    def parse(cls, text: str) -> CodeOwners:
        """Read a file; nothing is refused, since GitHub refuses nothing either."""
        rules: list[Rule] = []
        mistakes: list[Mistake] = []
        for number, line in enumerate(text.splitlines(), 1):
            words = re.split(r"(?<!\\)\s+", line.strip())
            if not words[0] or words[0].startswith("#"):
                continue
            reason = _mistake(words[0], words[1:])
            if reason:
                mistakes.append(Mistake(line=number, reason=reason))
            else:
                rules.append(Rule(line=number, pattern=words[0].replace("\\ ", " "), owners=tuple(words[1:])))
        return cls(rules=tuple(rules), mistakes=tuple(mistakes))

    def owners(self, path: str) -> tuple[str, ...]:
        """Who owns a file.

        Args:
            path: From the repository's top, with `/`.
        """
        rule = self.rule(path)
        return rule.owners if rule is not None else ()

    def rule(self, path: str) -> Rule | None:
        """The line that decides about a file: the last one that matches; None where none does."""
        best = None
        for above in _above(path):
            for regex, rule in self._by_place.get(above, ()):  # the last one first
                if best is not None and rule.line < best.line:
                    break
                if regex.fullmatch(path):
                    best = rule
                    break
        return best

    @cached_property
    def _by_place(self) -> dict[str, list[tuple[re.Pattern[str], Rule]]]:
        """The rules by the directory that their patterns surely lie below, the last one first.

        Thousands of lines, one an environment, then cost a look-up and not a comparison each.
        """
        found: dict[str, list[tuple[re.Pattern[str], Rule]]] = {}
        for rule in reversed(self.rules):
            found.setdefault(_place(rule.pattern), []).append((_regex(rule.pattern), rule))
        return found


def _above(path: str) -> Iterator[str]:
    """A path and all directories above it, the top as an empty text."""
    while path:
        yield path
        path = path.rpartition("/")[0]
    yield ""


def _place(pattern: str) -> str:
    """What every path that a pattern matches is or lies below; empty where that is the top."""
    if "/" not in pattern.rstrip("/"):
        return ""
    literal = []
    for segment in pattern.strip("/").split("/"):
        if _WILD.search(segment):
            break
        literal.append(segment)
    return "/".join(literal)


def _regex(pattern: str) -> re.Pattern[str]:
    anchored = "/" in pattern.rstrip("/")
    directory = pattern.endswith("/")
    segments = pattern.strip("/").split("/")
    parts = [] if anchored else ["(?:.*/)?"]
    for number, segment in enumerate(segments):
        last = number == len(segments) - 1
        if segment == "**":
            parts.append(".*" if last else "(?:.*/)?")
        else:
            parts.append(re.escape(segment).replace(r"\*", "[^/]*").replace(r"\?", "[^/]") + ("" if last else "/"))
    if directory:
        parts.append("/.*")
    elif segments[-1] != "**" and not (segments[-1] == "*" and anchored):  # `docs/*` is about the files of docs alone
        parts.append("(?:/.*)?")
    return re.compile("".join(parts), re.DOTALL)


def _mistake(pattern: str, owners: list[str]) -> str:
    """Why GitHub skips a line, or an empty text."""
    if pattern.startswith("!"):
        return "a pattern cannot be negated with `!`"
    if "[" in pattern or "]" in pattern:
        return "`[ ]` is not understood in a pattern"
    if pattern.startswith("\\#"):
        return "`\\#` is not understood: a pattern cannot begin with `#`"
    for owner in owners:
        if owner.startswith("#"):
            return "a comment stands on a line of its own"
        if not _OWNER.fullmatch(owner):
            return f"`{owner}` is neither `@user`, `@organisation/team` nor a mail address"
    return ""
