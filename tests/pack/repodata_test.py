from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from envtag.errors import FatalError
from envtag.pack.repodata import repodata
from support.packages import conda_package
from support.packs import conda_archive, sample


def records(subdir: str, *made: Any) -> dict[str, Any]:
    packages = {package.filename: package for package, _ in made}
    document = json.loads(repodata(subdir, packages, {package.sha256: path for package, path in made}))
    assert document["info"] == {"subdir": subdir}
    return {**document["packages"], **document["packages.conda"]}


def test_a_record_has_everything_that_a_solver_and_an_installer_want(tmp_path: Path):
    made = conda_archive(
        tmp_path, "tool", "linux-64", depends=["datum >=1"], constrains=["other >=3"], arch="x86_64", platform="linux",
        track_features="slow", license_family="MIT",
    )  # fmt: skip
    package, path = made
    assert records("linux-64", made) == {
        "tool-1.0-h123_0.tar.bz2": {
            "name": "tool", "version": "1.0", "build": "h123_0", "build_number": 0, "subdir": "linux-64",
            "arch": "x86_64", "platform": "linux", "depends": ["datum >=1"], "constrains": ["other >=3"],
            "track_features": "slow", "license": "MIT", "license_family": "MIT", "timestamp": 1705276800000,
            "sha256": package.sha256, "md5": package.md5, "size": path.stat().st_size,
        }
    }  # fmt: skip


def test_packages_are_in_their_own_subdirectory_and_kind(tmp_path: Path, conda_channel: Path):
    noarch = conda_archive(tmp_path, "datum", "noarch", noarch="generic")
    newer = conda_package(conda_channel, "alpha", extension="conda")
    made = [noarch, (newer, conda_channel / newer.subdir / newer.filename), conda_archive(tmp_path, "tool", "win-64")]
    packages = {package.filename: package for package, _ in made}
    document = json.loads(repodata("noarch", packages, {package.sha256: path for package, path in made}))
    assert list(document["packages"]) == ["datum-1.0-h123_0.tar.bz2"]
    assert list(document["packages.conda"]) == [newer.filename]
    assert document["packages"]["datum-1.0-h123_0.tar.bz2"]["noarch"] == "generic"
    assert document["packages.conda"][newer.filename]["noarch"] == "python"
    assert records("osx-64", *made) == {}


def test_dependencies_are_those_that_the_channel_corrected(tmp_path: Path):
    made = conda_archive(tmp_path, "tool", "linux-64", depends=["datum <1"], locked_depends=["datum >=1"])
    assert records("linux-64", made)["tool-1.0-h123_0.tar.bz2"]["depends"] == ["datum >=1"]


def test_a_constraint_that_the_lock_does_not_fulfil_was_taken_back_by_the_channel(tmp_path: Path):
    tool = conda_archive(tmp_path, "tool", "linux-64", constrains=["datum >=2", "datum <3", "absent >=1", "Datum >9"])
    datum = conda_archive(tmp_path, "datum", "noarch", noarch="generic")
    found = records("linux-64", tool, datum)["tool-1.0-h123_0.tar.bz2"]
    assert found["constrains"] == ["datum <3", "absent >=1"]


def test_an_archive_of_another_package_is_refused(tmp_path: Path):
    package, path = conda_archive(tmp_path, "tool", "linux-64")
    with pytest.raises(FatalError, match=r"its archive says that it is tool 1\.0 h123_0"):
        records("linux-64", (package._replace(build="h999_0"), path))


def test_an_archive_without_metadata_is_refused(tmp_path: Path):
    package, path = conda_archive(tmp_path, "tool", "linux-64")
    path.write_bytes(b"no archive")
    with pytest.raises(FatalError, match=r"tool 1.0 h123_0: its archive has no readable `info/index.json`"):
        records("linux-64", (package, path))


def test_the_bytes_do_not_depend_on_the_order(tmp_path: Path):
    found = sample(tmp_path, "linux-64").manifest.archives()
    archives = sample(tmp_path, "linux-64").archives
    packages = {package.filename: package for package in found if package.manager == "conda"}
    again = dict(reversed(packages.items()))
    assert repodata("noarch", packages, archives) == repodata("noarch", again, archives)
