from __future__ import annotations

from collections.abc import Callable

import pytest

from envtag.errors import FatalError
from envtag.git import Git
from envtag.publication import changed_environments
from envtag.registry import Registry
from support.repository import GitRepo

SETTINGS = "version: 1\nspec: [requirements.txt]\nplatforms: [linux-64]\n"


@pytest.fixture
def repo(git_repo: Callable[..., GitRepo]) -> GitRepo:
    repo = git_repo("registry")
    repo.commit({
        "pyproject.toml": "[tool.envtag]\n",
        **{f"envs/{name}/envtag.yml": SETTINGS for name in ("a", "a/b", "a/b/c", "d")},
    })  # fmt: skip
    return repo


def changed(repo: GitRepo, since: str) -> list[str]:
    with Git(repo.path) as git:
        return changed_environments(Registry(git, location=str(repo.path), worktree=repo.path), since)


def test_a_file_belongs_to_the_innermost_environment_around_it(repo: GitRepo):
    repo.commit({"envs/a/b/c/notes.md": "1", "envs/a/docs/deep/page.md": "1", "README.md": "1", "envs/stray": "1"})
    assert changed(repo, "HEAD~1") == ["a", "a/b/c"]


def test_nothing_changed_is_an_empty_list_and_what_was_undone_is_no_change(repo: GitRepo):
    start = repo.git("rev-parse", "HEAD")
    assert changed(repo, start) == []
    repo.commit({"envs/d/notes.md": "1"})
    repo.commit({"envs/d/notes.md": None})
    assert changed(repo, start) == []
    assert changed(repo, "HEAD~1") == ["d"]


def test_a_removed_environment_is_not_listed_and_a_renamed_file_changes_both(repo: GitRepo):
    repo.commit({"envs/d/é\n.md": "the same text\n" * 9})
    repo.git("mv", "envs/d/é\n.md", "envs/a/é\n.md")
    repo.commit()
    assert changed(repo, "HEAD~1") == ["a", "d"]
    repo.git("rm", "--quiet", "-r", "envs/d")
    repo.commit()
    assert changed(repo, "HEAD~1") == []


@pytest.mark.parametrize("revision", ["nothing", "0" * 40, "--output=x"])
def test_a_revision_that_is_not_here_is_named(repo: GitRepo, revision: str):
    with pytest.raises(FatalError) as caught:
        changed(repo, revision)
    assert caught.value.message == f"`{repo.path}` has no revision `{revision}`"
    assert "git fetch --unshallow" in caught.value.hint
