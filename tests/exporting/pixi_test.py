from __future__ import annotations

import pytest

from envtag.errors import FatalError
from envtag.exporting import Subject
from envtag.exporting.pixi import export
from envtag.importing.pixi import read
from support.foreign import CHOICE, source
from support.locks import FLASK, NUMPY, SAMPLE

PLAIN = FLASK._replace(timestamp=None, size=None, depends=())


def test_rattler_reads_every_package_with_its_hashes(tmp_path):
    from rattler import LockFile

    lock = SAMPLE._replace(packages=(*SAMPLE.packages[:2], PLAIN))
    path = tmp_path / "pixi.lock"
    path.write_text(export(Subject(name="a:v1", locks=(lock, lock._replace(platform="osx-arm64")))).text)
    environment = LockFile.from_path(path).default_environment()
    assert environment is not None
    assert sorted(platform.name for platform in environment.platforms()) == ["linux-64", "osx-arm64"]
    records = environment.conda_repodata_records()["linux-64"]
    assert {record.url: record.sha256.hex() for record in records} == {
        package.url: package.sha256 for package in lock.by_manager("conda")
    }
    (platform,) = [item for item in environment.platforms() if item.name == "linux-64"]
    (flask,) = environment.pypi_packages_for_platform(platform)
    assert (flask.name, flask.version, flask.hashes.sha256.hex()) == ("flask", "3.0.0", FLASK.sha256)


def test_what_is_read_again_is_the_same():
    lock = SAMPLE._replace(packages=(NUMPY, SAMPLE.packages[1], PLAIN))
    found = read(source("pixi.lock", export(Subject(name="a:v1", locks=(lock,))).text), CHOICE)
    assert tuple(entry.package for entry in found.entries["linux-64"]) == lock.packages
    assert found.channels == SAMPLE.channels


def test_a_commit_is_read_again_and_by_rattler_too(tmp_path):
    from rattler import LockFile

    url = f"git+https://host.example.org/gitty@{'a' * 40}#subdirectory=py"
    commit = PLAIN._replace(name="gitty", version="0.1", url=url, sha256="")
    lock = SAMPLE._replace(packages=(*SAMPLE.packages[:2], commit))
    text = export(Subject(name="a:v1", locks=(lock,))).text
    assert read(source("pixi.lock", text), CHOICE).entries["linux-64"][2].package == commit
    (tmp_path / "pixi.lock").write_text(text)
    environment = LockFile.from_path(tmp_path / "pixi.lock").default_environment()
    assert environment is not None
    (found,) = environment.pypi_packages_for_platform(environment.platforms()[0]) or []
    assert found.name == "gitty"


def test_an_environment_without_conda_is_refused():
    with pytest.raises(FatalError, match=r"has no conda packages, and pixi.lock holds no others"):
        export(Subject(name="a:v1", locks=(SAMPLE._replace(packages=(FLASK,)),)))
