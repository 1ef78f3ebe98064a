from __future__ import annotations

from envtag.spec_edit.requirement_lines import spans


def test_each_requirement_is_found_with_its_lines():
    text = "# c\n-r x\na  # b\n\nb \\\n  >1\n# \\\nc>2 # d\\\r\nd"
    found = [(span.line, text[span.start : span.end]) for span in spans(text)]
    assert found == [(3, "a"), (5, "b \\\n  >1"), (8, "c>2")]


def test_a_mark_at_the_start_is_no_part_of_a_requirement():
    text = "\ufeffa\r\nb"
    assert [(span.value, span.start) for span in spans(text)] == [("a", 1), ("b", 4)]
