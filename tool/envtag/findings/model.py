"""A finding: one thing that a rule has to say, with where it is and what to do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]
#: From the worst on.
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one rule found. Its texts may hold a stranger's words as they are: renderings make them harmless.

    Attributes:
        rule: Id of the rule, in kebab-case (`ledger-append-only`).
        severity: An `error` is a no, a `warning` is one where it is asked for, a `note` never is.
        message: One line that names the thing; code in backticks, no full stop.
        hint: What to do about it, empty where nothing is known to help.
        path: The file, relative to the registry's top, with `/`; empty for none.
        line: Its line, from 1; 0 for the file as a whole.
        environment: Name of the environment, empty where it is about none.
    """

    rule: str
    severity: Severity
    message: str
    hint: str = ""
    path: str = ""
    line: int = 0
    environment: str = ""


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each finding once: errors first, then by file, line and rule."""
    return tuple(
        sorted(
            dict.fromkeys(findings),
            key=lambda item: (SEVERITIES.index(item.severity), item.path, item.line, item.rule, item.message),
        )
    )


def fails(findings: Iterable[Finding], *, strict: bool = False) -> bool:
    """Whether the answer is no: there is an error, or with `strict` a warning."""
    deadly = SEVERITIES[: 2 if strict else 1]
    return any(item.severity in deadly for item in findings)


def counted(findings: Iterable[Finding]) -> str:
    """How many there are, in words: `2 errors, 1 note`; `nothing found` for none."""
    count = Counter(item.severity for item in findings)
    said = [f"{count[name]} {name}{'s' if count[name] > 1 else ''}" for name in SEVERITIES if count[name]]
    return ", ".join(said) or "nothing found"
