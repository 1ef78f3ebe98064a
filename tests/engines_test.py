"""One suite that every engine passes: each file in `tests/scenarios` is one story of a resolution."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from envtag.engines import CONDA_ENGINES, PYPI_ENGINES, CondaProblem, Dist, PypiProblem, conda_engine, pypi_engine
from envtag.errors import FatalError, UnsolvableError
from envtag.package import Package
from envtag.platforms import current_platform, virtual_packages
from envtag.request import CondaRequirement, Origin, PypiRequirement
from envtag.urls import Mirrors
from envtag.util import toml
from support.index import Index
from support.packages import pypi_package
from support.warm import WarmPython
from support.wheels import OLD, make_sdist, make_wheel

SCENARIOS = sorted(Path(__file__).with_name("scenarios").glob("*.toml"))
#: What an engine may answer otherwise: why, and what its error says.
DIFFERENCES: Mapping[tuple[str, str], tuple[str, tuple[str, ...]]] = {
    ("conda-lock", "conda-pinned-after-cutoff"): (
        "a conda is asked for locked packages as for any other, so that a cutoff holds for them too",
        ("`beta 1.5 0`", "cutoff"),
    ),
    ("conda-lock", "conda-pinned-gone"): (
        "a conda knows what its channels have, and not what a lock has",
        ("`beta 1.5 0`",),
    ),
    ("conda-lock", "conda-pinned-rebuilt"): (
        "a build's name is all that a conda can be asked for; that its bytes are others is seen after it",
        ("`beta 1.0 0` cannot be kept", "111111111111"),
    ),
    **{
        ("pip-tools", name): (
            "pip solves for the platform that it runs on",
            ("`pip-tools` solves for the machine that it runs on", f"`{platform}`"),
        )
        for name, platform in (("pypi-marker-win-64", "win-64"), ("pypi-no-wheel", "osx-64"))
    },
    ("pip-tools", "pypi-wheel-of-platform"): (
        "pip solves for the platform that it runs on",
        ("`pip-tools` solves for the machine that it runs on", "`osx-arm64`"),
    ),
}
_KEYS = {"story", "world", "channel", "gone", "wheel", "sdist", "request", "expect"}
_EXPECTED = {"packages", "error", "from", "files", "depends", "hashes"}


def _scenarios(world: str) -> list[Any]:
    return [pytest.param(path, id=path.stem) for path in SCENARIOS if path.stem.startswith(f"{world}-")]


@pytest.fixture(scope="module")
def warm() -> Iterator[WarmPython]:
    """The programs of the engines that start one, without what each start of theirs costs."""
    python = WarmPython(["conda_lock.conda_lock", "piptools.scripts.compile"], os.environ)
    yield python
    python.stop()


@pytest.fixture(autouse=True)
def warm_programs(warm: WarmPython, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("envtag.engines.conda_lock", "envtag.engines.pip_command"):
        monkeypatch.setattr(f"{module}.run", warm.run)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    directory = tmp_path / "index"
    directory.mkdir()
    served = Index(directory)
    yield served
    served.stop()


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_scenario_tells_one_story(path: Path):
    scenario = _read(path)
    assert set(scenario) <= _KEYS
    assert scenario["story"]
    assert path.stem.startswith(f"{scenario['world']}-")
    assert set(scenario["expect"]) <= _EXPECTED
    assert len({"packages", "error"} & set(scenario["expect"])) == 1


@pytest.mark.parametrize("engine", CONDA_ENGINES)
@pytest.mark.parametrize("path", _scenarios("conda"))
def test_conda_engine(engine: str, path: Path, tmp_path: Path):
    scenario = _read(path, engine)
    request = scenario["request"]
    platform = request.get("platform", "linux-64")
    channels = scenario["channel"]
    pairs = [f"https://conda.example/{name}={_write_channel(tmp_path / name, channels[name])}" for name in channels]
    records = [
        (name, item) for kind in ("gone", "channel") for name in scenario.get(kind, {}) for item in scenario[kind][name]
    ]
    locked = {_spelled(item): _locked(name, item) for name, item in reversed(records)}
    problem = CondaProblem(
        platform=platform,
        channels=tuple(f"https://conda.example/{name}" for name in channels),
        requirements=tuple(_conda(text, line) for line, text in enumerate(request["requirements"], 1)),
        constraints=tuple(request.get("constraints", ())),
        virtual_packages=virtual_packages(platform, request.get("virtual_packages", {})),
        exclude_newer=request.get("exclude_newer", ""),
        pinned=tuple(locked[text] for text in request.get("pinned", ())),
    )
    done: list[str] = []
    try:
        [answer] = conda_engine(engine).solve_all(
            [problem], mirrors=Mirrors.parse(" ".join(pairs)), repodata_cache=tmp_path / "cache", on_done=done.append
        )
    except FatalError as error:
        _check_error(scenario, error)
        return
    assert done == [platform]
    if isinstance(answer, UnsolvableError):
        _check_error(scenario, answer)
    else:
        _check_packages(scenario, answer)
        assert all(package.url.startswith("https://conda.example/") for package in answer)
        assert set(problem.pinned) <= set(answer)


@pytest.mark.parametrize("engine", PYPI_ENGINES)
@pytest.mark.parametrize("path", _scenarios("pypi"))
def test_pypi_engine(engine: str, path: Path, tmp_path: Path, index: Index):
    scenario = _read(path, engine)
    request = scenario["request"]
    platform = request.get("platform", "linux-64")
    if engine == "pip-tools" and platform == "linux-64" != current_platform():
        pytest.skip("pip solves for the platform that it runs on, and the scenario is of another one")
    _publish(scenario, index.directory)
    problem = PypiProblem(
        platform=platform,
        python=request.get("python", "3.11" if engine == "uv" else "{}.{}".format(*sys.version_info[:2])),
        requirements=(
            *(_pypi(text, line) for line, text in enumerate(request["requirements"], 1)),
            *(_pypi(text, 0, constraint=True) for text in request.get("constraints", ())),
        ),
        index_url="https://pypi.example/simple",
        virtual_packages=virtual_packages(platform, request.get("virtual_packages", {})),
        exclude_newer=request.get("exclude_newer", ""),
        provided=tuple(Dist(**item) for item in request.get("provided", ())),
        pinned=tuple(
            pypi_package(index.directory / name, f"https://pypi.example/files/{name}")
            for name in request.get("pinned", ())
        ),
    )
    if request.get("tampered"):
        for package in problem.pinned:
            name = package.filename
            make_wheel(index.directory, package.name, package.version, files={"other.py": "other = True\n"})
            assert hashlib.sha256((index.directory / name).read_bytes()).hexdigest() != package.sha256
    try:
        answer = pypi_engine(engine).solve(
            problem, mirrors=Mirrors.parse(f"https://pypi.example={index.root}"), cache=tmp_path / "cache"
        )
    except FatalError as error:
        _check_error(scenario, error)
        return
    _check_packages(scenario, answer)
    for package in answer:
        data = (index.directory / package.filename).read_bytes()
        assert package.sha256 == hashlib.sha256(data).hexdigest()
        assert package.url == f"https://pypi.example/files/{package.filename}"
    assert set(problem.pinned) <= set(answer)


def test_an_unknown_engine_is_refused_with_those_that_there_are():
    for find in (conda_engine, pypi_engine):
        with pytest.raises(FatalError, match="`poetry` is not an engine") as caught:
            find("poetry")
        assert "`" in caught.value.hint


def test_each_difference_is_of_an_engine_and_a_scenario_and_says_why():
    for (engine, name), (reason, fragments) in DIFFERENCES.items():
        assert engine in {**CONDA_ENGINES, **PYPI_ENGINES}
        assert name in {path.stem for path in SCENARIOS}
        assert reason
        assert fragments


@pytest.mark.parametrize("name", [*CONDA_ENGINES, *PYPI_ENGINES])
def test_every_engine_can_run_here(name: str):
    engine = (conda_engine if name in CONDA_ENGINES else pypi_engine)(name)
    assert engine.missing() is None
    assert engine.cannot(current_platform()) is None


def _read(path: Path, engine: str = "") -> dict[str, Any]:
    """A scenario, as an engine is to answer it."""
    scenario = toml.loads(path.read_text("utf-8"), path.name)
    different = DIFFERENCES.get((engine, path.stem))
    return scenario if different is None else {**scenario, "expect": {"error": list(different[1])}}


def _check_packages(scenario: Mapping[str, Any], answer: tuple[Package, ...]) -> None:
    expect = scenario["expect"]
    assert "packages" in expect, f"solved: {[str(item) for item in answer]}"
    assert [str(item) for item in answer] == expect["packages"]
    found = {item.name: item for item in answer}
    for name, channel in expect.get("from", {}).items():
        assert f"/{channel}/" in found[name].url
    assert {name: found[name].filename for name in expect.get("files", {})} == expect.get("files", {})
    assert {name: list(found[name].depends) for name in expect.get("depends", {})} == expect.get("depends", {})
    assert {name: found[name].sha256 for name in expect.get("hashes", {})} == expect.get("hashes", {})


def _check_error(scenario: Mapping[str, Any], error: FatalError) -> None:
    shown = f"{error.message}\n{error.detail}\n{error.hint}"
    assert "error" in scenario["expect"], shown
    assert [fragment for fragment in scenario["expect"]["error"] if fragment not in shown] == [], shown
    assert "\n" not in error.message
    assert not error.message.endswith(".")
    assert error.hint
    for private in (f"{tempfile.gettempdir()}/", "file://", "127.0.0.1"):
        assert private not in shown


def _conda(text: str, line: int) -> CondaRequirement:
    channel, sign, rest = text.rpartition("::")
    name, version, build = (*rest.split(), "", "")[:3]
    return CondaRequirement(
        name=name,
        version=version,
        build=build,
        channel=f"https://conda.example/{channel}" if sign else "",
        origin=Origin(file="spec.yml", line=line),
    )


def _pypi(text: str, line: int, *, constraint: bool = False) -> PypiRequirement:
    origin = Origin(file="constraints.txt" if constraint else "spec.txt", line=line)
    return PypiRequirement(name=Requirement(text).name, text=text, constraint=constraint, origin=origin)


def _record(item: Mapping[str, Any]) -> dict[str, Any]:
    """One record of a channel; every field that a scenario leaves out has a default."""
    record = {
        "build": "0",
        "build_number": 0,
        "depends": [],
        "subdir": "noarch",
        "license": "MIT",
        "size": 1000,
        **item,
    }
    name = _spelled(item)
    record["sha256"] = item.get("sha256", hashlib.sha256(name.encode()).hexdigest())
    record["md5"] = hashlib.md5(name.encode()).hexdigest()
    moment = item.get("timestamp", "2024-01-15T00:00:00Z")
    record["timestamp"] = (
        int(datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp() * 1000) if moment else ""
    )
    return {key: value for key, value in record.items() if value != ""}


def _spelled(item: Mapping[str, Any]) -> str:
    return f"{item['name']} {item['version']} {item.get('build', '0')}"


def _write_channel(directory: Path, items: list[dict[str, Any]]) -> str:
    records = [_record(item) for item in items]
    for subdir in {"noarch", *(record["subdir"] for record in records)}:
        entries = {_filename(record): record for record in records if record["subdir"] == subdir}
        document = {"info": {"subdir": subdir}, "packages": {}, "packages.conda": entries, "repodata_version": 1}
        (directory / subdir).mkdir(parents=True)
        (directory / subdir / "repodata.json").write_text(json.dumps(document), "utf-8")
    return directory.as_uri()


def _filename(record: Mapping[str, Any]) -> str:
    return f"{record['name']}-{record['version']}-{record['build']}.conda"


def _locked(channel: str, item: Mapping[str, Any]) -> Package:
    """What a lock of a base would hold of a record."""
    record = _record(item)
    return Package(
        manager="conda",
        name=record["name"],
        version=record["version"],
        build=record["build"],
        subdir=record["subdir"],
        url=f"https://conda.example/{channel}/{record['subdir']}/{_filename(record)}",
        sha256=record.get("sha256", ""),
        md5=record["md5"],
        depends=tuple(record["depends"]),
    )


def _publish(scenario: Mapping[str, Any], directory: Path) -> None:
    for kind, make in (("wheel", make_wheel), ("sdist", make_sdist)):
        for item in scenario.get(kind, ()):
            options = {key: value for key, value in item.items() if key not in {"name", "version"}}
            moment = options.pop("uploaded", None)
            uploaded = datetime.fromisoformat(moment.replace("Z", "+00:00")) if moment else OLD
            make(directory, item["name"], item["version"], uploaded=uploaded, **options)
