from __future__ import annotations

import pytest

from envtag.ledger import Ledger, Release
from envtag.ledger_merge import merge_ledgers


def release(tag: str, digit: str = "a") -> Release:
    return Release(tag=tag, request=digit * 40, locks={"linux-64": digit * 40})


def ledger(*releases: Release, **pointers: str) -> Ledger:
    return Ledger(releases=releases, pointers=pointers)


V1, V2, V3, OTHER = release("v1"), release("v2", "b"), release("v3", "c"), release("v2", "d")


def merged(*sides: Ledger, published=()) -> Ledger:
    found = merge_ledgers(*sides, published=published)
    assert found.conflicts == ()
    parsed = Ledger.parse(found.data, "tags.yml")
    assert parsed.to_bytes() == found.data
    return parsed


def test_releases_of_both_sides_are_there_ours_first():
    assert merged(ledger(V1), ledger(V1, V2), ledger(V1, V3)) == ledger(V1, V2, V3)
    assert merged(ledger(), ledger(V2), ledger(V1)) == ledger(V2, V1)
    assert merged(ledger(), ledger(), ledger()) == ledger()


def test_what_is_published_stays_before_what_is_not():
    assert merged(ledger(V1), ledger(V1, V2), ledger(V1, V3), published={"v1", "v3"}) == ledger(V1, V3, V2)


def test_the_same_release_on_both_sides_is_one():
    assert merged(ledger(), ledger(V1, V2), ledger(V2)) == ledger(V1, V2)


def test_what_one_side_took_away_or_changed_is_that_sides():
    assert merged(ledger(V1, V2), ledger(V1), ledger(V1, V2, V3)) == ledger(V1, V3)
    assert merged(ledger(V1, V2), ledger(V1, V2), ledger(V1, OTHER)) == ledger(V1, OTHER)


def test_a_tag_with_two_contents_is_a_conflict_around_its_line_alone():
    found = merge_ledgers(ledger(V1), ledger(V1, V2, stable="v1"), ledger(V1, OTHER, V3), marker=9)
    assert found.conflicts == ("v2",)
    lines = found.data.decode().splitlines()
    assert lines[2].startswith("- {tag: v1,")
    assert lines[3] == "<<<<<<<<< ours"
    assert "bbbb" in lines[4]
    assert lines[5] == "========="
    assert "dddd" in lines[6]
    assert lines[7] == ">>>>>>>>> theirs"
    assert lines[8].startswith("- {tag: v3,")
    assert lines[9:] == ["pointers:", "  stable: v1"]


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "result"),
    [
        ({}, {"stable": "v1"}, {"candidate": "v2"}, {"stable": "v1", "candidate": "v2"}),
        ({"stable": "v1"}, {"stable": "v2"}, {"stable": "v1"}, {"stable": "v2"}),
        ({"stable": "v1"}, {"stable": "v1"}, {}, {}),
        ({"stable": "v1"}, {"stable": "v2"}, {"stable": "v2"}, {"stable": "v2"}),
    ],
)
def test_each_pointer_is_merged_by_itself(base, ours, theirs, result):
    sides = [ledger(V1, V2, **pointers) for pointers in (base, ours, theirs)]
    assert merged(*sides) == ledger(V1, V2, **result)


def test_a_pointer_that_both_moved_elsewhere_is_a_conflict():
    found = merge_ledgers(*(ledger(V1, V2, V3, stable=tag) for tag in ("v1", "v2", "v3")))
    assert found.conflicts == ("stable",)
    tail = "pointers:\n<<<<<<< ours\n  stable: v2\n=======\n  stable: v3\n>>>>>>> theirs\n"
    assert found.data.decode().endswith(tail)
    found = merge_ledgers(ledger(V1, V2, stable="v1"), ledger(V1, V2), ledger(V1, V2, stable="v2"))
    assert found.data.decode().endswith("<<<<<<< ours\n=======\n  stable: v2\n>>>>>>> theirs\n")


def test_a_release_that_one_side_takes_away_and_the_other_points_at_is_a_conflict():
    found = merge_ledgers(ledger(V1, V2), ledger(V1), ledger(V1, V2, stable="v2"))
    assert found.conflicts == ("v2",)
