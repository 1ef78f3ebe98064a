from __future__ import annotations

from pathlib import Path

import pytest

from envtag.engines import CondaProblem, conda_engine
from envtag.engines.rattler_lookup import looked_up
from envtag.engines.rattler_records import question
from envtag.errors import FatalError
from envtag.platforms import virtual_packages
from envtag.request import CondaRequirement
from envtag.urls import Mirrors

URL = "https://conda.example/main"


def test_records_are_the_channels_own_and_any_other_bytes_are_refused(conda_channel: Path, tmp_path: Path):
    mirrors = Mirrors.parse(f"{URL}={conda_channel.as_uri()}")
    problem = CondaProblem(
        platform="linux-64",
        channels=(URL,),
        requirements=(CondaRequirement(name="click-like"),),
        virtual_packages=virtual_packages("linux-64", {}),
    )
    [solved] = conda_engine().solve_all([problem], mirrors=mirrors, repodata_cache=tmp_path, on_done=lambda _: None)
    assert isinstance(solved, tuple)
    asked = question(problem, mirrors)
    wanted = {mirrors.fetch_url(item.url): item.sha256 for item in solved}
    assert looked_up(wanted, asked, mirrors, tmp_path) == list(solved)
    first = next(iter(wanted))
    with pytest.raises(FatalError, match="other bytes"):
        looked_up({first: "0" * 64}, asked, mirrors, tmp_path)
    with pytest.raises(FatalError, match="none of the channels has"):
        looked_up({first.replace("1.0", "9.0"): ""}, asked, mirrors, tmp_path)
