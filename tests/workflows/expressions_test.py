"""The runner of the tests reads expressions as GitHub does (docs: "Evaluate expressions")."""

from __future__ import annotations

import pytest

from support.expressions import evaluate, fill

CONTEXTS = {"github": {"event": {"name": "x", "list": None}, "ref": "Main"}, "needs": {"a": {"result": "success"}}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("github.ref == 'main'", True), ("github.ref != 'main'", False), ("github.event.none.deep == ''", True),
        ("github.none || 'other'", "other"), ("github.ref && 'yes' || 'no'", "yes"), ("!github.none", True),
        ("'it''s'", "it's"), ("1 == 1 && (false || true)", True), ("format('a/{0}/{1}', 'b', 1)", "a/b/1"),
        ("contains(fromJSON('[\"A\", \"B\"]'), 'b')", True), ("contains('abc', 'bc')", True),
        ("fromJSON('{\"jobs\": [1]}').jobs", [1]), ("needs.a.result", "success"), ("null", None),
    ],
)  # fmt: skip
def test_an_expression_has_its_value(text, value):
    assert evaluate(text, CONTEXTS) == value


def test_a_text_keeps_what_is_around_its_expressions():
    assert fill("a ${{ github.ref }}-${{ github.none }} b", CONTEXTS) == "a Main- b"
    assert fill("${{ needs.a }}", CONTEXTS) == {"result": "success"}
    assert evaluate("always()", CONTEXTS, {"always": lambda: True}) is True


@pytest.mark.parametrize("text", ["a b", "'open", "github.ref ==", "nobody"])
def test_what_is_not_understood_is_an_error(text):
    with pytest.raises((AssertionError, KeyError, IndexError)):
        evaluate(text, CONTEXTS)
