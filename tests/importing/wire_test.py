from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envtag.errors import FatalError
from envtag.importing import model
from envtag.importing.wire import Table, digest_of, table_of, text_of, toml_of, yaml_of
from support.foreign import refusal, source


def test_every_scalar_of_yaml_is_a_text():
    table = yaml_of(source("a.yml", "version: 1.10\nsize: 012\nempty:\nyes: no\nwhen: 2020-01-01\n"))
    assert table.value == {"version": "1.10", "size": "012", "empty": "", "yes": "no", "when": "2020-01-01"}
    assert table.number("size") == 12


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2\n", r"a\.yml:2: .*twice"),
        ("- a\n", "a.yml: is not a mapping"),
        ("a: &x [1]\nb: *x\n", "anchors and aliases"),
        ("[" * 100, "levels deep"),
        ("a: {", "not YAML"),
    ],
)
def test_odd_yaml_is_refused_by_name(text, message):
    with pytest.raises(FatalError, match=message):
        yaml_of(source("a.yml", text))


def test_what_is_too_big_or_no_text_is_refused(monkeypatch):
    with pytest.raises(FatalError, match=r"a.toml:2: not UTF-8"):
        toml_of(source("a.toml", b"a = 1\n\xff"))
    assert text_of(source("a", b"\xef\xbb\xbfx")) == "x"
    monkeypatch.setattr(model, "SIZE_LIMIT", 3)
    with pytest.raises(FatalError, match="4 bytes are too many"):
        text_of(source("a", "abcd"))


def test_fields_are_checked_one_by_one():
    table = Table({"a": 1, "b": "x", "c": ["x"], "d": {"e": "f"}, "g": [{}], "h": "-1"}, "f: package 3")
    assert table.text("b") == "x"
    assert table.text("none", "y") == "y"
    assert table.texts("c") == ("x",)
    assert table.table("d").text("e") == "f"
    assert table.table("none").value == {}
    assert [item.where for item in table.tables("g")] == ["f: package 3: `g` 1"]
    assert table.number("a") == 1
    assert table.number("none") is None
    for call, message in (
        (lambda: table.text("a"), "`a` is not a text"),
        (lambda: table.text("z"), "`z` is missing"),
        (lambda: table.texts("b"), "`b` is not a list"),
        (lambda: table.texts("g"), "not a list of texts"),
        (lambda: table.tables("c"), "`c` 1: is not a mapping"),
        (lambda: table.number("h"), "`h` is not a whole number"),
        (lambda: table_of([], "q"), "q: is not a mapping"),
    ):
        with pytest.raises(FatalError, match=message):
            call()


def test_digests_are_hex_of_their_length():
    assert digest_of("md5", "A" * 32, "x") == "a" * 32
    assert digest_of("sha256", "", "x") == ""
    for kind, text in (("md5", "a" * 64), ("sha256", "a" * 32), ("sha256", "g" * 64), ("md5", "a" * 32 + "\n")):
        with pytest.raises(FatalError, match=f"not a {kind} in hex"):
            digest_of(kind, text, "x")


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text):
    given_file = source("a", text.encode("utf-8", "surrogatepass"))
    for message in (refusal(lambda: yaml_of(given_file)), refusal(lambda: toml_of(given_file))):
        assert message == "" or message.startswith("a")
