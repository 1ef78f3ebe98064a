from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from envtag.engines.conda_program import choose, write_launcher
from envtag.errors import FatalError


def _executable(directory: Path, name: str) -> Path:
    directory.mkdir(exist_ok=True)
    path = directory / name
    path.write_text("#!/bin/sh\nexit 0\n")
    path.chmod(0o755)
    return path


def test_the_teams_conda_is_taken_before_envtags_own(tmp_path: Path):
    bin_directory = tmp_path / "bin"
    bin_directory.mkdir()
    variables = {"PATH": str(bin_directory)}
    assert choose("", tmp_path, variables).own
    _executable(bin_directory, "micromamba")
    assert choose("", tmp_path, variables).path == str(bin_directory / "micromamba")
    _executable(bin_directory, "conda")
    assert choose("", tmp_path, variables).path == str(bin_directory / "conda")
    assert choose("micromamba", tmp_path, variables).path == str(bin_directory / "micromamba")
    assert choose("envtag", tmp_path, variables).own
    named = _executable(tmp_path / "elsewhere", "mamba")
    assert choose(str(named), tmp_path, variables).path == str(named)


def test_a_named_one_that_is_not_there_is_an_error_that_names_it(tmp_path: Path):
    with pytest.raises(FatalError) as caught:
        choose("mamba", tmp_path, {"PATH": str(tmp_path)})
    assert "`mamba`" in caught.value.message
    assert "ENVTAG_CONDA" in caught.value.hint


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script on POSIX")
def test_the_launcher_starts_envtags_own_one(tmp_path: Path):
    done = subprocess.run([write_launcher(tmp_path), "info", "--json"], capture_output=True, check=True)
    assert b"conda_version" in done.stdout
