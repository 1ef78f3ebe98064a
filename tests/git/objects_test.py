from __future__ import annotations

import pytest

from envtag.errors import FatalError
from envtag.git.objects import Commit, TagObject, parse_log, parse_tag, tree_names, utc

SHA = "a" * 40
HEAD = f"object {'b' * 40}\ntype commit\ntag mlp/base@v5\ntagger A B <a@b> 1700000000 +0530\n"


def test_a_tag_object_is_read_and_its_date_is_utc():
    assert parse_tag(SHA, f"{HEAD}\nsubject\n\nbody\n\nmore\n".encode(), "refs/tags/x") == TagObject(
        sha=SHA, name="mlp/base@v5", commit="b" * 40, tagger="A B <a@b>", date="2023-11-14T22:13:20Z",
        message="subject\n\nbody\n\nmore\n",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (HEAD.replace("type commit", "type tree"), "is on a tree"),
        (HEAD.replace("tagger A B <a@b> 1700000000 +0530\n", ""), "malformed"),
        (HEAD.replace("1700000000", "later"), "malformed"),
        (HEAD.replace("tag mlp/base@v5\n", ""), "malformed"),
        ("", "malformed"),
    ],
)
def test_what_is_no_tag_of_a_commit_is_refused(data: str, said: str):
    with pytest.raises(FatalError, match=said) as caught:
        parse_tag(SHA, data.encode(), "refs/tags/x")
    assert "refs/tags/x" in caught.value.message


@pytest.mark.parametrize("length", [40, 64])
def test_a_tree_is_read_for_both_lengths_of_object_names(length: int):
    binary = b"\0 \xff" + b"1" * (length // 2 - 3)
    data = b"40000 a b\0" + binary + b"100644 envtag.yml\0" + binary
    assert tree_names("a" * length, data) == ["a b", "envtag.yml"]
    assert tree_names("a" * length, b"") == []


def test_a_log_is_read():
    data = b"s1\x1fA <a@b>\x1f0\x1ffirst\x1f thing\0s2\x1fB <>\x1f86400\x1f\0"
    assert parse_log(data) == [
        Commit(sha="s1", author="A <a@b>", date="1970-01-01T00:00:00Z", subject="first\x1f thing"),
        Commit(sha="s2", author="B <>", date="1970-01-02T00:00:00Z", subject=""),
    ]
    assert parse_log(b"") == []
    assert utc(0) == "1970-01-01T00:00:00Z"
