from __future__ import annotations

from envtag.render import fields, table


def test_columns_are_as_wide_as_their_widest_cell_and_nothing_trails():
    text = table(("name", "size"), [("a", "1.0 MB"), ("longer", "")])
    assert text.splitlines() == ["name    size", "a       1.0 MB", "longer"]


def test_a_table_without_rows_is_its_header():
    assert table(("a", "b"), []) == "a  b"


def test_an_empty_value_leaves_its_line_out():
    assert fields([("Name", "x"), ("Base", ""), ("Platform", "linux-64")]) == "Name      x\nPlatform  linux-64"
