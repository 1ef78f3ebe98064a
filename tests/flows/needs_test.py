from __future__ import annotations

from envtag.flows.needs import missing_needs
from support.locks import SAMPLE


def test_what_a_lock_lacks_is_told_whichever_manager_has_it():
    assert missing_needs(SAMPLE, {"flask": ">=2", "numpy": "", "boto3": ">=1"}) == {"boto3": ">=1"}
    assert missing_needs(SAMPLE, {}) == {}
