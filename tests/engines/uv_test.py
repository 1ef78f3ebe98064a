"""What only the uv engine does; what every PyPI engine does is in `tests/scenarios`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from envtag.engines import PypiProblem
from envtag.engines.uv import solve
from envtag.errors import FatalError
from envtag.package import Package
from envtag.platforms import PLATFORMS, virtual_packages
from envtag.request import PypiRequirement
from envtag.urls import Mirrors
from support.index import Index


def _solve(
    cache: Path, index: Index | None, *texts: str, platform: str = "linux-64", **fields: object
) -> tuple[Package, ...]:
    given = {
        "platform": platform,
        "python": "3.11",
        "requirements": tuple(PypiRequirement(name=text.partition("=")[0].rstrip("<>="), text=text) for text in texts),
        "index_url": index.url if index is not None else "",
        "virtual_packages": virtual_packages(platform, {}),
        **fields,
    }
    return solve(PypiProblem(**given), mirrors=Mirrors(), cache=cache)  # type: ignore[arg-type]


def test_size_and_upload_time_are_the_indexs(pypi_index: Index, tmp_path: Path):
    [beta] = _solve(tmp_path, pypi_index, "beta<2")
    assert beta.size == (pypi_index.directory / beta.filename).stat().st_size
    assert beta.timestamp == 1705276800000


def test_problems_may_be_solved_by_several_threads(pypi_index: Index, tmp_path: Path):
    platforms = [platform for platform in PLATFORMS if platform != "osx-64"]
    with ThreadPoolExecutor(4) as threads:
        answers = list(
            threads.map(lambda name: _solve(tmp_path, pypi_index, "gamma", "epsilon", platform=name), platforms)
        )
    files = {
        platform: next(item.filename for item in answer if item.name == "gamma")
        for platform, answer in zip(platforms, answers, strict=True)
    }
    assert len(set(files.values())) == len(platforms)
    assert {
        platform: "beta" in {item.name for item in answer} for platform, answer in zip(platforms, answers, strict=True)
    } == {platform: platform == "win-64" for platform in platforms}


def test_an_extra_index_is_asked_before_the_default_one_and_decides(pypi_index: Index, tmp_path: Path):
    from support.wheels import make_wheel

    make_wheel(tmp_path / "extra", "beta", "0.5")
    extra = Index(tmp_path / "extra")
    try:
        [beta] = _solve(tmp_path / "cache", pypi_index, "beta", extra_index_urls=(extra.url,))
    finally:
        extra.stop()
    assert beta.version == "0.5"


def test_variables_of_the_machine_do_not_decide(pypi_index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("UV_EXCLUDE_NEWER", "2024-06-01")
    monkeypatch.setenv("UV_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    (tmp_path / "uv.toml").write_text('exclude-newer = "2024-06-01"\n')
    monkeypatch.chdir(tmp_path)
    [beta] = _solve(tmp_path / "cache", pypi_index, "beta")
    assert beta.version == "2.0"


def test_a_second_answer_is_the_same_from_the_cache(pypi_index: Index, tmp_path: Path):
    assert _solve(tmp_path, pypi_index, "alpha", "delta") == _solve(tmp_path, pypi_index, "alpha", "delta")


def test_nothing_is_left_but_the_cache(pypi_index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    monkeypatch.chdir(tmp_path / "tmp")
    _solve(tmp_path / "cache", pypi_index, "alpha")
    assert list((tmp_path / "tmp").iterdir()) == []


def test_an_unreachable_index_is_named_by_its_host(tmp_path: Path):
    with pytest.raises(FatalError, match=r"the PyPI index at `127\.0\.0\.1:9` cannot be read") as caught:
        _solve(tmp_path, None, "alpha", index_url="http://127.0.0.1:9/simple")
    assert "ENVTAG_MIRRORS" in caught.value.hint


@pytest.mark.network
def test_the_default_index_is_asked_without_being_named(tmp_path: Path):
    packages = {
        item.name: item
        for item in _solve(tmp_path, None, "requests>=2.31", platform="osx-arm64", exclude_newer="2024-12-01T00:00:00Z")
    }
    assert packages["requests"].version == "2.32.3"
    assert packages["requests"].depends == ("certifi", "charset-normalizer", "idna", "urllib3")
    assert packages["charset-normalizer"].filename.endswith("macosx_11_0_arm64.whl")


def _behind(cache: Path, index: Index, mirrors: str) -> Package:
    """`beta` from the default index, which is behind a mirror."""
    problem = PypiProblem(
        platform="linux-64", python="3.11", requirements=(PypiRequirement(name="beta", text="beta"),),
        virtual_packages=virtual_packages("linux-64", {}),
    )  # fmt: skip
    [package] = solve(problem, mirrors=Mirrors.parse(f"pypi={index.url} {mirrors}"), cache=cache)
    return package


def test_a_mirror_of_the_default_index_is_asked_and_not_locked(pypi_index: Index, tmp_path: Path):
    found = _behind(tmp_path, pypi_index, f"https://files.example/all={pypi_index.root}/files")
    assert found.url == "https://files.example/all/beta-2.0-py3-none-any.whl"
    assert Mirrors.parse(f"https://files.example/all={pypi_index.root}/files").fetch_url(found.url).startswith("http:")


def test_a_mirror_whose_files_are_nowhere_else_is_refused(pypi_index: Index, tmp_path: Path):
    with pytest.raises(FatalError, match=r"`beta 2\.0` is from the mirror of the default index") as caught:
        _behind(tmp_path, pypi_index, "")
    assert f"`CANONICAL={pypi_index.root}`" in caught.value.hint
