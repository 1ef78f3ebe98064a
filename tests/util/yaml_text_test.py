from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from envtag.util.yaml_text import dump, scalar

_text = st.text(st.characters(codec="utf-8"), max_size=12)
_documents = st.dictionaries(
    _text,
    st.recursive(
        _text | st.integers(-(10**9), 10**9) | st.booleans(),
        lambda inner: (
            st.lists(inner.filter(lambda item: not isinstance(item, list)), max_size=3)
            | st.dictionaries(_text, inner, max_size=3)
        ),
        max_leaves=6,
    ),
    max_size=4,
)


def _no_empty_mapping_in_a_list(value):
    if isinstance(value, list):
        return all(item != {} and _no_empty_mapping_in_a_list(item) for item in value)
    if isinstance(value, dict):
        return all(_no_empty_mapping_in_a_list(item) for item in value.values())
    return True


@given(_documents.filter(_no_empty_mapping_in_a_list))
def test_a_yaml_1_1_reader_reads_what_was_written(document):
    assert yaml.safe_load(dump(document).decode()) == (document or None)


@pytest.mark.parametrize(
    "text",
    [
        "1",
        "1.0",
        "1e5",
        "0x1f",
        "1_000",
        "12:30",
        "2026-11-20",
        "yes",
        "No",
        "null",
        "~",
        "",
        " a",
        "a ",
        "a: b",
        "a #b",
        "-",
        "true",
        "é",
        "a\nb",
        "\x07",
        "\u2028",
        "'",
        '"',
        "123e4567",
        "*x",
        "&x",
        "!x",
        "%x",
        "@x",
        "`x",
        "[x",
        "{x",
        "y",
        ".5",
    ],
)
def test_text_stays_text_in_both_versions_of_yaml(text):
    line = f"key: {scalar(text)}\n"
    assert yaml.safe_load(line) == {"key": text}
    assert YAML(typ="safe", pure=True).load(line) == {"key": text}


def test_plain_text_is_not_quoted():
    assert dump(
        {"name": "numpy", "url": "https://e.org/a-1.0.conda", "items": ["x", {"a": 1, "b": True}], "none": []}
    ) == (b"name: numpy\nurl: https://e.org/a-1.0.conda\nitems:\n- x\n- a: 1\n  b: true\nnone: []\n")
