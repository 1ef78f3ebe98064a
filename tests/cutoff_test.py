from __future__ import annotations

import pytest

from envtag.cutoff import parse_cutoff
from envtag.errors import FatalError


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("2026-11-20", "2026-11-20T00:00:00Z"),
        (" 2026-11-20 ", "2026-11-20T00:00:00Z"),
        ("2026-11-20T12:30", "2026-11-20T12:30:00Z"),
        ("2026-11-20 12:30:45", "2026-11-20T12:30:45Z"),
        ("2026-11-20T12:30:45Z", "2026-11-20T12:30:45Z"),
        ("2026-11-20t12:30:45z", "2026-11-20T12:30:45Z"),
        ("2026-11-20T12:30:45.999Z", "2026-11-20T12:30:45Z"),
        ("2026-11-20T00:30:00+01:00", "2026-11-19T23:30:00Z"),
        ("2026-11-20T23:30:00-0530", "2026-11-21T05:00:00Z"),
        ("2026-11-20 12:00:00 +02", "2026-11-20T10:00:00Z"),
    ],
)
def test_a_moment_has_one_canonical_text(text: str, canonical: str):
    assert parse_cutoff(text) == canonical
    assert parse_cutoff(canonical) == canonical


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2026", "2026-13-01", "2026-02-30", "2026-11-20T25:00", "2026-11-20T12",
     "2026-11-20T12:00:61Z", "2026-11-20Z", "20261120", "2026-11-20T12:00+25:00", "0001-01-01T00:00+01:00",
     "٢٠٢٦-11-20", "2026-11-20T12:00Zulu"],
)  # fmt: skip
def test_what_is_no_date_is_refused_with_an_example(text: str):
    with pytest.raises(FatalError) as caught:
        parse_cutoff(text)
    assert f"`{text}` is not a date" in caught.value.message
    assert "2026-11-20T12:00:00Z" in caught.value.hint
