from __future__ import annotations

import pytest

from envtag.package import Package
from envtag.updating.model import Move


def package(version: str, build: str = "") -> Package:
    return Package(manager="conda", name="a", version=version, build=build, url="https://x.example/a", sha256="a" * 64)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (package("1"), package("2"), "a 1 → 2"),
        (package("1", "h0_0"), package("1", "h0_1"), "a 1, build h0_0 → h0_1"),
        (package("1"), package("1"), "a (other bytes)"),
        (None, package("1"), "a 1 added"),
        (package("1"), None, "a 1 removed"),
    ],
)
def test_a_move_in_words(before, after, words):
    kind = "added" if before is None else "removed" if after is None else "asked"
    assert str(Move(key=("conda", "a"), kind=kind, before=before, after=after)) == words
