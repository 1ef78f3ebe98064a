"""A registry to call the command line in, and a record of what it calls."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from support.repository import GitRepo

SETTINGS = "version: 1\nspec: [requirements.txt]\nplatforms: [linux-64]\n"
VERBS = {
    "init": "envtag.commands.init.init",
    "resolve": "envtag.commands.resolve.resolve",
    "lock": "envtag.commands.lock.lock",
    "publish": "envtag.commands.publish.publish",
    "alias": "envtag.commands.alias.alias",
    "show": "envtag.commands.show.show",
    "list": "envtag.commands.list.list_environments",
    "create": "envtag.commands.create.create",
    "run": "envtag.commands.run.run",
    "verify": "envtag.commands.verify.verify",
    "verify_prefix": "envtag.commands.verify.verify_prefix",
    "gc": "envtag.commands.gc.gc",
    "provide": "envtag.hydration.provide",
    "pack": "envtag.commands.pack.pack",
    "unpack": "envtag.commands.unpack.unpack",
}


@pytest.fixture(autouse=True)
def registry(tmp_path, monkeypatch) -> GitRepo:
    """A registry with `mlp/base` and `mlp/other` (without locks), which is the working directory."""
    repo = GitRepo.create(tmp_path / "registry")
    repo.commit({
        "pyproject.toml": "[tool.envtag]\n",
        "envs/mlp/base/envtag.yml": SETTINGS,
        "envs/mlp/other/envtag.yml": SETTINGS,
    })  # fmt: skip
    monkeypatch.chdir(repo.path)
    return repo


@pytest.fixture
def called(monkeypatch) -> dict[str, tuple[tuple[Any, ...], dict[str, Any]]]:
    """Each verb's arguments, once it was called; it answers 7."""
    calls: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {}
    for verb, target in VERBS.items():
        module, _, function = target.rpartition(".")

        def record(*args: Any, verb: str = verb, **options: Any) -> int:
            calls[verb] = (args, options)
            return 7

        monkeypatch.setattr(importlib.import_module(module), function, record)
    return calls
