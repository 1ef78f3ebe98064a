"""Findings as SARIF 2.1.0 (OASIS, "Static Analysis Results Interchange Format"), for code scanning."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from envtag.findings.escape import one_line
from envtag.findings.model import Finding, in_order
from envtag.util.canonical import sha256_hex

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
#: Code scanning wants a file for each result; what is about the registry as a whole is shown at its settings.
DEFAULT_PATH = "pyproject.toml"


def render(findings: Iterable[Finding], rules: Mapping[str, str], *, version: str) -> str:
    """A log with one run.

    Args:
        findings: What was found.
        rules: Id of every rule to its sentence; the findings' rules are among them.
        version: Version of envtag.
    """
    return json.dumps(document(findings, rules, version=version), indent=2, ensure_ascii=True)


def document(findings: Iterable[Finding], rules: Mapping[str, str], *, version: str) -> dict[str, Any]:
    """The log as a value; parameters as for `render`."""
    order = list(rules)
    driver = {
        "name": "envtag",
        "semanticVersion": version,
        "rules": [{"id": rule, "shortDescription": {"text": sentence}} for rule, sentence in rules.items()],
    }
    results = [_result(item, order.index(item.rule)) for item in in_order(findings)]
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _result(finding: Finding, index: int) -> dict[str, Any]:
    location: dict[str, Any] = {
        "artifactLocation": {"uri": quote(finding.path or DEFAULT_PATH, errors="surrogateescape")}
    }
    if finding.path and finding.line:
        location["region"] = {"startLine": finding.line}
    hint = f"; hint: {finding.hint}" if finding.hint else ""
    identity = [finding.rule, finding.path, finding.environment, finding.message]
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": finding.severity,
        "message": {"text": _no_link(one_line(finding.message + hint))},
        "locations": [{"physicalLocation": location}],
        "partialFingerprints": {"envtag/v1": sha256_hex(json.dumps(identity).encode())},
    }


def _no_link(text: str) -> str:
    """Text in which nothing is an embedded link (SARIF 3.11.6: `[text](target)`)."""
    return text.replace("](", "] (")
