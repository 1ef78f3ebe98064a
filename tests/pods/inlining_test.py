from __future__ import annotations

import pytest

from envtag.pods.inlining import inlined


@pytest.mark.parametrize(("program", "most"), [("s3_get", 3700), ("job_get", 1600), ("gs_get", 3200), ("az_get", 3200)])
def test_a_program_is_short_and_has_no_quote_of_its_own(program: str, most: int):
    text = inlined(program)
    assert len(text) < most
    assert text.count("'") == 2
    assert not set('"`$\\') & set(text)
