from __future__ import annotations

from pathlib import Path

import pytest

from envtag.credentials import Credentials
from envtag.engines import one_view, shared
from envtag.engines.rattler_offers import newer
from envtag.urls import Mirrors

MAIN, OTHER = "https://conda.example.org/main", "https://conda.example.org/other"


@pytest.fixture
def offers(conda_channel: Path, other_channel: Path, tmp_path: Path):
    mirrors = Mirrors.parse(f"{MAIN}={conda_channel.as_uri()} {OTHER}={other_channel.as_uri()}")

    def ask(names: dict[str, str], *channels: str, exclude_newer: str = "") -> dict[str, str]:
        return newer(
            names,
            platform="linux-64",
            channels=channels or (MAIN,),
            mirrors=mirrors,
            repodata_cache=tmp_path,
            credentials=Credentials(),
            exclude_newer=exclude_newer,
        )

    return ask


def test_the_newest_version_is_told_where_there_is_a_newer_one(offers):
    assert offers({"alpha": "1.0", "beta": "2.0", "nothing": "1"}) == {"alpha": "2.0"}


def test_the_first_channel_that_has_a_package_decides(offers):
    assert offers({"alpha": "1.0"}, OTHER, MAIN) == {"alpha": "3.0"}
    assert offers({"alpha": "1.0", "only-other": "0.1"}, MAIN, OTHER) == {"alpha": "2.0", "only-other": "1.0"}


def test_what_is_newer_than_a_cutoff_is_not_offered(offers):
    assert offers({"alpha": "0.1"}, exclude_newer="2024-06-01T00:00:00Z") == {"alpha": "1.0"}


def test_a_view_keeps_what_engines_share_while_it_lasts():
    assert shared("key", list) is not shared("key", list)
    with one_view():
        assert shared("key", list) is shared("key", list)
    assert shared("key", list) == []
