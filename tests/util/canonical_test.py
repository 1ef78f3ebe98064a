from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envtag.util.canonical import canonical_json, sha256_file, sha256_hex

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def test_the_text_is_sorted_tight_and_utf8():
    assert canonical_json({"b": [1, None, True], "a": "é\n"}) == '{"a":"é\\n","b":[1,null,true]}'.encode()


@given(st.dictionaries(st.text(), _VALUES))
def test_the_order_of_keys_does_not_matter(value: dict[str, object]):
    assert canonical_json(value) == canonical_json(dict(reversed(value.items())))


@given(st.text())
def test_bytes_are_deterministic_for_any_text_that_utf8_can_hold(text: str):
    assert canonical_json([text]) == canonical_json([text])


@pytest.mark.parametrize("value", [1.0, [1.5], {"a": [{"b": 0.1}]}, (float("nan"),)])
def test_floats_are_refused_wherever_they_are(value: object):
    with pytest.raises(TypeError, match="float"):
        canonical_json(value)


def test_keys_that_are_not_text_are_refused():
    with pytest.raises(TypeError, match="not text: 1"):
        canonical_json({"a": {1: "b"}})


def test_a_file_has_the_hash_of_its_bytes(tmp_path: Path):
    for data in (b"", b"content", bytes(range(256)) * 10_000):
        path = tmp_path / "file"
        path.write_bytes(data)
        assert sha256_file(path) == sha256_hex(data) == hashlib.sha256(data).hexdigest()
