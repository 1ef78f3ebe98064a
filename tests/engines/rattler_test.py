"""What only the rattler engine does; what every conda engine does is in `tests/scenarios`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from envtag.engines import CondaProblem, conda_engine
from envtag.errors import FatalError, UnsolvableError
from envtag.package import Package
from envtag.platforms import PLATFORMS, virtual_packages
from envtag.request import CondaRequirement
from envtag.urls import Mirrors
from support.typical import CONDA_FORGE, REQUESTS, bare, problem_of, specs_of, told_apart

URL = "https://conda.example/main"
TEN = ("numpy", "pandas", "scikit-learn", "matplotlib", "jupyterlab", "pyarrow", "pytorch", "scipy", "dask", "requests")


def _problem(platform: str, *names: str, channels: tuple[str, ...] = (URL,), **fields: object) -> CondaProblem:
    return CondaProblem(
        platform=platform,
        channels=channels,
        requirements=tuple(CondaRequirement(name=name) for name in names),
        virtual_packages=virtual_packages(platform, {}),
        **fields,  # type: ignore[arg-type]
    )


def _solve(problems: list[CondaProblem], mirror: str, cache: Path) -> list[tuple[Package, ...] | UnsolvableError]:
    return conda_engine().solve_all(
        problems, mirrors=Mirrors.parse(mirror), repodata_cache=cache, on_done=lambda _: None
    )


def test_platforms_are_solved_in_one_call_each_with_its_own_answer(conda_channel: Path, tmp_path: Path):
    done: list[str] = []
    answers = conda_engine().solve_all(
        [_problem(platform, "numpyish") for platform in PLATFORMS],
        mirrors=Mirrors.parse(f"{URL}={conda_channel.as_uri()}"),
        repodata_cache=tmp_path,
        on_done=done.append,
    )
    assert sorted(done) == sorted(PLATFORMS)
    for platform, answer in zip(PLATFORMS, answers, strict=True):
        assert not isinstance(answer, UnsolvableError)
        assert {item.subdir for item in answer if item.name == "numpyish"} == {platform}


def test_one_platform_without_a_solution_does_not_take_the_others_with_it(conda_channel: Path, tmp_path: Path):
    mirror = f"{URL}={conda_channel.as_uri()}"
    good, bad = _solve([_problem("linux-64", "gpu-thing"), _problem("osx-64", "gpu-thing")], mirror, tmp_path)
    assert isinstance(good, tuple)
    assert isinstance(bad, UnsolvableError)
    assert "`osx-64`" in bad.message


def test_the_same_problem_has_the_same_answer_with_license_size_and_date(conda_channel: Path, tmp_path: Path):
    mirror = f"{URL}={conda_channel.as_uri()}"
    one, two = (_solve([_problem("linux-64", "alpha", "numpyish")], mirror, tmp_path / name) for name in "ab")
    assert one == two
    [answer] = one
    assert isinstance(answer, tuple)
    [alpha] = [item for item in answer if item.name == "alpha"]
    assert alpha.size
    assert alpha.license == "MIT"
    assert alpha.timestamp == 1731628800000


def test_a_missing_channel_is_named_with_its_mirror(tmp_path: Path):
    mirror = f"{URL}={(tmp_path / 'nothing').as_uri()}"
    with pytest.raises(FatalError, match=f"channel `{URL}` .mirrored at .* cannot be read") as caught:
        _solve([_problem("linux-64", "alpha")], mirror, tmp_path / "cache")
    assert "ENVTAG_MIRRORS" in caught.value.hint
    assert "repodata.json" in caught.value.detail


def test_an_unreachable_channel_is_named_with_its_host(tmp_path: Path):
    with pytest.raises(FatalError, match=f"channel `{URL}` .*: `127.0.0.1` does not answer"):
        _solve([_problem("linux-64", "alpha")], f"{URL}=http://127.0.0.1:9/main", tmp_path)


def test_damaged_repodata_is_named_by_its_channel(conda_channel: Path, tmp_path: Path):
    for subdir in ("noarch", "linux-64"):
        (tmp_path / "main" / subdir).mkdir(parents=True)
        (tmp_path / "main" / subdir / "repodata.json").write_text('{"packages": {', "utf-8")
    good = "https://conda.example/good"
    mirrors = f"{URL}={(tmp_path / 'main').as_uri()} {good}={conda_channel.as_uri()}"
    with pytest.raises(FatalError, match=f"channel `{URL}` .* is damaged"):
        _solve([_problem("linux-64", "alpha", channels=(good, URL))], mirrors, tmp_path / "cache")


def test_a_channel_cannot_bring_in_another_one(tmp_path: Path):
    """CEP 42 lets a channel's metadata name further ones; only those that were asked for are read."""
    record = {"name": "alpha", "version": "1.0", "build": "0", "build_number": 0, "depends": [], "subdir": "noarch"}
    sneaky = _write(tmp_path / "sneaky", {"alpha-1.0-0.conda": {**record, "sha256": "a" * 64, "md5": "b" * 32}})
    main = _write(tmp_path / "main", {}, channel_relations={"overrides": sneaky})
    [answer] = _solve([_problem("linux-64", "alpha")], f"{URL}={main}", tmp_path / "cache")
    assert isinstance(answer, UnsolvableError)


def _write(directory: Path, records: dict[str, object], **info: object) -> str:
    document = {"info": {"subdir": "noarch", **info}, "packages": {}, "packages.conda": records}
    (directory / "noarch").mkdir(parents=True)
    (directory / "noarch" / "repodata.json").write_text(json.dumps(document), "utf-8")
    return directory.as_uri()


@pytest.mark.shared_data
def test_real_conda_forge_records_are_solved_for_four_platforms(conda_forge_subset: Path, tmp_path: Path):
    url = "https://conda.anaconda.org/conda-forge"
    platforms = ("linux-64", "linux-aarch64", "osx-64", "osx-arm64")
    requirements = (*(CondaRequirement(name=name) for name in TEN), CondaRequirement(name="python", version="3.11.*"))
    problems = [
        CondaProblem(
            platform=platform,
            channels=(url,),
            requirements=requirements,
            virtual_packages=virtual_packages(platform, {}),
        )
        for platform in platforms
    ]
    answers = _solve(problems, f"{url}={conda_forge_subset.as_uri()}", tmp_path)
    for platform, answer in zip(platforms, answers, strict=True):
        assert isinstance(answer, tuple)
        assert len(answer) > 250
        assert {item.subdir for item in answer} == {platform, "noarch"}
        assert all(item.url == f"{url}/{item.subdir}/{item.filename}" for item in answer)
        assert all(len(item.sha256) == 64 and len(item.md5) == 32 for item in answer)


@pytest.mark.shared_data
def test_a_real_base_is_kept_and_extended(conda_forge_subset: Path, tmp_path: Path):
    url = "https://conda.anaconda.org/conda-forge"
    mirror = f"{url}={conda_forge_subset.as_uri()}"
    [base] = _solve([_problem("linux-64", "numpy", "pandas", channels=(url,))], mirror, tmp_path)
    assert isinstance(base, tuple)
    [more] = _solve([_problem("linux-64", "scipy", channels=(url,), pinned=base)], mirror, tmp_path)
    assert isinstance(more, tuple)
    assert set(base) < set(more)
    assert "scipy" in {item.name for item in more}


@pytest.mark.shared_data
def test_typical_requests_are_answered_as_rattler_alone_does_record_by_record(conda_forge_subset: Path, tmp_path: Path):
    assert len(REQUESTS) == 60
    asked = [(specs_of(request), platform) for request in REQUESTS[::12] for platform in PLATFORMS]
    answers = _solve([problem_of(*item) for item in asked], f"{CONDA_FORGE}={conda_forge_subset.as_uri()}", tmp_path)
    alone = bare(tmp_path, conda_forge_subset.as_uri(), asked)
    assert [told_apart(answer) for answer in answers] == alone
    assert sum(answer is not None for answer in alone) > len(asked) // 2
