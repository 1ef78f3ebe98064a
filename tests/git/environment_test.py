from __future__ import annotations

from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.git.environment import common_directory, git_directory, git_environment, is_git_directory
from support.repository import GitRepo


def test_what_points_git_elsewhere_is_dropped_and_what_a_user_sets_is_kept():
    kept = {
        "PATH": "p", "GIT_AUTHOR_NAME": "a", "GIT_COMMITTER_DATE": "d", "GIT_SSH_COMMAND": "s", "GIT_SSH": "s",
        "GIT_ASKPASS": "x", "GIT_CONFIG_GLOBAL": "g", "GIT_CONFIG_NOSYSTEM": "1", "GIT_ALLOW_PROTOCOL": "file",
        "GIT_SSL_CAINFO": "c", "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "k", "GIT_CONFIG_VALUE_0": "v",
    }  # fmt: skip
    dropped = dict.fromkeys(
        ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES",
         "GIT_NAMESPACE", "GIT_COMMON_DIR", "GIT_CEILING_DIRECTORIES", "GIT_PREFIX", "GIT_TRACE", "GIT_CONFIG",
         "GIT_CONFIG_PARAMETERS", "GIT_QUARANTINE_PATH", "GIT_LITERAL_PATHSPECS"),
        "x",
    )  # fmt: skip
    made = git_environment({**kept, **dropped})
    assert {key: value for key, value in made.items() if key in {**kept, **dropped}} == kept
    assert (made["LC_ALL"], made["GIT_TERMINAL_PROMPT"]) == ("C", "0")


def test_settings_come_behind_those_of_the_user_and_the_ceiling_is_set():
    made = git_environment(
        {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "a.b", "GIT_CONFIG_VALUE_0": "c"},
        ceiling=Path("/up"), settings={"x.y": "z"},
    )  # fmt: skip
    assert made["GIT_CONFIG_COUNT"] == "2"
    assert (made["GIT_CONFIG_KEY_0"], made["GIT_CONFIG_KEY_1"], made["GIT_CONFIG_VALUE_1"]) == ("a.b", "x.y", "z")
    assert made["GIT_CEILING_DIRECTORIES"] == "/up"


def test_git_directories_are_found_without_git(tmp_path: Path):
    repo = GitRepo.create(tmp_path / "repo")
    repo.commit({"a": "1"})
    repo.git("worktree", "add", "-q", "../linked", "-b", "other")
    linked = git_directory(tmp_path / "linked")
    assert git_directory(repo.path) == repo.path / ".git"
    assert linked == repo.path / ".git" / "worktrees" / "linked"
    assert common_directory(linked) == repo.path / ".git"
    assert common_directory(repo.path / ".git") == repo.path / ".git"
    assert git_directory(tmp_path) is None


def test_a_relative_pointer_of_a_submodule_is_followed(tmp_path: Path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / ".git").write_text("gitdir: ../.git/modules/sub\n")
    assert git_directory(tmp_path / "sub") == tmp_path / ".git" / "modules" / "sub"
    (tmp_path / "sub" / ".git").write_text("nonsense")
    with pytest.raises(FatalError, match="does not name a git directory"):
        git_directory(tmp_path / "sub")


def test_a_bare_repository_is_a_git_directory(tmp_path: Path):
    bare = GitRepo.create(tmp_path / "bare.git", bare=True)
    assert is_git_directory(bare.path)
    assert not is_git_directory(tmp_path)
