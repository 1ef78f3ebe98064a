"""Constraints on the version of Python, in one canonical text (PEP 440)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.spec.model import MalformedError
from envtag.util.pattern import pattern
from envtag.util.text import shown

if TYPE_CHECKING:
    from packaging.version import Version

_CLAUSE = pattern(r"(===|==|!=|<=|>=|~=|<|>|=|)\s*(.*)", re.DOTALL)
_ORDER = (">=", ">", "~=", "==", "!=", "<", "<=")
_HINT = "write `3.11`, `3.11.7` or clauses such as `>=3.10,<3.13`"
_PATCH_PARTS = 3


def python_constraint(text: str) -> str:
    """The canonical form of what `--python` takes.

    Args:
        text: `3.11` (any of that minor version), `3.11.7`, or clauses of PEP 440 divided by commas.

    Returns:
        Clauses divided by commas, without blanks, lower bounds first, each once: `==3.11.*`, `>=3.8,<3.9`.

    Raises:
        FatalError: It is malformed; names the bad clause.
    """
    try:
        return canonical(text)
    except MalformedError as error:
        raise FatalError(f"{shown(text)} is not a constraint on Python: {error.reason}", error.hint) from error


def canonical(text: str, *, bare: bool = True) -> str:
    """The same as `python_constraint`, for callers that say where the text stands.

    Args:
        text: The constraint.
        bare: Whether a clause may be a version alone (`requires-python` may not).

    Raises:
        MalformedError: With the bad clause in its reason.
    """
    clauses = {_clause(part.strip(), bare=bare) for part in text.split(",")}
    return ",".join(operator + version for operator, version in sorted(clauses, key=_rank))


def _rank(clause: tuple[str, str]) -> tuple[int, Version, str]:
    from packaging.version import Version

    operator, version = clause
    return _ORDER.index(operator), Version(version.removesuffix(".*")), version


def _clause(text: str, *, bare: bool) -> tuple[str, str]:
    match = _CLAUSE.fullmatch(text)
    operator, written = (match[1], match[2]) if match else ("", text)
    if not text:
        raise MalformedError("it has an empty clause", _HINT)
    if not written:
        raise MalformedError(f"{shown(text)} has no version", _HINT)
    if operator in ("=", "==="):
        raise MalformedError(f"{shown(text)} has the operator `{operator}`", f"write `=={written}` or `{written}`")
    if not operator and not bare:
        raise MalformedError(f"{shown(text)} has no operator", f"write `=={written}.*` or `>={written}`")
    wildcard = written.endswith(".*")
    version = _version(written.removesuffix(".*"), text)
    if wildcard and operator not in ("", "==", "!="):
        raise MalformedError(f"{shown(text)} has both `{operator}` and `.*`", f"write `{operator}{version}`")
    if operator == "~=" and len(version.release) < 2:  # noqa: PLR2004 - PEP 440, compatible release
        raise MalformedError(f"{shown(text)} needs two numbers after `~=`", f"write `~={version}.0`")
    if wildcard or (not operator and len(version.release) < _PATCH_PARTS and not version.is_prerelease):
        return operator or "==", f"{version}.*"
    return operator or "==", str(version)


def _version(text: str, clause: str) -> Version:
    from packaging.version import InvalidVersion, Version

    try:
        version = Version(text)
    except InvalidVersion as error:
        raise MalformedError(f"{shown(clause)} has no version of Python in it", _HINT) from error
    odd = version.epoch or version.local or version.is_postrelease or len(version.release) > _PATCH_PARTS
    if odd or not text[0].isdigit():
        raise MalformedError(f"{shown(clause)} has no version of Python in it", _HINT)
    return version
