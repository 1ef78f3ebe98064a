from __future__ import annotations

from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.git import Git
from envtag.merging.sides import SETTINGS, MergedRegistry, Sides, find_sides, merge_trees, open_git

PATH = "envs/a/linux-64-lock.yml"
BASE, OURS, THEIRS = (f"{name}\n".encode() for name in ("base", "ours", "theirs"))


@pytest.fixture
def repo(git_repo):
    """A repository with `base`, `theirs` and, checked out, `ours`: commits, of which each holds its name."""
    repo = git_repo()
    repo.commit({PATH: BASE, "spec": "1\n2\n3\n4\n5\n"})
    repo.git("branch", "base")
    repo.git("checkout", "--quiet", "-b", "theirs")
    repo.commit({PATH: THEIRS, "spec": "1\n2\n3\n4\n5\ntheirs\n"})
    repo.git("checkout", "--quiet", "-b", "ours", "base")
    repo.commit({PATH: OURS, "spec": "ours\n1\n2\n3\n4\n5\n"})
    return repo


@pytest.fixture
def git(repo):
    with Git(repo.path, settings=SETTINGS) as git:
        yield git


def commit(repo, name: str) -> str:
    return repo.git("rev-parse", name)


def test_a_merge_names_their_commit(git, repo):
    theirs = commit(repo, "theirs")
    found = find_sides(git, PATH, (BASE, OURS, THEIRS), {f"GITHEAD_{theirs}": "theirs"})
    assert found == Sides(base="", ours=commit(repo, "ours"), theirs=theirs)


def test_a_picked_commit_is_found_by_what_it_brought(git, repo):
    repo.git("checkout", "--quiet", "theirs")
    repo.commit({"other": "x"})  # has their lock too, and did not bring it
    repo.git("checkout", "--quiet", "ours")
    found = find_sides(git, PATH, (BASE, OURS, THEIRS), {})
    assert found == Sides(base=commit(repo, "base"), ours=commit(repo, "ours"), theirs=commit(repo, "theirs~1"))


def test_a_commit_that_no_branch_has_any_more_is_found(git, repo):
    theirs = commit(repo, "theirs")
    repo.git("checkout", "--quiet", "theirs")
    repo.git("checkout", "--quiet", "ours")
    repo.git("branch", "--quiet", "-D", "theirs")
    found = find_sides(git, PATH, (BASE, OURS, THEIRS), {})
    assert found is not None
    assert found.theirs == theirs


def test_a_lock_that_both_sides_add_has_an_empty_base(git, repo):
    path = "envs/b/linux-64-lock.yml"
    repo.commit({path: OURS})
    repo.git("checkout", "--quiet", "theirs")
    repo.commit({path: THEIRS})
    repo.git("checkout", "--quiet", "ours")
    found = find_sides(git, path, (b"", OURS, THEIRS), {})
    assert found is not None
    assert (found.base, found.theirs) == (commit(repo, "theirs~1"), commit(repo, "theirs"))


@pytest.mark.parametrize("versions", [(BASE, b"other\n", THEIRS), (BASE, OURS, b"other\n"), (b"other\n", OURS, THEIRS)])
def test_what_no_commit_holds_is_not_guessed(git, versions):
    assert find_sides(git, PATH, versions, {}) is None


def test_a_repository_without_a_commit_has_no_sides(git_repo):
    with Git(git_repo("empty").path) as git:
        assert find_sides(git, PATH, (BASE, OURS, THEIRS), {}) is None


@pytest.mark.parametrize("base", ["", "base"])
def test_trees_are_merged_on_the_side_and_conflicts_named(git, repo, base):
    before = repo.git("status", "--porcelain"), repo.git("for-each-ref"), commit(repo, "HEAD")
    sides = Sides(base=base and commit(repo, base), ours=commit(repo, "ours"), theirs=commit(repo, "theirs"))
    merged = merge_trees(git, sides)
    assert merged.conflicts == {PATH}
    assert git.read(merged.commit, "spec") == b"ours\n1\n2\n3\n4\n5\ntheirs\n"
    assert before == (repo.git("status", "--porcelain"), repo.git("for-each-ref"), commit(repo, "HEAD"))


def test_a_git_that_cannot_is_told(git, repo, tmp_path, monkeypatch):
    old = tmp_path / "git"
    old.write_text('#!/bin/sh\ncase "$*" in *merge-tree*) exit 129;; esac\nPATH="${PATH#*:}" exec git "$@"\n')
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    sides = Sides(base="", ours=commit(repo, "ours"), theirs=commit(repo, "theirs"))
    with pytest.raises(FatalError) as caught:
        merge_trees(git, sides)
    assert caught.value.hint == "git 2.38 and later can"


def test_a_merged_registry_is_read_from_its_commit_and_has_the_real_ones_remote(git, repo):
    merged = merge_trees(git, Sides(base="", ours=commit(repo, "ours"), theirs=commit(repo, "theirs"))).commit
    assert MergedRegistry(git, location="x", commit=merged).remote is None
    repo.git("remote", "add", "other", "https://h/other")
    repo.git("remote", "add", "origin", "https://h/origin")
    registry = MergedRegistry(git, location="x", commit=merged)
    assert (registry.head(), registry.remote) == (merged, "origin")
    repo.git("config", "envtag.remote", "other")
    assert MergedRegistry(git, location="x", commit=merged).remote == "other"


def test_the_repository_is_where_git_runs_the_driver(repo, tmp_path, monkeypatch):
    monkeypatch.chdir(repo.path)
    with open_git({}) as git:
        assert git.worktree == repo.path
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    with open_git({"GIT_DIR": str(repo.path / ".git")}) as git:
        assert git.worktree == Path.cwd()
        assert git.commit_of("HEAD") == commit(repo, "ours")
    with pytest.raises(FatalError) as caught:
        open_git({})
    assert caught.value.hint == "git runs this command itself, during a merge"
