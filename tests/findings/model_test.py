from __future__ import annotations

from envtag.findings import Finding, counted, fails, in_order

ERROR = Finding(rule="a", severity="error", message="bad", path="b", line=2)
WARNING = Finding(rule="a", severity="warning", message="meh", path="a")
NOTE = Finding(rule="a", severity="note", message="so", path="a")


def test_the_worst_comes_first_then_files_and_lines_and_each_once():
    early = Finding(rule="z", severity="error", message="bad", path="b", line=1)
    assert in_order([NOTE, WARNING, ERROR, early, ERROR]) == (early, ERROR, WARNING, NOTE)


def test_errors_fail_and_warnings_do_where_that_is_asked_for():
    assert fails([ERROR])
    assert not fails([WARNING, NOTE])
    assert fails([WARNING], strict=True)
    assert not fails([NOTE], strict=True)
    assert not fails([])


def test_findings_are_counted_in_words():
    assert counted([ERROR, ERROR, NOTE]) == "2 errors, 1 note"
    assert counted([]) == "nothing found"
