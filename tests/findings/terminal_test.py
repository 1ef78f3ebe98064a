from __future__ import annotations

from envtag.findings import Finding
from envtag.findings.terminal import place, render


def test_a_finding_says_what_where_and_what_to_do():
    finding = Finding(rule="lock-fresh", severity="error", message="stale", hint="lock", path="envs/a/x.yml", line=3)
    assert render([finding]) == "error: stale  [lock-fresh]\n  at envs/a/x.yml:3\n  hint: lock\n1 error"


def test_what_is_not_known_is_left_out():
    assert render([Finding(rule="r", severity="note", message="so")]) == "note: so  [r]\n1 note"
    assert render([]) == "nothing found"
    assert place(Finding(rule="r", severity="note", message="so", path="a")) == "a"


def test_a_strangers_text_stays_on_its_line():
    finding = Finding(rule="r", severity="error", message="x\n::error::y", path="a\n::error::b", hint="c\n##[error]d")
    lines = render([finding]).splitlines()
    assert len(lines) == 4
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in lines)
