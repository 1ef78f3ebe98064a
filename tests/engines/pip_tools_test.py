"""What only this engine does; what every PyPI engine does is in `tests/scenarios`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from envtag.engines import PypiProblem, pypi_engine
from envtag.engines.pip_tools import cannot, missing
from envtag.errors import FatalError
from envtag.platforms import PLATFORMS, current_platform, virtual_packages
from envtag.request import PypiRequirement
from envtag.urls import Mirrors
from support.index import Index
from support.wheels import make_wheel

HERE = current_platform()
MINOR = "{}.{}".format(*sys.version_info[:2])


def _problem(index: Index, *texts: str, **fields: object) -> PypiProblem:
    given = {
        "platform": HERE,
        "python": MINOR,
        "requirements": tuple(PypiRequirement(name=text.partition("<")[0], text=text) for text in texts),
        "index_url": index.url,
        "virtual_packages": virtual_packages(HERE, {}),
        **fields,
    }
    return PypiProblem(**given)  # type: ignore[arg-type]


def test_the_program_itself_answers_as_uv_does(pypi_index: Index, tmp_path: Path):
    problem = _problem(pypi_index, "gamma", "beta<2")
    answers = [
        pypi_engine(engine).solve(problem, mirrors=Mirrors(), cache=tmp_path / engine) for engine in ("pip-tools", "uv")
    ]
    assert answers[0] == answers[1]


def test_a_package_that_pip_takes_from_a_later_index_is_refused(pypi_index: Index, tmp_path: Path):
    make_wheel(tmp_path / "extra", "beta", "0.5")
    extra = Index(tmp_path / "extra")
    try:
        problem = _problem(pypi_index, "beta", extra_index_urls=(extra.url,))
        with pytest.raises(FatalError, match="not what the indices have") as caught:
            pypi_engine("pip-tools").solve(problem, mirrors=Mirrors(), cache=tmp_path / "cache")
        assert "the first index that has a package decides" in caught.value.hint
    finally:
        extra.stop()


def test_another_platform_and_another_python_are_refused_by_name(pypi_index: Index, tmp_path: Path):
    other = next(name for name in PLATFORMS if name != HERE)
    assert cannot(HERE) is None
    assert f"not for `{other}`" in str(cannot(other))
    with pytest.raises(FatalError, match=f"not for `{other}`"):
        pypi_engine("pip-tools").solve(_problem(pypi_index, "beta", platform=other), mirrors=Mirrors(), cache=tmp_path)
    with pytest.raises(FatalError, match=r"this environment has 3\.99") as caught:
        pypi_engine("pip-tools").solve(_problem(pypi_index, "beta", python="3.99"), mirrors=Mirrors(), cache=tmp_path)
    assert f"--python {MINOR}" in caught.value.hint


def test_a_pip_that_knows_no_cutoff_is_told(monkeypatch: pytest.MonkeyPatch):
    assert missing() is None
    monkeypatch.setattr("envtag.engines.pip_tools.version", lambda _: "23.2.1")
    assert missing() == ("the pip beside `pip-tools` is 23.2.1, which knows no cutoff: `pip install 'pip>=26'`")


def test_without_pip_tools_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    assert missing() is None
    monkeypatch.setattr("envtag.engines.pip_tools.find_spec", lambda _: None)
    assert missing() == "`pip-tools` is not installed beside envtag: `pip install 'envtag[pip-tools]'`"
