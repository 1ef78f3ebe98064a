from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from envtag.errors import FatalError
from envtag.store.bucket import Bucket, split_url
from envtag.util.canonical import sha256_hex

DATA = b"the bytes"


@dataclass(slots=True, kw_only=True)
class Scripted(Bucket):
    """A bucket whose writes end as they are told to, one after the other; the object is there from `there` on."""

    answers: list[bool | None]
    there: int | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return "x://bucket/prefix"

    def size(self, key: str) -> int | None:
        return self.there

    @contextmanager
    def _asking(self, verb: str, key: str) -> Iterator[None]:
        self.asked.append((verb, key))
        yield

    def _receive(self, key: str, receive: Callable[[bytes], Any]) -> str | None:
        receive(DATA)
        return "1"

    def _create(self, key: str, source: Path | bytes, sha256: str, size: int) -> bool | None:
        return self.answers.pop(0)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses, none of which is made."""
    pauses: list[float] = []
    monkeypatch.setattr("envtag.store.attempts.time.sleep", pauses.append)
    return pauses


def create(answers: list[bool | None], there: int | None = None) -> bool:
    return Scripted(prefix="", answers=answers, there=there).create("tags/k", DATA, sha256_hex(DATA))


def test_a_creation_that_met_a_writer_is_begun_again(slept):
    assert create([None, None, True])
    assert len(slept) == 2


def test_what_is_there_is_not_created_again(slept):
    assert not create([False], there=len(DATA))
    assert slept == []


def test_a_refusal_by_an_object_that_is_gone_again_is_no_answer(slept):
    assert create([False, True])
    assert len(slept) == 1


def test_a_creation_that_meets_writers_again_and_again_is_given_up(slept):
    with pytest.raises(FatalError, match="`tags/k` in x://bucket/prefix is being written by others again and again"):
        create([None] * 5)
    assert len(slept) == 5


def test_an_object_of_another_size_in_the_way_is_an_error(slept):
    with pytest.raises(FatalError, match=f"with 3 bytes, expected {len(DATA)}"):
        create([False], there=3)


def test_what_is_done_is_said_with_the_key(tmp_path: Path):
    bucket = Scripted(prefix="", answers=[True])
    assert bucket.read("tags/k") == DATA
    assert bucket.download("tags/k", tmp_path / "x", sha256_hex(DATA))
    bucket.create("tags/k", DATA, sha256_hex(DATA))
    assert bucket.asked == [("read", "tags/k"), ("read", "tags/k"), ("write", "tags/k")]


@pytest.mark.parametrize(
    ("url", "names", "found"),
    [
        ("s3://b/p/q", 1, ("b", "p/q")),
        ("s3://b/p/", 1, ("b", "p")),
        ("s3://b", 1, ("b", "")),
        ("az://a/c/p/q", 2, ("a", "c", "p/q")),
        ("az://a", 2, ("a", "", "")),
        ("s3://b/p//q", 1, None),
        ("s3://b/../q", 1, None),
        ("s3://b/p\\q", 1, None),
    ],
)
def test_a_url_is_names_and_a_prefix(url: str, names: int, found: tuple[str, ...] | None):
    assert split_url(url, names) == found


def test_a_url_with_a_credential_is_refused_without_showing_it():
    with pytest.raises(FatalError) as error:
        split_url("s3://user:hunter2@b/p", 1)
    assert "hunter2" not in error.value.message + error.value.hint
