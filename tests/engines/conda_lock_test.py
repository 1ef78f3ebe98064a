"""What only this engine does; what every conda engine does is in `tests/scenarios`."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from envtag.engines import CondaProblem, conda_engine
from envtag.engines.conda_lock import missing
from envtag.errors import FatalError, UnsolvableError
from envtag.package import Package
from envtag.platforms import PLATFORMS, virtual_packages
from envtag.request import CondaRequirement
from envtag.urls import Mirrors

URL = "https://conda.example/main"


def _problem(platform: str, *names: str, **fields: object) -> CondaProblem:
    return CondaProblem(
        platform=platform,
        channels=(URL,),
        requirements=tuple(CondaRequirement(name=name) for name in names),
        virtual_packages=virtual_packages(platform, {}),
        **fields,  # type: ignore[arg-type]
    )


def _solve(
    engine: str, problems: list[CondaProblem], channel: Path, cache: Path, program: str = ""
) -> list[tuple[Package, ...] | UnsolvableError]:
    return conda_engine(engine).solve_all(
        problems,
        mirrors=Mirrors.parse(f"{URL}={channel.as_uri()}"),
        repodata_cache=cache,
        on_done=lambda _: None,
        program=program,
    )


def _conda(directory: Path, answer: object, code: int = 1) -> str:
    """A team's conda that answers in one way."""
    path = directory / "conda"
    (directory / "answer.json").write_text(json.dumps(answer))
    version = "test $1 = --version && exec echo conda 24.1"
    path.write_text(f"#!/bin/sh\n{version}\ncat {directory}/answer.json\nexit {code}\n")
    path.chmod(0o755)
    return str(path)


def test_the_program_itself_answers_as_rattler_does_record_by_record_and_leaves_nothing_behind(
    conda_channel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    left = tmp_path / "left"
    left.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", None)
    for variable in ("TEMP", "TMP", "TMPDIR"):
        monkeypatch.setenv(variable, str(left))
    problems = [_problem(platform, "numpyish", "alpha") for platform in (PLATFORMS[0], PLATFORMS[3])]
    assert _solve("conda-lock", problems, conda_channel, tmp_path) == _solve(
        "rattler", problems, conda_channel, tmp_path
    )
    assert list(left.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="the team's conda of this test is a shell script")
def test_a_teams_conda_is_asked_and_its_words_are_told(conda_channel: Path, tmp_path: Path):
    problem = _problem("linux-64", "alpha")
    program = _conda(tmp_path, {"exception_name": "LibMambaUnsatisfiableError", "message": "nothing provides alpha"})
    [answer] = _solve("conda-lock", [problem], conda_channel, tmp_path / "cache", program)
    assert isinstance(answer, UnsolvableError)
    assert "nothing provides alpha" in answer.detail

    program = _conda(tmp_path, {"exception_name": "CondaHTTPError", "message": "HTTP 000 CONNECTION FAILED."})
    with pytest.raises(FatalError, match="HTTP 000 CONNECTION FAILED") as caught:
        _solve("conda-lock", [problem], conda_channel, tmp_path / "cache", program)
    assert program in caught.value.message

    url = "https://else.example/noarch/alpha-1.0-0.conda"
    foreign = {"name": "alpha", "version": "1.0", "url": url, "md5": "0" * 32}
    program = _conda(tmp_path, {"success": True, "actions": {"FETCH": [foreign], "LINK": []}}, code=0)
    with pytest.raises(FatalError, match=r"else\.example.*none of the channels"):
        _solve("conda-lock", [problem], conda_channel, tmp_path / "cache", program)


def test_a_teams_conda_knows_no_cutoff(conda_channel: Path, tmp_path: Path):
    problem = _problem("linux-64", "alpha", exclude_newer="2024-06-01T00:00:00Z")
    with pytest.raises(FatalError, match="knows no cutoff") as caught:
        _solve("conda-lock", [problem], conda_channel, tmp_path / "cache", _conda(tmp_path, {}))
    assert "ENVTAG_CONDA=envtag" in caught.value.hint


def test_a_cutoff_is_not_for_what_is_exempt_or_kept(conda_channel: Path, tmp_path: Path):
    cutoff = "2024-06-01T00:00:00Z"
    plain = _problem("linux-64", "beta", "itsdangerous", exclude_newer=cutoff)
    [newest] = _solve("rattler", [replace(plain, exclude_newer="")], conda_channel, tmp_path)
    assert not isinstance(newest, UnsolvableError)
    kept = tuple(item for item in newest if item.name == "itsdangerous")
    problems = [plain, replace(plain, exempt=frozenset({"beta"})), replace(plain, kept=kept)]
    answers = _solve("conda-lock", problems, conda_channel, tmp_path, "envtag")
    assert answers == _solve("rattler", problems, conda_channel, tmp_path)
    versions = [
        {item.name: item.version for item in answer if item.name in {"beta", "itsdangerous"}} for answer in answers
    ]
    assert versions[0] == {"beta": "1.0", "itsdangerous": "2.1.2"}
    assert versions[1] == {"beta": "2.0", "itsdangerous": "2.1.2"}
    assert versions[2] == {"beta": "1.0", "itsdangerous": kept[0].version}


def test_two_builds_of_one_package_cannot_be_asked_for(conda_channel: Path, tmp_path: Path):
    problem = replace(
        _problem("linux-64"),
        requirements=tuple(CondaRequirement(name="alpha", build=build) for build in ("a_0", "b_0")),
    )
    with pytest.raises(FatalError, match="another build"):
        _solve("conda-lock", [problem], conda_channel, tmp_path / "cache", "envtag")


def test_without_conda_lock_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    assert missing() is None
    monkeypatch.setattr("envtag.engines.conda_lock.find_spec", lambda _: None)
    assert missing() == "`conda-lock` is not installed beside envtag: `pip install 'envtag[conda-lock]'`"
