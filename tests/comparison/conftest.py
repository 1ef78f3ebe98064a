"""A registry in real git with a history worth comparing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from envtag.comparison import Operands
from envtag.config import Config, load
from envtag.git import Git
from envtag.registry import Registry
from support.diffs import environment_files
from support.repository import GitRepo


@pytest.fixture
def repo(git_repo: Callable[..., GitRepo]) -> GitRepo:
    """Two commits on `main`: `ml/base` and `ml/other`, then a newer `ml/base`."""
    found = git_repo("registry")
    found.commit(
        {
            "pyproject.toml": "[tool.envtag]\n",
            **environment_files("ml/base", "1.0", "1.0"),
            **environment_files("ml/other", "1"),
        }
    )
    found.commit(environment_files("ml/base", "2.0", "1.0"))
    return found


@pytest.fixture
def config(home: Path) -> Config:
    """A person's settings."""
    return load({"HOME": str(home)})


@pytest.fixture
def operands(repo: GitRepo, config: Config) -> Operands:
    """What reads words in the registry's top directory."""
    registry = Registry(Git(repo.path), location=str(repo.path), worktree=repo.path)
    yield Operands(open_registry=lambda: registry, config=config, environ={}, start=repo.path)
    registry.close()
