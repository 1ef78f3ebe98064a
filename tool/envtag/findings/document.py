"""Findings as JSON: a stable schema, for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from envtag.findings.model import SEVERITIES, Finding, fails, in_order

VERSION = 1


def render(findings: Iterable[Finding], *, strict: bool = False) -> str:
    """The document as JSON in which nothing is a command to a log of GitHub Actions."""
    text = json.dumps(document(findings, strict=strict), indent=2, sort_keys=True, ensure_ascii=True)
    return text.replace("##[", "#\\u0023[")


def document(findings: Iterable[Finding], *, strict: bool = False) -> dict[str, Any]:
    """The findings as a value: `version`, `ok`, `counts` and `findings`, each with all fields of `Finding`."""
    found = in_order(findings)
    return {
        "version": VERSION,
        "ok": not fails(found, strict=strict),
        "counts": {name: sum(item.severity == name for item in found) for name in SEVERITIES},
        "findings": [
            {
                "rule": item.rule,
                "severity": item.severity,
                "message": item.message,
                "hint": item.hint,
                "path": item.path,
                "line": item.line,
                "environment": item.environment,
            }
            for item in found
        ],
    }
