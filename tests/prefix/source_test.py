from __future__ import annotations

import sys
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from envtag.config import Directories
from envtag.errors import FatalError
from envtag.git.archive import archive_commit
from envtag.package import Package
from envtag.prefix.source import BuiltWheel, build_wheel
from envtag.util.canonical import sha256_file
from support.packages import pypi_package
from support.repository import GitRepo
from support.wheels import make_sdist, source_files

#: A backend that puts the variables of its build into the wheel.
_TELLING = """
import os as _os
_plain = build_wheel
def build_wheel(*arguments):
    names = ("SOURCE_DATE_EPOCH", "PYTHONHASHSEED", "SETUPTOOLS_SCM_PRETEND_VERSION",
             "SETUPTOOLS_SCM_PRETEND_VERSION_FOR_DELTA", "PYTHONPATH", "PIP_INDEX_URL")
    with open("wheel/told.txt", "w") as stream:
        stream.write("\\n".join(f"{name}={_os.environ.get(name)}" for name in names))
    return _plain(*arguments)
"""


@pytest.fixture
def directories(client: Any) -> Directories:
    found: Directories = client.config.directories
    return found


def telling(tag: str = "py3-none-any") -> dict[str, str]:
    return {"backend.py": source_files("delta", "1.0", tag=tag)["backend.py"].decode() + _TELLING}


def build(archive: Path, package: Package, work: Path, directories: Directories) -> BuiltWheel:
    return build_wheel(archive, package, work, Path(sys.executable), directories=directories)


def told(wheel: Path) -> dict[str, str]:
    with zipfile.ZipFile(wheel) as archive:
        return dict(line.split("=", 1) for line in archive.read("told.txt").decode().splitlines())


def commit_of(git: GitRepo, files: Mapping[str, bytes | str], archive: Path, subdirectory: str = "") -> Package:
    below = f"{subdirectory}/" if subdirectory else ""
    commit = git.commit({f"{below}{name}": data for name, data in files.items()})
    suffix = f"#subdirectory={subdirectory}" if subdirectory else ""
    url = f"git+{git.url}@{commit}{suffix}"
    package = Package(manager="pypi", name="delta", version="1.0", url=url, sha256="", timestamp=1733054400000)
    archive_commit(git.url, commit, archive, root=package.filename.removesuffix(".tar"))
    return package._replace(sha256=sha256_file(archive))


def test_a_build_depends_neither_on_the_clock_nor_on_settings(
    directories: Directories, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "7")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("RUST_LOG", "trace")
    sdist = make_sdist(tmp_path, "delta", "1.0", files=telling())
    built = build(sdist, pypi_package(sdist), tmp_path / "work", directories)
    assert built.backend == "backend"
    assert told(built.path) == {
        "SOURCE_DATE_EPOCH": "1580601600",
        "PYTHONHASHSEED": "0",
        "SETUPTOOLS_SCM_PRETEND_VERSION": "None",
        "SETUPTOOLS_SCM_PRETEND_VERSION_FOR_DELTA": "None",
        "PYTHONPATH": "None",
        "PIP_INDEX_URL": "None",
    }


@pytest.mark.parametrize("subdirectory", ["", "python/delta"])
def test_a_commit_is_built_from_its_archive_and_told_its_version(
    directories: Directories, tmp_path: Path, git_repo: Any, subdirectory: str
):
    archive = tmp_path / "a.tar"
    files = {**source_files("delta", "1.0"), **telling()}
    package = commit_of(git_repo("delta"), files, archive, subdirectory)
    built = build(archive, package, tmp_path / "work", directories)
    found = told(built.path)
    assert built.backend == "backend"
    assert found["SOURCE_DATE_EPOCH"] == "1733054400"
    assert found["SETUPTOOLS_SCM_PRETEND_VERSION"] == found["SETUPTOOLS_SCM_PRETEND_VERSION_FOR_DELTA"] == "1.0"


def test_a_subdirectory_that_is_not_there_is_refused(directories: Directories, tmp_path: Path, git_repo: Any):
    archive = tmp_path / "a.tar"
    git = git_repo("delta")
    package = commit_of(git, source_files("delta", "1.0"), archive, "python")
    archive_commit(git.url, git.git("rev-parse", "HEAD"), archive, root="delta-1.0@ruby")
    other = package._replace(url=package.url.replace("python", "ruby"))
    with pytest.raises(FatalError, match=r"delta 1\.0: its repository has no directory `ruby`"):
        build(archive, other, tmp_path / "work", directories)


def test_an_archive_that_reaches_outside_is_not_built(directories: Directories, tmp_path: Path):
    archive = tmp_path / "a.tar"
    with tarfile.open(archive, "w") as tar:
        tar.addfile(tarfile.TarInfo("../../out.txt"))
    package = Package(
        manager="pypi",
        name="delta",
        version="1.0",
        url=f"git+https://h.example/a@{'a' * 40}",
        sha256=sha256_file(archive),
    )
    with pytest.raises(FatalError, match="reaches outside of it"):
        build(archive, package, tmp_path / "work", directories)
    assert not (tmp_path / "out.txt").exists()


@pytest.mark.parametrize(
    ("pyproject", "backend"),
    [
        ("[project]\nname = 'delta'\n", " by `setuptools.build_meta:__legacy__`"),
        ("[build-system]\nbuild-backend = 7\nrequires = []\n", ""),
        ("build-system = 7\n", ""),
        ("not toml", ""),
    ],
)
def test_a_source_that_cannot_be_built_names_its_backend_where_it_has_one(
    directories: Directories, tmp_path: Path, pyproject: str, backend: str
):
    sdist = make_sdist(tmp_path, "delta", "1.0", files={"pyproject.toml": pyproject})
    with pytest.raises(FatalError) as caught:
        build(sdist, pypi_package(sdist), tmp_path / "work", directories)
    assert caught.value.message.startswith("delta 1.0 could not be built for ")
    assert caught.value.message.endswith(backend or "-64")
    assert caught.value.detail


def test_an_sdist_in_a_zip_is_built_as_well(directories: Directories, tmp_path: Path):
    path = tmp_path / "delta-1.0.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in source_files("delta", "1.0").items():
            archive.writestr(f"delta-1.0/{name}", data)
    package = Package(manager="pypi", name="delta", version="1.0", url=path.as_uri(), sha256=sha256_file(path))
    assert build(path, package, tmp_path / "work", directories).backend == "backend"


@pytest.mark.parametrize("suffix", ["zip", "tar"])
def test_a_source_without_a_pyproject_is_built_the_old_way(directories: Directories, tmp_path: Path, suffix: str):
    path = tmp_path / f"delta-1.0.{suffix}.gz" if suffix == "tar" else tmp_path / "delta-1.0.zip"
    if suffix == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("delta-1.0/readme", "x")
    else:
        with tarfile.open(path, "w:gz") as tar:
            tar.addfile(tarfile.TarInfo("delta-1.0/readme"))
    package = Package(manager="pypi", name="delta", version="1.0", url=path.as_uri(), sha256=sha256_file(path))
    with pytest.raises(FatalError, match=r"could not be built for .* by `setuptools\.build_meta:__legacy__`"):
        build(path, package, tmp_path / "work", directories)
