from __future__ import annotations

import pytest

from envtag.comparison import LockFile, One, Operands, Tree
from envtag.errors import FatalError
from envtag.registry import open_registry
from support.diffs import environment_files


def test_nothing_is_the_merge_base_and_the_work_tree(repo, operands):
    fork = repo.git("rev-parse", "HEAD~1")
    repo.git("checkout", "-q", "-b", "feature", fork)
    repo.commit(environment_files("ml/new", "1.0"))
    older, newer, below = operands.pair("", "")
    assert (older.commit, newer.commit, below) == (fork, "", "")
    assert older.words == f"merge base with main at {fork[:12]}"
    assert newer.words == "the work tree"


def test_the_branch_of_the_remote_counts_before_the_local_one(repo, operands, git_repo):
    bare = git_repo("bare", bare=True)
    repo.git("remote", "add", "origin", bare.url)
    repo.git("push", "-q", "origin", "HEAD~1:refs/heads/main")
    repo.git("fetch", "-q", "origin")
    older, _, _ = operands.pair("", "")
    assert older.commit == repo.git("rev-parse", "HEAD~1")
    assert "origin/main" in older.words


def test_histories_without_a_common_commit_are_an_error_with_a_hint(repo, operands):
    repo.git("checkout", "-q", "--orphan", "alone")
    repo.commit({}, "alone")
    with pytest.raises(FatalError, match="no common commit") as caught:
        operands.pair("", "")
    assert "unshallow" in caught.value.hint


def test_one_word_is_compared_with_the_work_tree(operands, repo):
    older, newer, below = operands.pair("HEAD~1", "")
    assert (older.commit, newer.words, below) == (repo.git("rev-parse", "HEAD~1"), "the work tree", "")


@pytest.mark.parametrize("word", ["envs/ml/base", "ml/base", "envs/ml", "./envs/ml/base/"])
def test_a_place_in_the_work_tree_narrows_the_default_comparison(operands, word):
    older, newer, below = operands.pair(word, "")
    assert isinstance(older, Tree)
    assert isinstance(newer, Tree)
    assert below == ("ml" if word == "envs/ml" else "ml/base")


def test_a_revision_is_a_tree(operands, repo):
    found = operands.parse("main")
    assert isinstance(found, Tree)
    assert found.commit == repo.git("rev-parse", "main")
    assert found.words == f"main at {found.commit[:12]}"


def test_a_path_in_a_revision_is_an_environment_or_a_lock(operands):
    one = operands.parse("HEAD~1:envs/ml/base")
    assert isinstance(one, One)
    assert (one.environment.name, one.environment.platforms) == ("ml/base", ("linux-64",))
    assert one.environment.lock("linux-64").packages[0].version == "1.0"
    file = operands.parse("HEAD~1:envs/ml/base/linux-64-lock.yml")
    assert isinstance(file, LockFile)
    assert file.lock.packages[0].version == "1.0"


def test_paths_are_lock_files_environments_or_trees(operands, repo, tmp_path):
    assert isinstance(operands.parse("envs/ml/base/linux-64-lock.yml"), LockFile)
    assert operands.parse("envs/ml/base").environment.name == "ml/base"
    assert isinstance(operands.parse("."), Tree)
    repo.write({"../elsewhere/base/envtag.yml": (repo.path / "envs/ml/base/envtag.yml").read_text()})
    assert operands.parse(str(tmp_path / "elsewhere" / "base")).environment.name == "base"


def test_a_path_needs_no_registry(repo, config):
    def refuse():
        raise AssertionError

    found = Operands(open_registry=refuse, config=config, environ={}, start=repo.path)
    assert isinstance(found.pair("envs/ml/base", "envs/ml/other")[0], One)


def test_an_alias_is_an_environment_even_if_a_branch_has_its_name(operands, repo):
    repo.git("branch", "ml/base", "HEAD~1")
    assert isinstance(operands.parse("ml/base"), One)
    assert isinstance(operands.parse("refs/heads/ml/base"), Tree)
    assert isinstance(operands.parse("ml/base:latest"), One)


def test_a_branch_with_a_path_is_no_alias(operands):
    assert isinstance(operands.parse("main:envs/ml/base"), One)


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ("nonsense", "", "`nonsense` is no path, environment or revision here"),
        ("main:nothing", "main", "`main:nothing` is no environment"),
        ("envs/ml", "main", "`envs/ml` is no environment"),
        ("envs/ml/base/linux-64-lock.yml", "", "with what is the lock file"),
        ("envs/ml/base/envtag.yml", "main", "`metadata` is not a mapping"),
        ("a\nb", "main", "is no path, environment or revision here"),
        ("", "main", None),
    ],
)
def test_a_word_that_names_nothing_is_one_line(operands, first, second, says):
    if says is None:
        assert operands.pair(first, second)[2] == ""
        return
    with pytest.raises(FatalError) as caught:
        operands.pair(first, second)
    assert says in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint


def test_a_branch_of_a_registry_that_is_elsewhere_is_fetched(repo, cold_client):
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.git("checkout", "-q", "-b", "team/change")
    repo.commit(environment_files("ml/base", "3.0", "1.0"))
    repo.git("checkout", "-q", "main")
    repo.git("branch", "x", "HEAD~1")
    with open_registry(repo.url, repo.path, cold_client.config) as registry:
        operands = Operands(
            open_registry=lambda: registry, config=cold_client.config, environ={}, start=repo.path / "envs"
        )
        older, newer, _ = operands.pair("", "")
        assert older.commit == newer.commit == repo.git("rev-parse", "main")
        found = operands.parse("team/change")
        assert found.commit == repo.git("rev-parse", "team/change")
        assert operands.parse("x").commit == repo.git("rev-parse", "x")
        assert found.environment("ml/base").lock("linux-64").packages[0].version == "3.0"
        with pytest.raises(FatalError, match="is no path, environment or revision"):
            operands.parse("team/nothing")
        with pytest.raises(FatalError, match="is no path, environment or revision"):
            operands.parse("a..b")


def test_a_directory_in_no_registry_is_compared_as_it_is(repo, config):
    def refuse():
        raise FatalError("no registry here")

    operands = Operands(open_registry=refuse, config=config, environ={}, start=repo.path)
    with pytest.raises(FatalError, match="no registry here"):
        operands.pair("envs/ml/base", "")


def test_a_pathspec_names_nothing_here(operands):
    with pytest.raises(FatalError, match="is no path, environment or revision here"):
        operands.parse("step:Flow/1/start")


def test_a_lock_file_that_cannot_be_read_is_an_error(operands, repo, monkeypatch):
    def broken(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", broken)
    with pytest.raises(FatalError, match="cannot be read: Permission denied"):
        operands.parse("envs/ml/base/linux-64-lock.yml")
