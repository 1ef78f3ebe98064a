from __future__ import annotations

import pytest

from envtag.errors import FatalError
from envtag.git import Git
from envtag.git.trees import write_blob, write_commit, write_tree
from support.repository import GitRepo


@pytest.fixture
def repo(git_repo) -> GitRepo:
    repo: GitRepo = git_repo("work")
    repo.write({"run": "#!/bin/sh\n"})
    (repo.path / "run").chmod(0o755)
    repo.commit({"a/b/one": "1", "a/two": "2"})
    return repo


def test_files_are_added_replaced_and_removed_and_the_rest_stays(repo: GitRepo):
    with Git(repo.path) as git:
        new = write_blob(git, b"new")
        tree = write_tree(git, "HEAD^{tree}", {"a/b/one": None, "a/two": new, "c/d/three": new, "run": new})
        listed = git.run("ls-tree", "-r", tree).text().splitlines()
    assert [line.split()[0] + " " + line.split()[3] for line in listed] == [
        "100644 a/two", "100644 c/d/three", "100755 run",
    ]  # fmt: skip
    assert repo.git("status", "--porcelain") == ""


def test_a_file_takes_the_place_of_a_directory_and_the_other_way_round(repo: GitRepo):
    with Git(repo.path) as git:
        new = write_blob(git, b"new")
        tree = write_tree(git, "HEAD^{tree}", {"a/b": new, "run/now": new})
        assert git.run("ls-tree", "-r", "--name-only", tree).text().splitlines() == ["a/b", "a/two", "run/now"]
        assert write_tree(git, "", {"x/y": None}) == git.run("mktree", stdin=b"").text()


def test_a_commit_has_the_parents_that_it_is_given(repo: GitRepo):
    with Git(repo.path) as git:
        tree = write_tree(git, "", {"x": write_blob(git, b"1")})
        first = write_commit(git, tree, [], "first")
        second = write_commit(git, tree, [first], "second\n\nwith a body\n")
    assert repo.git("log", "--format=%s", second).splitlines() == ["second", "first"]
    assert repo.git("log", "-1", "--format=%b", second) == "with a body"


def test_who_has_no_name_is_told_how_to_say_it(repo: GitRepo, monkeypatch: pytest.MonkeyPatch):
    for name in ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"):
        monkeypatch.delenv(name, raising=False)
    repo.git("config", "user.useConfigOnly", "true")
    with Git(repo.path) as git, pytest.raises(FatalError, match="git cannot write a commit") as caught:
        write_commit(git, write_tree(git, "", {}), [], "x")
    assert "git config user.name" in caught.value.hint
