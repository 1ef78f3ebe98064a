from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from envtag.errors import UnsolvableError
from envtag.package import Package
from envtag.updating import words
from envtag.updating.model import Move, Outcome
from support.packages import make_lock


def package(name: str, version: str) -> Package:
    return Package(manager="pypi", name=name, version=version, url="https://x.example/a.whl", sha256="a" * 64)


def updated(*moves: Move, edited=(), stuck=(), minimal=True, platforms=("linux-64", "win-64")) -> Any:
    after = [package("a", "2"), package("b", "2"), package("c", "1")]
    outcome = Outcome(
        lock=make_lock(after, python="3.11"),
        stuck={("pypi", name): UnsolvableError("no", "", "because") for name in stuck},
        minimal=minimal,
    )
    return SimpleNamespace(
        environment=SimpleNamespace(name="x/y"),
        drafted=SimpleNamespace(id="e" * 40),
        outcomes=dict.fromkeys(platforms, outcome),
        moves=dict.fromkeys(platforms, moves),
        edited=edited,
        is_changed=bool(moves),
        security={},
    )


ASKED = Move(key=("pypi", "a"), kind="asked", before=package("a", "1"), after=package("a", "2"))
FORCED = Move(key=("pypi", "b"), kind="forced", before=package("b", "1"), after=package("b", "2"), reason="so it is")
LEFT = Move(key=("pypi", "d"), kind="removed", before=package("d", "1"), after=None)


def test_platforms_that_came_to_the_same_are_told_together():
    told = words.text(updated(ASKED, FORCED, LEFT, edited=("requirements.txt",)))
    assert told.splitlines() == [
        "x/y on linux-64, win-64: a 1 → 2",
        "  had to move along: b 1 → 2 (so it is)",
        "  left: d 1",
        "  held: 1 package",
        "  edited: requirements.txt",
    ]
    assert words.markdown(updated(ASKED, FORCED)).splitlines()[:2] == [
        "- **x/y** on linux-64, win-64: a 1 → 2",
        "  - had to move along: b 1 → 2 (so it is)",
    ]


def test_what_did_not_move_is_told():
    told = words.text(updated(stuck=("c",), minimal=False))
    assert "nothing moved\n  c stays at 1: nothing newer goes with what is asked for\n" in told
    assert "there may be a smaller change" in told
    assert words.text(updated(FORCED)).startswith("x/y on linux-64, win-64: nothing that was asked for moved\n")
    assert words.text(updated(platforms=())) == "x/y: its locks answer its spec"


def test_json_has_all_of_it():
    document = words.document(updated(ASKED, LEFT, stuck=("c",), platforms=("linux-64",)))
    platform = document["platforms"]["linux-64"]
    assert document["changed"] is True
    assert platform["moves"][0] == {
        "manager": "pypi",
        "name": "a",
        "kind": "asked",
        "from": {"version": "1", "build": None, "sha256": "a" * 64},
        "to": {"version": "2", "build": None, "sha256": "a" * 64},
        "reason": None,
    }
    assert platform["moves"][1]["to"] is None
    assert (platform["held"], platform["not_newer"]) == (2, {"pypi/c": "because"})
