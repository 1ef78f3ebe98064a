from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from envtag import config
from envtag.errors import FatalError
from envtag.registry.find import find_registry, is_registry, open_registry
from support.repository import GitRepo

if TYPE_CHECKING:
    from conftest import Sample


def test_a_registry_is_found_from_below_without_a_process(sample: Sample, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    root = sample.repo.path
    for start in (root, root / "envs", root / "envs" / "mlp" / "base", root / "not" / "there"):
        assert find_registry(start) == root
        with open_registry("", start, config.load()) as registry:
            assert registry.worktree == root
            assert registry.names() == ["mlp/base"]


def test_the_nearest_registry_counts_and_other_projects_are_passed(sample: Sample):
    root = sample.repo.path
    inner = root / "examples" / "inner"
    (inner / "envs").mkdir(parents=True)
    assert find_registry(inner) == root
    (inner / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert find_registry(inner) == root
    (inner / "pyproject.toml").write_text("[tool.envtag]\n")
    assert find_registry(inner) == inner


def test_what_is_no_registry(tmp_path: Path):
    assert not is_registry(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.envtag]\n")
    assert not is_registry(tmp_path)
    assert find_registry(tmp_path) is None


def test_a_project_file_beside_envs_that_is_not_toml_is_an_error(tmp_path: Path):
    (tmp_path / "envs").mkdir()
    (tmp_path / "pyproject.toml").write_text("[tool.envtag")
    with pytest.raises(FatalError, match=r"pyproject.toml: not TOML"):
        find_registry(tmp_path)


def test_without_a_registry_one_is_told_how_to_make_or_name_one(tmp_path: Path):
    with pytest.raises(FatalError, match=f"`{tmp_path}` is in no registry") as caught:
        open_registry("", tmp_path, config.load())
    assert "envtag init" in caught.value.hint
    assert "ENVTAG_REGISTRY" in caught.value.hint


def test_a_registry_that_is_not_in_git_is_told_how(tmp_path: Path):
    (tmp_path / "envs").mkdir()
    (tmp_path / "pyproject.toml").write_text("[tool.envtag]\n")
    with pytest.raises(FatalError, match="not in git") as caught:
        open_registry("", tmp_path, config.load())
    assert caught.value.hint == f"`git init {tmp_path}`"


def test_what_is_named_wins_over_where_one_is(sample: Sample, tmp_path: Path):
    other = GitRepo.create(tmp_path / "other")
    other.commit({"pyproject.toml": "[tool.envtag]\n", "envs/.gitkeep": ""})
    settings = config.load()._replace(registry=str(other.path))
    with open_registry("", sample.repo.path, settings) as registry:
        assert registry.location == str(other.path)
    with open_registry(str(sample.repo.path), tmp_path, settings) as registry:
        assert registry.location == str(sample.repo.path)


def test_a_path_is_relative_to_where_one_is(sample: Sample, tmp_path: Path, home: Path):
    with open_registry("../registry", tmp_path / "registry", config.load()) as registry:
        assert registry.worktree is not None
        assert registry.worktree.resolve() == sample.repo.path
        assert registry.names() == ["mlp/base"]
    (home / "envs").symlink_to(sample.repo.path)
    with open_registry("~/envs", tmp_path, config.load()) as registry:
        assert registry.names() == ["mlp/base"]


def test_a_bare_repository_is_read_in_place(sample: Sample, tmp_path: Path):
    with open_registry("bare.git", tmp_path, config.load()) as registry:
        assert (registry.worktree, registry.remote) == (None, None)
        assert registry.location == str(tmp_path / "bare.git")
    assert not config.load().directories.registries.exists()


def test_a_url_is_cloned_into_the_cache(sample: Sample, tmp_path: Path):
    with open_registry(sample.bare.url, tmp_path, config.load()) as registry:
        assert (registry.worktree, registry.remote, registry.location) == (None, "origin", sample.bare.url)
        assert registry.git.directory.parent == config.load().directories.registries


def test_the_location_of_a_url_shows_no_credentials(tmp_path: Path):
    with open_registry("https://me:hunter2@host.invalid/envs.git", tmp_path, config.load()) as registry:
        assert registry.location == "https://host.invalid/envs.git"
        assert registry.identity == "host.invalid/envs"


def test_a_link_named_like_a_url_is_a_path(sample: Sample, tmp_path: Path):
    (tmp_path / "host:envs").symlink_to(sample.repo.path)
    with open_registry("host:envs", tmp_path, config.load()) as registry:
        assert registry.worktree is not None


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("plain", "is a repository, but no registry"),
        ("none", "neither a git repository nor a URL"),
        ("file.txt", "neither a git repository nor a URL"),
        ("registry/envs", "neither a git repository nor a URL"),
    ],
)
def test_what_cannot_be_opened_says_why(sample: Sample, tmp_path: Path, where: str, said: str):
    GitRepo.create(tmp_path / "plain")
    (tmp_path / "file.txt").write_text("x")
    with pytest.raises(FatalError, match=said) as caught:
        open_registry(where, tmp_path, config.load())
    assert caught.value.hint


def test_variables_of_a_hook_do_not_change_which_registry_it_is(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    other = GitRepo.create(tmp_path / "other")
    other.commit({"a": "1"})
    monkeypatch.setenv("GIT_DIR", os.fspath(other.path / ".git"))
    with open_registry("", sample.repo.path, config.load()) as registry:
        assert registry.head() == registry.git.commit_of("main")
        assert registry.environment("mlp/base", "main").platforms == ("linux-64",)
