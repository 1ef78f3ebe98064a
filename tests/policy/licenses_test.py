from __future__ import annotations

import pytest

from envtag.policy.licenses import allows

ALLOWED = {"mit", "bsd-3-clause", "gpl-2.0-only with classpath-exception-2.0", "bsd 3-clause"}


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("MIT", True),
        ("  BSD 3-Clause ", True),
        ("GPL-3.0-only", False),
        ("MIT OR GPL-3.0-only", True),
        ("GPL-3.0-only OR MIT", True),
        ("MIT AND GPL-3.0-only", False),
        ("MIT AND (BSD-3-Clause OR GPL-3.0-only)", True),
        ("(MIT)", True),
        ("GPL-2.0-only WITH Classpath-exception-2.0", True),
        ("GPL-2.0-only WITH other", False),
        ("MIT WITH other", True),
        ("MIT and more words", False),
        ("MIT OR", False),
        ("(MIT", False),
        ("OR", False),
        ("MIT )", False),
        ("(" * 5_000 + "MIT", False),
    ],
)
def test_one_side_of_or_and_both_of_and(text: str, allowed: bool):
    assert allows(text, ALLOWED.__contains__) is allowed
