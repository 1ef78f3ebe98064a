"""Poetry's version constraints in the words of PEP 440.

The rules are at https://python-poetry.org/docs/dependency-specification/.
"""

from __future__ import annotations

from envtag.spec.model import MalformedError
from envtag.util.pattern import pattern

_CLAUSE = pattern(r"(\^|~=|~|===|==|=|!=|<=|>=|<|>|)\s*([^\s,^~=!<>]+)")
_RELEASE = pattern(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(.*)")
_EXAMPLES = "write it like `^1.2`, `~1.2`, `1.2.*` or `>=1.2,<2`"


def specifier(text: str) -> str:
    """A constraint as clauses of PEP 440 divided by commas; empty for any version.

    Args:
        text: `^1.2.3`, `~1.2`, `1.2.*`, `1.2.3` (exactly that), `>=1,<2`, `*`.

    Raises:
        MalformedError: It is malformed, or holds an `or`, for which PEP 440 has no word.
    """
    if "|" in text:
        raise MalformedError("PEP 440 has no `or`", "write one range, or several entries with markers")
    rest = text.strip()
    clauses: list[str] = []
    while rest:
        match = _CLAUSE.match(rest)
        if match is None:
            raise MalformedError("it is not a constraint on a version", _EXAMPLES)
        clauses += _clause(match[1], match[2])
        rest = rest[match.end() :].lstrip(" ,")
    return ",".join(clauses)


def _clause(operator: str, version: str) -> list[str]:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    if version == "*" and operator in ("", "=", "=="):
        return []
    if operator in ("^", "~"):
        found = [f">={version}", f"<{_next(operator, version)}"]
    else:
        found = [f"{'==' if operator in ('', '=') else operator}{version}"]
    try:
        SpecifierSet(",".join(found))
    except InvalidSpecifier as error:
        raise MalformedError("it is not a constraint on a version", _EXAMPLES) from error
    return found


def _next(operator: str, version: str) -> str:
    """The first version that a caret or a tilde leaves out."""
    match = _RELEASE.fullmatch(version)
    if match is None:
        raise MalformedError("it is not a constraint on a version", _EXAMPLES)
    given = [int(part) for part in match.group(1, 2, 3) if part is not None]
    if operator == "~":
        place = min(len(given) - 1, 1)
    else:
        place = next((index for index, number in enumerate(given) if number), len(given) - 1)
    raised = [*given[:place], given[place] + 1]
    return ".".join(map(str, raised + [0] * (len(given) - len(raised))))
