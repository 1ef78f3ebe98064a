from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest

from envtag.publication.presence import listed_sizes
from envtag.store import Entry, keys

NOW = datetime(2031, 1, 1, tzinfo=timezone.utc)


class Bucket:
    """A store that is listed page by page, and counts the entries that it gave."""

    url = "s3://bucket"

    def __init__(self, names: list[str]) -> None:
        self.names = names
        self.given = 0

    def list(self, prefix: str) -> Iterator[Entry]:
        for key in sorted(name for name in self.names if name.startswith(prefix)):
            self.given += 1
            yield Entry(key=key, size=7, modified=NOW)


def names(count: int, salt: str = "") -> list[str]:
    return [keys.object_key(hashlib.sha256(f"{salt}{number}".encode()).hexdigest(), "whl") for number in range(count)]


def told(store: Any, wanted: list[str]) -> dict[str, int | None]:
    return listed_sizes(store, wanted)


def test_a_small_store_is_listed_to_its_end():
    there = names(150)
    wanted = [*there[:20], *names(10, "new")]
    assert told(Bucket(there), wanted) == {key: 7 if key in there else None for key in wanted}


def test_a_store_that_is_not_much_larger_than_what_is_asked_for_is_listed_too():
    there = names(900)
    wanted = [*there[:90], *names(10, "new")]
    assert told(Bucket(there), wanted) == {key: 7 if key in there else None for key in wanted}


def test_of_a_large_store_a_sample_is_listed_and_what_it_covers_is_told():
    there = names(5000)
    bucket = Bucket(there)
    wanted = [*there[:100], *names(100, "new")]
    found = told(bucket, wanted)
    assert bucket.given <= 201
    last = sorted(there)[199]
    assert found == {key: 7 if key in there else None for key in wanted if key <= last}


def test_a_listing_that_turns_out_too_long_is_broken_off():
    crowded = [
        keys.object_key(f"f{hashlib.sha256(str(number).encode()).hexdigest()[1:]}", "whl") for number in range(400)
    ]
    there = names(190) + crowded
    bucket = Bucket(there)
    wanted = [*there[:10], *crowded[:15]]
    found = told(bucket, wanted)
    assert bucket.given < len(there)
    assert all(size == (7 if key in there else None) for key, size in found.items())
    assert set(there[:10]) & set(found) == {key for key in there[:10] if key <= max(found)}


@pytest.mark.parametrize(("url", "count"), [("file:///x", 100), ("s3://bucket", 5)])
def test_files_and_a_few_packages_are_asked_for_one_by_one(url: str, count: int):
    bucket = Bucket(names(200))
    bucket.url = url
    assert told(bucket, names(count)) == {}
    assert bucket.given == 0
