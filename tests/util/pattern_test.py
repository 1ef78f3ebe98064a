from __future__ import annotations

import re

import pytest

from envtag.util.pattern import pattern


def test_it_answers_as_a_compiled_expression_does():
    word = pattern(r"[a-z]+", re.IGNORECASE)
    found = word.search("12 Ab")
    assert found is not None
    assert found.group() == "Ab"
    assert word.fullmatch("ab1") is None
    assert word.sub("x", "a 1 b") == "x 1 x"
    assert (word.pattern, bool(word.flags & re.IGNORECASE)) == (r"[a-z]+", True)
    assert pattern(rb"a").findall(b"aba") == [b"a", b"a"]


def test_it_is_compiled_once_and_not_before_it_is_used(monkeypatch: pytest.MonkeyPatch):
    compiled = []
    real = re.compile
    monkeypatch.setattr(re, "compile", lambda *given: compiled.append(given) or real(*given))
    word = pattern("[a-z]+")
    assert compiled == []
    assert [bool(word.fullmatch(text)) for text in ("a", "b", "1")] == [True, True, False]
    assert compiled == [("[a-z]+", 0)]


def test_a_malformed_expression_is_an_error_when_it_is_used():
    with pytest.raises(re.error):
        pattern("[").search("")
