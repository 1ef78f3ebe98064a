from __future__ import annotations

from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.git import Git
from envtag.updating.branches import branch_of, propose
from support.repository import GitRepo

BRANCH = "envtag/update/mlp/x"
LOCK = "envs/mlp/x/linux-64-lock.yml"


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    repo = GitRepo.create(tmp_path / "repo")
    repo.commit({LOCK: "old\n", "envs/mlp/x/run.sh": "x\n", "other/file": "o\n"}, "first")
    return repo


def put(repo: GitRepo, text: str | None, base: str = "", path: str = LOCK) -> tuple[str, bool]:
    with Git(repo.path) as git:
        return propose(
            git,
            branch=BRANCH,
            name="mlp/x",
            base=base or repo.git("rev-parse", "HEAD"),
            files={path: text.encode() if text is not None else None},
            message="Update mlp/x",
            remote="origin",
        )


def test_a_branch_is_made_of_objects_and_nothing_else_is_touched(repo: GitRepo):
    head = repo.git("rev-parse", "HEAD")
    commit, is_new = put(repo, "new\n")
    assert is_new
    assert repo.git("rev-parse", f"refs/heads/{BRANCH}") == commit
    assert repo.git("diff", "--name-only", "HEAD", BRANCH) == LOCK
    assert repo.git("show", f"{BRANCH}:{LOCK}") == "new"
    assert repo.git("log", "-1", "--format=%P %(trailers:key=Envtag-Update,valueonly)", BRANCH).split() == [
        head,
        "mlp/x",
    ]
    assert (repo.git("status", "--porcelain"), repo.git("rev-parse", "HEAD")) == ("", head)


def test_the_same_again_makes_no_commit(repo: GitRepo):
    commit, _ = put(repo, "new\n")
    assert put(repo, "new\n") == (commit, False)


def test_a_branch_moves_forward_only_and_takes_the_base_along(repo: GitRepo):
    first, _ = put(repo, "new\n")
    second, _ = put(repo, "newer\n")
    assert repo.git("log", "-1", "--format=%P", BRANCH) == first
    base = repo.commit({"other/file": "p\n"}, "main goes on")
    third, _ = put(repo, "newer\n")
    assert repo.git("log", "-1", "--format=%P", BRANCH).split() == [second, base]
    assert repo.git("diff", "--name-only", "HEAD", BRANCH) == LOCK
    assert repo.git("rev-parse", BRANCH) == third


def test_what_others_put_on_it_is_not_overwritten(repo: GitRepo):
    put(repo, "new\n")
    repo.git("checkout", "--quiet", BRANCH)
    theirs = repo.commit({"other/file": "mine\n"}, "a person's")
    repo.git("checkout", "--quiet", "main")
    with pytest.raises(FatalError, match="has a commit that is not of an update"):
        put(repo, "newer\n")
    assert repo.git("rev-parse", BRANCH) == theirs


def test_a_branch_of_the_remote_goes_on_here(repo: GitRepo):
    commit, _ = put(repo, "new\n")
    repo.git("update-ref", f"refs/remotes/origin/{BRANCH}", commit)
    repo.git("update-ref", "-d", f"refs/heads/{BRANCH}")
    assert put(repo, "new\n") == (commit, False)
    assert repo.git("rev-parse", f"refs/heads/{BRANCH}") == commit
    repo.git("update-ref", "-d", f"refs/heads/{BRANCH}")
    put(repo, "newer\n")
    assert repo.git("log", "-1", "--format=%P", BRANCH) == commit


def test_a_branch_that_is_checked_out_or_in_the_way_is_told(repo: GitRepo):
    put(repo, "new\n")
    repo.git("checkout", "--quiet", BRANCH)
    base = repo.git("rev-parse", "main")
    with pytest.raises(FatalError, match="is checked out"):
        put(repo, "newer\n", base)
    repo.git("checkout", "--quiet", "main")
    repo.git("branch", "-D", BRANCH)
    repo.git("branch", "envtag/update/mlp")
    with pytest.raises(FatalError, match="cannot be moved"):
        put(repo, "new\n")
    with pytest.raises(FatalError, match="is not a directory of the commit"):
        put(repo, "new\n", path="envs/none/x")


def test_an_environment_above_others_has_a_branch_beside_theirs():
    names = ["mlp/a", "mlp/a/b", "mlp/ab"]
    assert [branch_of(name, names) for name in names] == [
        "envtag/update/mlp/a@latest",
        "envtag/update/mlp/a/b",
        "envtag/update/mlp/ab",
    ]


def test_a_file_can_go(repo: GitRepo):
    put(repo, None)
    assert repo.git("diff", "--name-status", "HEAD", BRANCH).split() == ["D", LOCK]
