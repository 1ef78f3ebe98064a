from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

from envtag.engines import Dist, PypiProblem
from envtag.engines.uv_command import prepare
from envtag.request import PypiOptions, PypiRequirement
from envtag.urls import Mirrors
from envtag.util.toml import loads
from support.locks import FLASK

VIRTUAL = {"__glibc": "2.28", "__osx": "12.0"}


def _problem(**fields: object) -> PypiProblem:
    requirement = PypiRequirement(name="alpha", text="alpha>=1")
    given = {
        "platform": "linux-64",
        "python": "3.11",
        "requirements": (requirement,),
        "virtual_packages": VIRTUAL,
        **fields,
    }
    return PypiProblem(**given)  # type: ignore[arg-type]


def _prepare(problem: PypiProblem, tmp_path: Path, mirrors: str = "", by_url: tuple[str, ...] = ()) -> list[str]:
    done = prepare(problem, tmp_path, mirrors=Mirrors.parse(mirrors), cache=tmp_path / "cache", by_url=by_url)
    return list(done.arguments)


def _options(argv: list[str], name: str) -> list[str]:
    return [value for option, value in pairwise(argv) if option == name]


def test_no_index_is_named_unless_the_request_names_one(tmp_path: Path):
    argv = _prepare(_problem(), tmp_path)
    assert not [word for word in argv if word.startswith(("--index", "--default-index", "--extra-index", "http"))]
    assert _options(argv, "--python") == [sys.executable]


def test_indices_are_mirrored_and_in_order(tmp_path: Path):
    problem = _problem(
        index_url="https://a.example/simple", extra_index_urls=("https://b.example/simple", "https://c.example/simple")
    )
    argv = _prepare(problem, tmp_path, "https://b.example=http://mirror.example/b")
    assert _options(argv, "--default-index") == ["https://a.example/simple"]
    assert _options(argv, "--index") == ["http://mirror.example/b/simple", "https://c.example/simple"]


def test_the_target_is_the_platforms_and_not_this_machines(tmp_path: Path):
    argv = _prepare(_problem(platform="osx-arm64", python="3.12.4", exclude_newer="2024-06-01T00:00:00Z"), tmp_path)
    assert _options(argv, "--python-platform") == ["aarch64-apple-darwin"]
    assert _options(argv, "--python-version") == ["3.12.4"]
    assert _options(argv, "--exclude-newer") == ["2024-06-01T00:00:00Z"]


def test_the_deployment_target_is_the_declared_one(tmp_path: Path):
    done = prepare(_problem(platform="osx-64"), tmp_path, mirrors=Mirrors(), cache=tmp_path / "cache", by_url=())
    assert done.variables["MACOSX_DEPLOYMENT_TARGET"] == "12.0"


def test_what_conda_provides_is_a_constraint_and_is_not_emitted(tmp_path: Path):
    provided = (Dist(name="num-py", version="1.0", by="num-py 1.0 0"), Dist(name="odd", version="2013b_x", by="odd 0"))
    argv = _prepare(_problem(provided=provided), tmp_path)
    stub = tmp_path / "cache" / "envtag-stubs" / "num_py-1.0-py3-none-any.whl"
    assert (tmp_path / "constraints.txt").read_text() == f"num-py @ {stub.as_uri()}\n"
    assert _options(argv, "--no-emit-package") == ["num-py"]
    assert stub.is_file()


def test_pinned_packages_are_asked_for_by_version_or_by_their_mirrored_url(tmp_path: Path):
    problem = _problem(pinned=(FLASK,))
    _prepare(problem, tmp_path)
    assert (tmp_path / "requirements.in").read_text() == "alpha>=1\nflask==3.0.0\n"
    _prepare(problem, tmp_path, "https://files.example.org=http://mirror.example", ("flask",))
    url = "http://mirror.example/packages/flask-3.0.0-py3-none-any.whl"
    assert (tmp_path / "requirements.in").read_text() == f"alpha>=1\nflask @ {url}\n"


def test_direct_urls_are_mirrored_and_keep_their_marker(tmp_path: Path):
    text = "beta @ https://files.example.org/beta-1.0-py3-none-any.whl ; sys_platform == 'linux'"
    problem = _problem(requirements=(PypiRequirement(name="beta", text=text),))
    _prepare(problem, tmp_path, "https://files.example.org=http://mirror.example")
    [line] = (tmp_path / "requirements.in").read_text().splitlines()
    assert line.startswith("beta @ http://mirror.example/beta-1.0-py3-none-any.whl")
    assert 'sys_platform == "linux"' in line


def test_constraints_do_not_ask(tmp_path: Path):
    _prepare(_problem(requirements=(PypiRequirement(name="beta", text="beta<2", constraint=True),)), tmp_path)
    assert (tmp_path / "requirements.in").read_text() == ""
    assert (tmp_path / "constraints.txt").read_text() == "beta<2\n"


def test_options_of_the_request_are_uvs(tmp_path: Path):
    options = PypiOptions(
        find_links=("https://a.example/page.html",), no_index=True, prereleases=True, only_binary=(":all:",),
        no_binary=("beta", "gamma"),
    )  # fmt: skip
    argv = _prepare(_problem(options=options), tmp_path, "https://a.example=http://mirror.example/a")
    assert "--no-index" in argv
    assert _options(argv, "--find-links") == ["http://mirror.example/a/page.html"]
    assert _options(argv, "--prerelease") == ["allow"]
    assert _options(argv, "--only-binary") == [":all:"]
    assert _options(argv, "--no-binary") == ["beta", "gamma"]


def test_a_requirement_of_one_index_only_is_asked_for_in_a_project(tmp_path: Path):
    pinned = PypiRequirement(name="beta", text='beta>=1; os_name == "posix"', index="https://b.example/simple")
    problem = _problem(requirements=(PypiRequirement(name="alpha", text="alpha>=1"), pinned))
    argv = _prepare(problem, tmp_path, "https://b.example=http://mirror.example/b")
    assert (tmp_path / "requirements.in").read_text() == "alpha>=1\n"
    assert argv[-1] == str(tmp_path / "pyproject.toml")
    project = loads((tmp_path / "pyproject.toml").read_text(), "pyproject.toml")
    assert project["project"]["dependencies"] == ['beta>=1; os_name == "posix"']
    assert project["tool"]["uv"]["sources"] == {"beta": {"index": "envtag-0"}}
    assert project["tool"]["uv"]["index"] == [
        {"name": "envtag-0", "url": "http://mirror.example/b/simple", "explicit": True}
    ]
