from __future__ import annotations

import json

from envtag.findings import Finding
from envtag.findings.document import document, render

WARNING = Finding(
    rule="r", severity="warning", message="##[error]x\n", hint="h", path="p", line=2, environment="mlp/base"
)


def test_the_document_has_every_field():
    assert document([WARNING]) == {
        "version": 1,
        "ok": True,
        "counts": {"error": 0, "warning": 1, "note": 0},
        "findings": [
            {
                "rule": "r", "severity": "warning", "message": "##[error]x\n", "hint": "h", "path": "p", "line": 2,
                "environment": "mlp/base",
            }
        ],
    }  # fmt: skip


def test_strict_decides_what_is_ok():
    assert document([WARNING], strict=True)["ok"] is False


def test_json_holds_no_command_and_reads_back_as_it_was():
    text = render([WARNING])
    assert "##[" not in text
    assert json.loads(text) == document([WARNING])
