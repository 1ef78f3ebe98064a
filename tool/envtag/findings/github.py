"""Findings as workflow commands of GitHub Actions, which shows them beside the lines of a pull request.

A command is `::error file=F,line=N,title=T::MESSAGE` (GitHub's "Workflow commands"); what a value may not hold is
written as the runner reads it back: `%25`, `%0D`, `%0A`, and in properties `%3A` and `%2C` too.
"""

from __future__ import annotations

from collections.abc import Iterable

from envtag.findings.escape import one_line
from envtag.findings.model import Finding, counted, in_order

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def render(findings: Iterable[Finding]) -> str:
    """One command a finding, the worst first since GitHub shows the first few alone, and a last line with the count."""
    found = in_order(findings)
    return "\n".join([*map(_command, found), counted(found)])


def value(text: str) -> str:
    """A text as the message of a workflow command; line breaks stay such."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def property_value(text: str) -> str:
    """A text as the value of a property of a workflow command."""
    return value(text).replace(":", "%3A").replace(",", "%2C")


def _command(finding: Finding) -> str:
    properties = {
        "file": finding.path,
        "line": str(finding.line) if finding.path and finding.line else "",
        "title": f"envtag {finding.rule}",
    }
    stated = ",".join(f"{key}={property_value(one_line(text))}" for key, text in properties.items() if text)
    lines = [finding.message, *([f"hint: {finding.hint}"] if finding.hint else [])]
    return f"::{_COMMANDS[finding.severity]} {stated}::{value(chr(10).join(map(one_line, lines)))}"
