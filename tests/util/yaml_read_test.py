from __future__ import annotations

import pytest
import yaml

from envtag.errors import FatalError
from envtag.util.yaml_read import load, strict_loader


def refusal(data: bytes) -> str:
    with pytest.raises(FatalError) as raised:
        load(data, "a-lock.yml")
    return raised.value.message


def test_a_document_is_read_with_its_types():
    data = "a: [1, 'x', {b: null}]\n# nothing\n'1': true\nü: ö\n".encode()
    assert load(data, "a.yml") == {"a": [1, "x", {"b": None}], "1": True, "ü": "ö"}
    assert load(b"", "a.yml") is None


def test_a_key_that_is_there_twice_is_refused_with_its_line():
    assert refusal(b"a: 1\nb: 2\na: 3\n") == "a-lock.yml:3: not YAML: the key `a` is there twice"
    assert refusal(b"x:\n- {n: 1,\n   n: 2}\n") == "a-lock.yml:3: not YAML: the key `n` is there twice"


def test_keys_of_different_types_are_different_keys():
    assert load(b"1: a\n'1': b\n", "a.yml") == {1: "a", "1": "b"}


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"a: [1\nb: 2\n", 2),
        (b"a: 1\n\tb: 2\n", 2),
        (b"a: b: c\n", 1),
        (b"a: *nobody\n", 1),
        (b"a: 1\n--- \nb: 2\n", 2),
        (b"<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> x\n", 2),
        (b"a: !!python/object/apply:os.getcwd []\n", 1),
        (b"? [a]\n: b\n", 1),
    ],
)
def test_what_is_not_plain_yaml_is_refused_with_its_line(data, line):
    assert refusal(data).startswith(f"a-lock.yml:{line}: not YAML: ")


@pytest.mark.parametrize(
    "data",
    [b"a: \x01\n", b"a: 2024-13-45\n", b"a: " + b"1" * 5000 + b"\n"],
    ids=["control character", "no date", "huge number"],
)
def test_what_yaml_chokes_on_is_refused(data):
    assert refusal(data).startswith("a-lock.yml: not YAML: ")


def test_what_is_not_utf_8_is_refused_with_the_byte():
    assert refusal(b"a: \xff\n") == "a-lock.yml: not UTF-8 text: invalid start byte at byte 3"


def test_a_loader_of_ones_own_is_used_and_strict_as_well():
    class Texts(strict_loader()):
        pass

    Texts.add_constructor("tag:yaml.org,2002:float", lambda loader, node: loader.construct_scalar(node))
    assert load(b"python: 3.10\n", "a.yml", Texts) == {"python": "3.10"}
    with pytest.raises(FatalError, match="twice"):
        load(b"a: 1\na: 2\n", "a.yml", Texts)


def test_the_fast_loader_is_used_where_there_is_one():
    assert issubclass(strict_loader(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def test_without_the_fast_loader_the_slow_one_is_as_strict(monkeypatch):
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    assert issubclass(strict_loader(), yaml.SafeLoader)
    assert refusal(b"a: 1\na: 3\n") == "a-lock.yml:2: not YAML: the key `a` is there twice"
    assert refusal(b"a: [1\nb: 2\n").startswith("a-lock.yml:2: not YAML: ")
    assert refusal(b"[" * 2000 + b"]" * 2000) == "a-lock.yml:1: nested more than 50 levels deep"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"a: &x 1\nb: *x\n", "x:1: anchors and aliases are not read"),
        (b"a: 1\nb: " + b"[" * 100_000 + b"]" * 100_000, "x:2: nested more than 50 levels deep"),
        (b"- " * 100_000 + b"x", "x:1: nested more than 50 levels deep"),
        (b"? " * 100_000 + b"x", "x:1: nested more than 50 levels deep"),
    ],
)
def test_what_makes_a_small_file_big_or_deep_is_refused(text: bytes, message: str):
    with pytest.raises(FatalError) as caught:
        load(text, "x")
    assert caught.value.message == message


def test_a_letter_that_begins_an_anchor_elsewhere_is_text():
    assert load(b"a: b&c\nd: " + b"[" * 40 + b"]" * 40, "x")["a"] == "b&c"
    assert load(b"".join(b"- {a: b}\n" for _ in range(100)), "x")[99] == {"a": "b"}


def test_more_than_anybody_writes_is_not_parsed():
    with pytest.raises(FatalError, match="x: 16000001 bytes are too many"):
        load(b"#" * 16_000_001, "x")
