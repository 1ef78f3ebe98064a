"""Every rule of the doctor's, with what it says where all is well."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

from envtag.errors import FatalError
from envtag.findings import Finding, Severity

T = TypeVar("T")

RULES: Mapping[str, str] = MappingProxyType(
    {
        "branch-guarded": "The default branch changes through reviewed and checked pull requests alone.",
        "clock": "This machine and the store agree what time it is.",
        "code-owners": "GitHub understands every line of CODEOWNERS.",
        "config-file": "The client's settings can be read.",
        "engine-conda": "The solver and installer of conda packages runs.",
        "engine-pypi": "The solver and installer of PyPI packages runs.",
        "git": "There is a git, and it is new enough.",
        "github": "GitHub answers for the repository.",
        "metaflow": "Metaflow's named environments are envtag's.",
        "metaflow-datastore": "Metaflow's datastore has a root.",
        "metaflow-launcher": "The `metaflow` that a shell finds has envtag's extension.",
        "registry": "There is a registry, and it can be read.",
        "remote": "The registry's remote can be reached.",
        "ruleset-bypass": "Nobody may bypass a ruleset that a promise stands on.",
        "store": "There is a store, and it can be read.",
        "store-conditional": "The store refuses to create what is there.",
        "store-delete": "The credentials may not delete from the store.",
        "store-overwrite": "The credentials may not replace an object of the store.",
        "store-sdk": "The libraries for this kind of store are installed.",
        "store-writable": "The credentials may add to the store.",
        "tag-creation": "CI can make tags.",
        "tags-guarded": "The server refuses to move or delete a tag, at every depth.",
    }
)


def well(rule: str, message: str) -> Finding:
    """The finding that says that all is well, and what was seen."""
    return Finding(rule=rule, severity="note", message=message)


def attempted(
    rule: str, make: Callable[[], T], found: list[Finding], *, severity: Severity = "error", hint: str = ""
) -> T | None:
    """What a call gives; if it fails, the failure becomes a finding, and None is given.

    Args:
        rule: The rule that is broken by a failure.
        make: The call.
        found: Takes the finding.
        severity: Of that finding.
        hint: Said where the failure has none of its own.
    """
    try:
        return make()
    except FatalError as error:
        found.append(Finding(rule=rule, severity=severity, message=error.message, hint=error.hint or hint))
        return None
