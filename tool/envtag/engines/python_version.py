"""Versions of Python, between the words of PEP 440 and conda's."""

from __future__ import annotations

_MINORS = range(40)
_PATCHES = range(40)


def minor_of(version: str) -> str:
    """The minor version of a full one (`3.11.9` → `3.11`)."""
    return ".".join(version.split(".")[:2])


def conda_version(constraint: str) -> str:
    """A PEP 440 constraint in conda's words.

    Args:
        constraint: Canonical clauses (`==3.11.*`, `>=3.8,<3.9`, `~=3.11`, `!=3.12.1`).

    Returns:
        The same set of versions; conda has no `==` with a wildcard, and everything else means the same there.
    """
    clauses = [clause.strip() for clause in constraint.split(",")]
    return ",".join(clause[2:] if clause.startswith("==") and clause.endswith(".*") else clause for clause in clauses)


def permits(constraint: str, minor: str) -> bool:
    """Whether a constraint permits any version of a minor one (`>=3.11.4` permits `3.11`)."""
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    specifiers = SpecifierSet(constraint)
    return any(specifiers.contains(Version(f"{minor}.{patch}")) for patch in _PATCHES)


def only_minor(constraint: str) -> str:
    """The one minor version of Python 3 that a constraint permits, or an empty string if it permits several or none."""
    if not constraint:
        return ""
    fitting = [f"3.{minor}" for minor in _MINORS if permits(constraint, f"3.{minor}")]
    return fitting[0] if len(fitting) == 1 else ""
