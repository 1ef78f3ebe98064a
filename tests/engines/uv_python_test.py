from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

import pytest

from envtag.engines.uv_python import find_python
from envtag.errors import FatalError

MINOR = "{}.{}".format(*sys.version_info[:2])
REAL = Path(sys.base_prefix, "bin", f"python{MINOR}")

pytestmark = pytest.mark.skipif(not REAL.is_file(), reason="this Python is not laid out as on POSIX")


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty PATH of one directory, and nothing that uv manages."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(tmp_path / "managed"))
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS", "never")
    return directory


def _link(directory: Path, name: str = "python3") -> None:
    (directory / name).symlink_to(REAL)


@pytest.mark.parametrize("constraint", [f"=={MINOR}.*", f"=={platform.python_version()}", ">=3.8", ""])
def test_a_python_on_path_is_found(constraint: str, path: Path, tmp_path: Path):
    _link(path)
    found = find_python(constraint, cache=tmp_path / "cache")
    assert (found.minor, found.version) == (MINOR, platform.python_version())
    assert found.path.is_absolute()
    assert os.access(found.path, os.X_OK)


def test_an_active_virtual_environment_does_not_count(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    _link(path)
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    monkeypatch.setenv("CONDA_PREFIX", sys.prefix)
    found = find_python(f"=={MINOR}.*", cache=tmp_path / "cache").path
    assert not found.is_relative_to(sys.prefix) or sys.prefix == sys.base_prefix


def test_a_broken_shim_is_passed_over(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shims = tmp_path / "shims"
    shims.mkdir()
    for name in ("python", "python3", f"python{MINOR}"):
        (shims / name).write_text("#!/bin/sh\necho 'pyenv: command not found' >&2\nexit 127\n")
        (shims / name).chmod(0o755)
    _link(path, f"python{MINOR}")
    monkeypatch.setenv("PATH", f"{shims}{os.pathsep}{path}")
    assert find_python(f"=={MINOR}.*", cache=tmp_path / "cache").version == platform.python_version()


def test_without_a_cache_nothing_is_kept(path: Path, tmp_path: Path):
    _link(path)
    find_python(f"=={MINOR}.*")
    assert not (tmp_path / "home" / ".cache" / "uv").exists()


def test_a_python_that_is_not_there_is_named(path: Path, tmp_path: Path):
    _link(path)
    with pytest.raises(FatalError, match=r"no Python that satisfies `==3\.99\.\*` is on this machine") as caught:
        find_python("==3.99.*", cache=tmp_path / "cache", download=False)
    assert caught.value.hint


def test_downloads_that_are_forbidden_end_in_an_error(path: Path, tmp_path: Path):
    with pytest.raises(FatalError, match=r"no Python that satisfies `==3\.9\.\*`") as caught:
        find_python("==3.9.*", cache=tmp_path / "cache")
    assert "uv downloads" in caught.value.hint


def test_the_python_that_envtag_runs_on_is_found_where_no_other_is(path: Path, tmp_path: Path):
    found = find_python(f"=={MINOR}.*", cache=tmp_path / "cache")
    assert found.version == platform.python_version()
    assert not found.path.is_relative_to(sys.prefix) or sys.prefix == sys.base_prefix
