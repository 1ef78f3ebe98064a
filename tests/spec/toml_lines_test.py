from __future__ import annotations

import pytest

from envtag.errors import FatalError
from envtag.spec.toml_lines import Lines

LINES = Lines("p.toml", '[a]\nx = 1\n[b]\nx = 2\ny = "t"\n')


def test_a_text_is_found_from_its_table_on():
    assert str(LINES.of("x =")) == "p.toml:2"
    assert str(LINES.of("x =", table="[b]")) == "p.toml:4"
    assert str(LINES.of("x =", table="[c]")) == "p.toml:2"
    assert str(LINES.of("nothing")) == "p.toml"
    assert str(LINES.quoted("t")) == "p.toml:5"


def test_values_are_of_the_kind_that_is_expected_or_named():
    assert LINES.text("t", "`y`") == "t"
    assert LINES.texts(["t"], "`y`") == ["t"]
    assert LINES.table(None, "`y`") == {}
    assert LINES.tables(None, "`y`") == []
    for check, value, said in (
        (LINES.text, 1, "p.toml:2: `x` is not text"),
        (LINES.texts, 1, "p.toml:2: `x` is not a list"),
        (LINES.texts, [1], "p.toml:2: `1`: an entry of `x` is not text"),
        (LINES.table, 1, "p.toml:2: `x` is not a table"),
        (LINES.tables, [1], "p.toml:2: `x` is not a list of tables"),
    ):
        with pytest.raises(FatalError) as raised:
            check(value, "`x`", "x =")
        assert raised.value.message == said
