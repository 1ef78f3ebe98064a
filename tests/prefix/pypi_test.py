from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from envtag.config import Directories
from envtag.errors import FatalError
from envtag.output import Output
from envtag.prefix import layout, pypi
from support.packages import pypi_package
from support.wheels import make_sdist, make_wheel


@pytest.fixture
def directories(client: Any) -> Directories:
    found: Directories = client.config.directories
    return found


@pytest.fixture
def prefix(directories: Directories, tmp_path: Path, running_python: str) -> Path:
    made = tmp_path / "prefix"
    pypi.create_venv(made, running_python, directories=directories, offline=True)
    return made


def install(paths: Sequence[Path], prefix: Path, minor: str, directories: Directories, *, offline: bool = True) -> None:
    packages = [pypi_package(path) for path in paths]
    archives = {package.sha256: path for package, path in zip(packages, paths, strict=True)}
    pypi.install(packages, archives, prefix, minor, directories=directories, offline=offline, output=Output())


def python(prefix: Path, code: str) -> str:
    argv = [str(layout.python(prefix, venv=True)), "-c", code]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


def test_a_venv_says_which_python_it_has(directories: Directories, tmp_path: Path, running_python: str):
    exact = pypi.create_venv(tmp_path / "prefix", running_python, directories=directories, offline=True)
    assert exact.startswith(f"{running_python}.")
    assert python(tmp_path / "prefix", "import platform; print(platform.python_version())") == exact


def test_a_python_that_is_nowhere_is_an_error_that_names_it(directories: Directories, tmp_path: Path):
    with pytest.raises(FatalError, match=r"no Python that satisfies `==3\.99\.\*` is on this machine") as caught:
        pypi.create_venv(tmp_path / "prefix", "3.99", directories=directories, offline=True)
    assert "--offline" in caught.value.hint


def test_nothing_to_install_is_nothing_done(directories: Directories, tmp_path: Path):
    install([], tmp_path, "3.11", directories)
    assert list(tmp_path.rglob("site-packages")) == []


def test_settings_of_the_user_change_nothing(
    prefix: Path,
    directories: Directories,
    tmp_path: Path,
    running_python: str,
    monkeypatch: pytest.MonkeyPatch,
):
    for name, value in {
        "UV_INDEX_URL": "http://127.0.0.1:9/simple",
        "UV_CACHE_DIR": "/nowhere",
        "UV_LINK_MODE": "nonsense",
        "UV_PYTHON": "nonsense",
        "PIP_REQUIRE_VIRTUALENV": "nonsense",
        "VIRTUAL_ENV": "/nowhere",
        "CONDA_PREFIX": "/nowhere",
        "PYTHONHOME": "/nowhere",
    }.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "uv.toml").write_text('link-mode = "nonsense"\n')
    monkeypatch.chdir(tmp_path)
    install([make_wheel(tmp_path / "wheels", "omicron", "1.0")], prefix, running_python, directories)
    monkeypatch.delenv("PYTHONHOME")
    assert python(prefix, "import omicron; print(omicron.__version__)") == "1.0"


def test_a_wheel_for_another_python_is_refused(
    prefix: Path, directories: Directories, tmp_path: Path, running_python: str
):
    wheel = make_wheel(tmp_path / "wheels", "omicron", "1.0", tag="cp27-cp27m-manylinux1_x86_64")
    with pytest.raises(FatalError, match="could not be installed") as caught:
        install([wheel], prefix, running_python, directories)
    assert "omicron" in caught.value.detail


def test_a_wheel_under_a_stores_name_is_installed_and_cached_by_its_own(
    prefix: Path, directories: Directories, tmp_path: Path, running_python: str
):
    wheel = make_wheel(tmp_path / "wheels", "omicron", "1.0")
    package = pypi_package(wheel)
    for number in (1, 2):
        stored = tmp_path / f"store{number}" / f"{package.sha256}.whl"
        stored.parent.mkdir()
        shutil.copyfile(wheel, stored)
        pypi.install(
            [package],
            {package.sha256: stored},
            prefix,
            running_python,
            directories=directories,
            offline=True,
            output=Output(),
        )
        assert python(prefix, "import omicron; print(omicron.__version__)") == "1.0"
        shutil.rmtree(stored.parent)


@pytest.mark.skipif(os.name == "nt", reason="without the right to make links, copies are made")
def test_where_links_cannot_be_made_a_copy_serves(
    prefix: Path, directories: Directories, tmp_path: Path, running_python: str, monkeypatch: pytest.MonkeyPatch
):
    wheel = make_wheel(tmp_path / "wheels", "omicron", "1.0")

    def refuse(*_: Any) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "symlink_to", refuse)
    install([wheel], prefix, running_python, directories)
    (named,) = (directories.archives / "named").rglob("*.whl")
    assert not named.is_symlink()
    named.write_bytes(b"damaged")
    install([wheel], prefix, running_python, directories)
    assert named.read_bytes() == wheel.read_bytes()


def test_an_sdist_is_built_for_the_prefixs_python(
    prefix: Path, directories: Directories, tmp_path: Path, running_python: str
):
    sdist = make_sdist(tmp_path / "sdists", "delta", "1.0")
    with pytest.raises(FatalError, match=r"delta 1.0 is locked as a source distribution"):
        install([sdist], prefix, running_python, directories)
    install([sdist], prefix, running_python, directories, offline=False)
    assert python(prefix, "import delta; print(delta.__version__)") == "1.0"
    assert list(prefix.rglob("direct_url.json")) == []


def test_an_sdist_that_cannot_be_built_is_an_error_that_names_it(
    prefix: Path, directories: Directories, tmp_path: Path, running_python: str
):
    broken = tmp_path / "delta-1.0.tar.gz"
    broken.write_bytes(b"not an archive")
    with pytest.raises(FatalError, match=r"delta 1.0 could not be built"):
        install([broken], prefix, running_python, directories, offline=False)
