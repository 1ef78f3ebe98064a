from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from envtag.dist_extras import extras_of
from envtag.errors import FatalError, UnsolvableError
from envtag.output import Output
from envtag.request import CondaRequirement, Origin, PypiRequirement, Request
from envtag.solve import solve
from envtag.urls import Mirrors
from support.conda_package import ChannelBuilder, installed_files
from support.index import Index, write_story
from support.wheels import make_wheel

CHANNEL = "https://conda.example/small"
METADATA = """\
Metadata-Version: 2.1
Name: click-like
Version: 7.0
Provides-Extra: Colour
Provides-Extra: docs
Requires-Dist: numpyish
Requires-Dist: gamma ; extra == "colour"
Requires-Dist: epsilon>=1 ; python_version >= "3" and extra == 'docs'

The description: Requires-Dist: none
"""


def test_of_all_that_a_dist_needs_only_what_extras_need_is_taken():
    assert extras_of(METADATA.encode()) == (
        ("colour", "docs"),
        ('gamma ; extra == "colour"', "epsilon>=1 ; python_version >= \"3\" and extra == 'docs'"),
    )
    assert extras_of(b"Name: x\n") == ((), ())


@pytest.fixture
def ask(client: Any, tmp_path: Path) -> Any:
    """Solve PyPI requirements beside a conda package that brings `click-like` with extras."""
    channel = ChannelBuilder(tmp_path / "channel")
    files = installed_files("click-like", "7.0", "site-packages")
    files["site-packages/click_like-7.0.dist-info/METADATA"] = METADATA.encode()
    channel.package(
        "click-like", "7.0", build="pyhd8ed1ab_0", depends=["python >=3.8"], files=files, noarch="python",
        link={"noarch": {"type": "python"}, "package_metadata_version": 1},
    )  # fmt: skip
    channel.package("python", "3.11.7", build="h1_0_cpython", subdir="linux-64")
    channel.index()
    (tmp_path / "index").mkdir()
    write_story(tmp_path / "index")
    make_wheel(tmp_path / "index", "wants-colour", "1.0", requires=["click-like[colour]"])
    index = Index(tmp_path / "index")
    config = client.config._replace(mirrors=Mirrors.parse(f"{CHANNEL}={channel.path.as_uri()}"))

    def call(*texts: str, **fields: Any) -> list[str]:
        origin = Origin(file="requirements.txt", line=7)
        request = Request(
            interpreter="conda",
            channels=(CHANNEL,),
            index_url=index.url,
            conda=(CondaRequirement(name="click-like"),),
            pypi=tuple(PypiRequirement(name=text.partition("[")[0], text=text, origin=origin) for text in texts),
            **fields,
        )
        [lock] = solve(request, ["linux-64"], config=config, store=None, base_locks={}, output=Output())
        return [f"{item.manager} {item.name}" for item in lock.packages if item.name != "python"]

    yield call
    index.stop()


def test_what_an_extra_of_a_conda_package_needs_comes_from_the_index(ask: Any):
    assert ask("click-like[colour]") == ["conda click-like", "pypi gamma"]
    assert ask("click-like[Docs,colour]") == ["conda click-like", "pypi epsilon", "pypi gamma"]


def test_so_it_does_where_a_package_of_the_index_asks_for_the_extra(ask: Any):
    assert ask("wants-colour") == ["conda click-like", "pypi gamma", "pypi wants-colour"]


def test_an_extra_that_there_is_not_names_the_requirement_and_the_package(ask: Any):
    with pytest.raises(FatalError) as raised:
        ask("click-like[sound]")
    assert raised.value.message == (
        "requirements.txt:7: `click-like[sound]`: conda package `click-like 7.0 pyhd8ed1ab_0` has no extra `sound`"
    )
    assert "`colour`, `docs`" in raised.value.hint


def test_a_version_beside_the_extra_is_still_held_to_what_conda_brings(ask: Any):
    with pytest.raises(UnsolvableError, match="does not go with conda package"):
        ask("click-like[colour]<7")
