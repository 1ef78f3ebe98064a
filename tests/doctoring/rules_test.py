from __future__ import annotations

import re

from envtag.doctoring import RULES
from envtag.doctoring.rules import attempted, well
from envtag.errors import FatalError
from envtag.findings import Finding
from support.source import PACKAGE, ROOT

_RULE = re.compile(r'(?:rule=|rule = |well\(|attempted\(\n?\s*|_RULE = |"(?:tag|branch)": )"([a-z-]+)"')


def _used() -> set[str]:
    files = [*(PACKAGE / "doctoring").glob("*.py"), PACKAGE / "commands" / "doctor.py"]
    return {rule for path in files for rule in _RULE.findall(path.read_text("utf-8"))}


def test_every_rule_that_is_used_is_listed_and_the_other_way_round():
    assert _used() == set(RULES)


def test_every_rule_is_documented():
    text = (ROOT / "docs/security.md").read_text("utf-8")
    assert [rule for rule in RULES if f"| `{rule}` |" not in text] == []


def test_a_failure_becomes_a_finding_and_the_rest_goes_on():
    found: list[Finding] = []

    def fails() -> str:
        raise FatalError("it is broken")

    assert attempted("git", fails, found, severity="warning", hint="mend it") is None
    assert found == [Finding(rule="git", severity="warning", message="it is broken", hint="mend it")]
    assert attempted("git", lambda: "fine", found) == "fine"
    assert len(found) == 1


def test_what_is_well_is_a_note():
    assert well("git", "git 2") == Finding(rule="git", severity="note", message="git 2")
