from __future__ import annotations

import json
from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.importing import open_source
from envtag.importing.prefix import read, recognizes
from support.foreign import CHOICE
from support.locks import NUMPY, PYTHON

SITE = "lib/python3.11/site-packages"


@pytest.fixture
def prefix(tmp_path) -> Path:
    path = tmp_path / "analysis"
    (path / "conda-meta").mkdir(parents=True)
    for package in (NUMPY, PYTHON):
        record = {
            "name": package.name, "version": package.version, "build": package.build, "url": package.url,
            "sha256": package.sha256, "md5": package.md5, "size": package.size, "license": package.license,
            "timestamp": package.timestamp, "depends": list(package.depends),
            "files": [f"{SITE}/{package.name}-{package.version}.dist-info/METADATA"],
        }  # fmt: skip
        (path / "conda-meta" / f"{package.name}.json").write_text(json.dumps(record))
    dist(path, "numpy", "1.26.4")
    return path


def dist(prefix: Path, name: str, version: str, direct: object = None, *needs: str) -> None:
    directory = prefix / SITE / f"{name}-{version}.dist-info"
    directory.mkdir(parents=True)
    lines = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {need}" for need in needs)]
    (directory / "METADATA").write_text("\n".join(lines) + "\n")
    if direct is not None:
        (directory / "direct_url.json").write_text(json.dumps(direct))


def entries(prefix: Path):
    return read(open_source(prefix), CHOICE).entries["linux-64"]


def test_conda_packages_are_those_of_conda_meta_and_dists_that_it_owns_are_not_there_twice(prefix):
    found = read(open_source(prefix), CHOICE)
    assert [entry.package for entry in found.entries["linux-64"]] == [NUMPY, PYTHON]
    assert found.channels == ("https://conda.anaconda.org/conda-forge",)
    assert found.python == ""
    assert found.entries["linux-64"][0].where == "analysis: conda-meta/numpy.json (`numpy`)"


def test_dists_of_pip_are_pins_urls_or_commits(prefix):
    dist(prefix, "Flask", "3.0.0", None, "click>=8", "colorama ; sys_platform == 'win32'", "x ; extra == 'y'")
    dist(
        prefix,
        "direct",
        "1.0",
        {
            "url": "https://files.example.org/direct-1.0-py3-none-any.whl",
            "archive_info": {"hash": "sha256=" + "a" * 64},
        },
    )
    dist(
        prefix,
        "gitty",
        "0.1",
        {
            "url": "https://host.example.org/gitty",
            "vcs_info": {"vcs": "git", "commit_id": "b" * 40},
            "subdirectory": "py",
        },
    )
    dist(
        prefix,
        "local",
        "2.0",
        {"url": "file:///tmp/local-2.0-py3-none-any.whl", "archive_info": {"hashes": {"sha256": "c" * 64}}},
    )
    flask, direct, gitty, local = entries(prefix)[2:]
    assert (flask.package.name, flask.package.url, flask.package.depends) == ("flask", "", ("click",))
    assert direct.direct
    assert direct.package.url == "https://files.example.org/direct-1.0-py3-none-any.whl"
    assert direct.package.sha256 == "a" * 64
    assert gitty.package.url == f"git+https://host.example.org/gitty@{'b' * 40}#subdirectory=py"
    assert (local.package.url, local.hashes) == ("", ("c" * 64,))


def test_what_others_cannot_fetch_is_refused_by_name(prefix):
    dist(prefix, "mine", "1.0", {"url": "file:///home/me/mine", "dir_info": {"editable": True}})
    with pytest.raises(FatalError, match=r"analysis: mine-1.0.dist-info: `mine` was installed from a directory"):
        entries(prefix)


def test_a_record_without_a_url_or_that_is_damaged_is_refused(prefix):
    path = prefix / "conda-meta" / "numpy.json"
    path.write_text('{"name": "numpy"}')
    with pytest.raises(FatalError, match=r"conda-meta/numpy.json \(`numpy`\): says no URL"):
        entries(prefix)
    path.write_text("{")
    with pytest.raises(FatalError, match=r"analysis: numpy.json cannot be read"):
        entries(prefix)


def test_a_venv_says_its_python_and_another_directory_is_refused(tmp_path):
    venv = tmp_path / "venv"
    venv.mkdir()
    with pytest.raises(FatalError, match=r"venv: has neither `conda-meta` nor `pyvenv.cfg`"):
        read(open_source(venv), CHOICE)
    (venv / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.12.4\n")
    dist(venv, "beta", "1.0")
    assert recognizes(open_source(venv))
    found = read(open_source(venv), CHOICE)
    assert found.python == "3.12"
    ((entry,),) = found.entries.values()
    assert entry.package.name == "beta"
