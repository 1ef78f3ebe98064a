from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envtag.diff.escape import LIMIT, html_text, markdown, plain

HOSTILE = [
    "@octocat", "#1", "acme/repo#1", "https://evil.example.org", "<script>alert(1)</script>", "a`b", "a``b``", "a|b",
    "](javascript:alert(1))", "::error::x", "  ::add-mask::x", "##[error]x", "x\n::error::y", "\u202egnp.exe",
    "p\u0430ndas",
    "\x1b[31mred", "&lt;b&gt;", "\r\n## title", "\\`x", "`", "", " ", "-->", "</details>",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_a_code_span_holds_everything_and_ends_where_it_should(text):
    shown = markdown(text)
    assert re.fullmatch(r"`[^`|\n\r]+`", shown)
    assert shown.isascii()


@pytest.mark.parametrize("text", HOSTILE)
def test_a_line_holds_no_command_control_or_invisible_letter(text):
    shown = plain(text)
    assert shown.isascii()
    assert shown.isprintable()
    assert not shown.lstrip().startswith("::")
    assert "##[" not in shown


def test_what_is_escaped_can_be_read():
    assert plain("p\u0430ndas") == "p\\u0430ndas"
    assert plain("a\nb\x1b") == "a\\nb\\x1b"
    assert plain("::error::x") == "\\x3a:error::x"
    assert plain("conda-forge::numpy >=1") == "conda-forge::numpy >=1"
    assert markdown("a`b|c") == "`a\\x60b\\x7cc`"
    assert markdown("numpy") == "`numpy`"


def test_long_texts_are_cut():
    assert len(plain("x" * 10_000)) == LIMIT
    assert plain("x" * 10_000).endswith("...")


@pytest.mark.parametrize("text", ["<b>", '"x"', "'x'", "&amp;"])
def test_html_is_escaped_for_elements_and_attributes(text):
    assert not set(html_text(text)) & set("<>\"'")
    assert "&amp;" in html_text("&") or text


@given(st.text(max_size=200))
def test_any_text_is_one_safe_span(text):
    assert re.fullmatch(r"`[^`|\n\r]+`", markdown(text))
    assert plain(text).isascii()
    assert plain(text) == plain(text).replace("##[", "")
    assert not plain(text).lstrip().startswith("::")
    assert not set(html_text(text)) & set("<>\"'")
