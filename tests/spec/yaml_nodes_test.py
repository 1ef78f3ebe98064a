from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envtag.errors import FatalError
from envtag.spec.yaml_nodes import Items, Scalar, Table, compose, describe
from support.attempt import attempt


def root(text):
    return compose(text, "e.yml").root


def test_values_stay_as_they_were_written():
    tree = root("a: 3.10\nb: yes\nc: 0x10\nd: '1'\ne: 2024-01-01\n")
    assert isinstance(tree, Table)
    assert [value.text for _, value in tree.entries] == ["3.10", "yes", "0x10", "1", "2024-01-01"]
    assert not any(value.null for _, value in tree.entries)


def test_nothing_is_told_from_an_empty_text():
    tree = root("a:\nb: ~\nc: null\nd: ''\n")
    assert [value.null for _, value in tree.entries] == [True, True, True, False]
    assert [describe(value) for _, value in tree.entries] == ["nothing"] * 3 + ["``"]


def test_every_node_knows_its_line():
    tree = root("# head\na:\n- x\n- [y,\n   z]\n- k: >\n    folded\n    text\n")
    items = tree.entries[0][1]
    assert (tree.line, items.line) == (2, 3)
    assert items.items[0] == Scalar("x", 3, 3)
    assert items.items[1] == Items((Scalar("y", 4, 4), Scalar("z", 5, 5)), 4)
    assert (describe(items), describe(tree)) == ("a list", "a mapping")


def test_comments_after_content_are_known_by_line():
    text = (
        "# alone\n"
        "a: é # one\n"
        "b: 'x # no' # two\n"
        "c: x#no\n"
        "d: |\n"
        "  text # no\n"
        'e: "two # no\n'
        '  lines # no" # three\n'
        "   # alone\n"
        "f: [x, y]   #four\n"
    )  # fmt: skip
    assert compose(text, "e.yml").comments == {2: "# one", 3: "# two", 8: "# three", 10: "#four"}


def test_anchors_are_shared():
    tree = root("a: &x [p, q]\nb: *x\n")
    assert tree.entries[0][1] is tree.entries[1][1]


def test_an_empty_file_has_no_root():
    for text in ("", "# only a comment\n", "\n\n"):
        assert root(text) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "e.yml:3: `a`: the key is there twice, first in line 1"),
        ("- {a: 1, 'a': 2}\n", "e.yml:1: `a`: the key is there twice"),
        ("a: *x\n", r"e.yml:1: `\*x`: there is no such anchor"),
        ("a: &x\n- *x\n", "there is no such anchor before it"),
        ("a: !!python/object:os.system x\n", "e.yml:1: `tag:yaml.org,2002:python/object:os.system`: tags are not"),
        ("a: !!int 1\n", "tags are not understood"),
        ("a: !x {}\n", "tags are not understood"),
        ("a: 1\n---\nb: 2\n", "e.yml:2: `---`: a second document"),
        ("[a]: 1\n", "e.yml:1: a key is not text"),
        ("? {a: b}\n: 1\n", "a key is not text"),
        ("a:\n\t- b\n", "e.yml:2: not YAML"),
        ("a: 'b\n", "not YAML"),
        ("a: b: c\n", "e.yml:1: not YAML"),
        ("a: \x07\n", "e.yml: not YAML"),
        ("[" * 21 + "]" * 21, "nested more than 20 deep"),
        ("[" * 50_000, "nested more than 20 deep"),
    ],
)
def test_what_is_no_plain_document_is_refused_with_its_line(text, message):
    with pytest.raises(FatalError, match=message) as raised:
        root(text)
    assert "\n" not in raised.value.message


def test_text_and_its_explicit_tag_are_the_same():
    assert root("a: !!str 1\n") == root("a: 1\n")


def test_a_bomb_of_aliases_stays_small():
    text = "".join(f"k{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9) if n else 'x'}]\n" for n in range(15))
    assert len(root(text).entries) == 15


PIECES = [
    "a", ":", " ", "\n", "- ", "[", "]", "{", "}", ",", "'", '"', "#", "&x ", "*x", "!", "|", ">", "? ", "\t", "é",
    "%", "---\n",
]  # fmt: skip


@settings(max_examples=200, deadline=None, database=None)
@given(
    text=st.lists(
        st.sampled_from(PIECES),
        max_size=15,
    ).map("".join)
    | st.text(max_size=20)
)
def test_random_text_is_a_document_or_a_fatal_error(text):
    document, error = attempt(compose, text, "e.yml")
    if document is None:
        assert error.message.startswith("e.yml")
        assert "\n" not in error.message
        return
    lines = text.count("\n") + text.count("\r") + text.count("\x85") + text.count("\u2028") + text.count("\u2029") + 1
    assert all(1 <= line <= lines and comment.startswith("#") for line, comment in document.comments.items())
