"""Git as a person has it who merges: with the drivers within reach."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support.branches import Branches, one
from support.story import Story


@pytest.fixture
def envtag_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with the program `envtag`, first on PATH: what git's drivers call."""
    scripts = tmp_path / "bin"
    scripts.mkdir()
    command = scripts / "envtag"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m envtag "$@"\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{scripts}{os.pathsep}{os.environ['PATH']}")
    return command


@pytest.fixture
def make_branches(
    make_story: Callable[..., Story], envtag_on_path: Path
) -> Callable[[Callable[[Story], None] | None], Branches]:
    """Make a registry in some state, whose git calls the drivers."""
    assert envtag_on_path.is_file()
    return lambda state=None: Branches(make_story(state))


@pytest.fixture
def branches(make_branches: Callable[..., Branches]) -> Branches:
    """A registry with `mlp/base`."""
    return make_branches(one)
