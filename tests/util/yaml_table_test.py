from __future__ import annotations

import pytest

from envtag.errors import FatalError
from envtag.util.yaml_table import Untyped, as_table, load_table

TEXT = b"""\
version: 1
python: 3.10
quoted: "3.10"
day: 2026-11-20
inner:
  a: 1.0
  list: [1, x]
nothing:
entries:
- {k: v}
"""


def test_numbers_and_dates_keep_the_text_they_were_written_as():
    table = load_table(TEXT, "f")
    assert [table.text(key) for key in ("python", "quoted", "day")] == ["3.10", "3.10", "2026-11-20"]
    assert [type(table[key]) is Untyped for key in ("python", "quoted", "day")] == [True, False, True]
    assert table.table("inner").texts("list") == ("1", "x")


def test_each_key_knows_its_line():
    table = load_table(TEXT, "f")
    assert table.at("python") == "f:2"
    assert table.table("inner").at("a") == "f:6"
    assert table.tables("entries")[0].at("k") == "f:10"
    assert as_table({"a": {"b": 1}}, "pyproject.toml").table("a").at("b") == "pyproject.toml"


def test_what_is_missing_has_defaults():
    table = load_table(TEXT, "f")
    assert table.text("absent", "d") == "d"
    assert table.texts("absent") == ()
    assert table.table("absent") == {}
    assert table.table("nothing") == {}
    assert table.tables("absent") == []
    with pytest.raises(FatalError, match="f:1: has no `absent`"):
        table.text("absent")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "f: not a mapping"),
        (b"[1]", "f: not a mapping"),
        (b"a: 1\nb: 1\na: 2\n", "f:3: not YAML: the key `a` is there twice"),
        (b"a: {b", "f:"),
        (b"\xff", "f: not UTF-8"),
        (b"? [a]\n: 1\n", "f:1"),
        (b"a: {yes: 1}\n", "the key `True` is `true`"),
        (b"a: !!python/object:os.system {}\n", "f:1: not YAML"),
        (b"a: &x {c: *x}\n", "f:1: anchors and aliases are not read"),
        (b"a: 1\n---\nb: 2\n", "f:"),
    ],
)
def test_what_is_not_one_mapping_with_text_keys_is_refused(data: bytes, said: str):
    with pytest.raises(FatalError) as caught:
        load_table(data, "f")
    assert caught.value.message.startswith(said) or said in caught.value.message


def test_keys_and_version_are_checked_by_line():
    table = load_table(b"version: 2\nnaem: x\n", "f")
    with pytest.raises(FatalError, match="f:1: format version `2`"):
        table.check_version("1")
    with pytest.raises(FatalError, match="f:2: unknown key `naem`") as caught:
        table.check_keys(("version", "name"))
    assert caught.value.hint == "did you mean `name`?"
    with pytest.raises(FatalError) as caught:
        table.check_keys(("other",))
    assert caught.value.hint == "known keys: `other`"


def test_a_text_is_not_a_list_nor_a_mapping():
    table = load_table(TEXT, "f")
    for read, key in ((table.text, "inner"), (table.texts, "inner"), (table.table, "python"), (table.tables, "inner")):
        with pytest.raises(FatalError, match="f:"):
            read(key)
