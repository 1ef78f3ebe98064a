"""Findings for people, on a terminal or in a log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from envtag.findings.escape import one_line
from envtag.findings.model import Finding, counted, in_order


def render(findings: Iterable[Finding]) -> str:
    """Findings as text: two or three lines each, the worst first, and how many there are in the last line."""
    found = in_order(findings)
    return "\n".join([*(line for item in found for line in _lines(item)), counted(found)])


def place(finding: Finding) -> str:
    """Where a finding is: `FILE:LINE`, `FILE`, or nothing."""
    return f"{finding.path}:{finding.line}" if finding.path and finding.line else finding.path


def _lines(finding: Finding) -> Iterator[str]:
    yield one_line(f"{finding.severity}: {finding.message}  [{finding.rule}]")
    if finding.path:
        yield f"  at {one_line(place(finding))}"
    if finding.hint:
        yield f"  hint: {one_line(finding.hint)}"
