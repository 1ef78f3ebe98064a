from __future__ import annotations

from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.git import Git
from envtag.git.local import LocalGit
from support.repository import GitRepo


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    repo = GitRepo.create(tmp_path / "repo")
    repo.commit({"envs/a/envtag.yml": "1", "envs/a/b/envtag.yml": "2", "top": "3", "envs/ü": "4"}, "first")
    repo.commit({"envs/a/envtag.yml": "5"}, "second | ünï")
    return repo


def test_making_one_starts_no_process(repo: GitRepo, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    with LocalGit(repo.path) as git:
        assert git.directory == repo.path / ".git"
        assert git.common_directory == repo.path / ".git"
        assert git.worktree == repo.path


@pytest.mark.parametrize("part", ["", "top", "absent"])
def test_what_is_no_repository_is_refused(tmp_path: Path, part: str):
    (tmp_path / "top").write_text("x")
    with pytest.raises(FatalError, match="is not a git repository"):
        LocalGit(tmp_path / part)


def test_a_subdirectory_is_no_repository(repo: GitRepo):
    with pytest.raises(FatalError, match="is not a git repository"):
        LocalGit(repo.path / "envs")


def test_files_are_read_at_any_revision(repo: GitRepo):
    with LocalGit(repo.path) as git:
        assert git.read("HEAD", "envs/a/envtag.yml") == b"5"
        assert git.read("HEAD~1", "envs/a/envtag.yml") == b"1"
        assert git.read("main", "envs/ü") == b"4"
        assert git.read("HEAD", "envs/a") is None
        assert git.read("HEAD", "envs/none") is None
        assert git.read("nothing", "top") is None
        assert git.commit_of("main") == repo.git("rev-parse", "HEAD")
        assert git.commit_of("HEAD:top") is None
        assert git.commit_of("nothing") is None


def test_a_repository_without_a_commit_has_nothing_to_read(tmp_path: Path):
    with LocalGit(GitRepo.create(tmp_path / "new").path) as git:
        assert git.read("HEAD", "a") is None
        assert git.commit_of("HEAD") is None
        assert git.log("a") == []


def test_a_bare_repository_and_a_git_directory_are_read_too(repo: GitRepo, tmp_path: Path):
    repo.git("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
    for directory, worktree in ((tmp_path / "bare.git", None), (repo.path / ".git", repo.path)):
        with LocalGit(directory, worktree=worktree) as git:
            assert git.read("HEAD", "envs/a/envtag.yml") == b"5"
            assert git.worktree == worktree


def test_variables_of_a_hook_do_not_lead_elsewhere(repo: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    other = GitRepo.create(tmp_path / "other")
    other.commit({"top": "other"})
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.path))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.path / ".git" / "index"))
    with LocalGit(repo.path) as git:
        assert git.read("HEAD", "top") == b"3"
        assert git.run("rev-parse", "--show-toplevel").text() == str(repo.path)
        assert not git.changed(".")


def test_a_broken_git_directory_does_not_lead_to_the_repository_around_it(repo: GitRepo):
    (repo.path / "inner" / ".git").mkdir(parents=True)
    with LocalGit(repo.path / "inner") as git, pytest.raises(FatalError):
        git.commit_of("HEAD")


def test_content_that_is_missing_is_an_error_and_no_absence(repo: GitRepo):
    sha = repo.git("rev-parse", "HEAD:top")
    (repo.path / ".git" / "objects" / sha[:2] / sha[2:]).unlink()
    with LocalGit(repo.path) as git, pytest.raises(FatalError, match=r"the content of `top` at .* is missing"):
        git.read("HEAD", "top")


def test_directories_are_listed(repo: GitRepo):
    with LocalGit(repo.path) as git:
        assert git.list_tree("HEAD", "envs") == ["envs/a/b/envtag.yml", "envs/a/envtag.yml", "envs/ü"]
        assert git.list_tree("HEAD", "envs/a/", recursive=False) == ["envs/a/b", "envs/a/envtag.yml"]
        assert git.list_tree("HEAD", recursive=False) == ["envs", "top"]
        assert git.list_tree("HEAD", "none") == []
        assert git.entries("HEAD", "envs") == ["a", "ü"]
        assert git.entries("HEAD", "envs/a/") == ["b", "envtag.yml"]
        assert git.entries("HEAD", "top") == git.entries("HEAD", "none") == git.entries("nothing", "envs") == []
        with pytest.raises(FatalError, match="no revision `nothing`"):
            git.list_tree("nothing")


def test_changes_below_a_path_are_seen_whatever_their_kind(repo: GitRepo):
    with LocalGit(repo.path) as git:
        assert not git.changed("envs/a")
        repo.write({"envs/c/new": "x"})
        assert git.changed("envs/c")
        assert git.changed("envs")
        assert not git.changed("envs/a")
        repo.write({"envs/a/envtag.yml": None})
        assert git.changed("envs/a")
        repo.git("checkout", "-q", "envs/a")
        repo.write({"envs/a/envtag.yml": "staged"})
        repo.git("add", "envs/a")
        assert git.changed("envs/a")


def test_a_pattern_is_only_a_name(repo: GitRepo):
    repo.write({"envs/a/envtag.yml": "x"})
    with LocalGit(repo.path) as git:
        assert not git.changed("envs/*")
        assert git.log("envs/*") == []


def test_the_history_of_a_path(repo: GitRepo):
    with LocalGit(repo.path) as git:
        found = git.log("envs/a", "HEAD", 0)
        assert [item.subject for item in found] == ["second | ünï", "first"]
        assert found[0].sha == repo.git("rev-parse", "HEAD")
        assert (found[0].author, found[0].date) == ("A Tester <tester@example.org>", "2024-12-01T12:00:00Z")
        assert [item.subject for item in git.log("envs/a", limit=1)] == ["second | ünï"]
        assert [item.subject for item in git.log("top")] == ["first"]
        assert git.log("top", "nothing") == []


def test_ancestors(repo: GitRepo):
    first, second = repo.git("rev-parse", "HEAD~1"), repo.git("rev-parse", "HEAD")
    with LocalGit(repo.path) as git:
        assert git.is_ancestor(first, second)
        assert git.is_ancestor(second, second)
        assert not git.is_ancestor(second, first)
        assert not git.is_ancestor("0" * 40, second)
        assert not git.is_ancestor(first, "f" * 40)


def test_a_text_is_found_in_files_of_a_pattern(repo: GitRepo):
    repo.write({"envs/n/tags.yml": "id: x.z\n", "envs/n/other.yml": "x.z\n"})
    with LocalGit(repo.path) as git:
        assert git.grep("x.z", ("envs/*/tags.yml",)) == ["envs/n/tags.yml"]
        assert git.grep("x.z", ("envs/*/tags.yml",), "HEAD") == []
        repo.commit(message="third")
        assert git.grep("x.z", ("envs/*/tags.yml",), "HEAD") == ["envs/n/tags.yml"]
        assert git.grep("xyz", ("envs/*/tags.yml",)) == []
        with pytest.raises(FatalError, match="cannot search"):
            git.grep("x.z", ("envs",), "nothing")


def test_tags_are_read_and_only_annotated_ones_count(repo: GitRepo):
    repo.git("tag", "-a", "-m", "subject\n\nbody", "a@v1")
    repo.git("tag", "a@light")
    repo.git("tag", "-a", "-m", "x", "a@tree", "HEAD^{tree}")
    with LocalGit(repo.path) as git:
        found = git.tag("refs/tags/a@v1")
        assert found is not None
        assert (found.name, found.commit) == ("a@v1", repo.git("rev-parse", "HEAD"))
        assert found.sha == repo.git("rev-parse", "refs/tags/a@v1")
        assert found.message == "subject\n\nbody\n"
        assert git.tag("refs/tags/a@v2") is None
        with pytest.raises(FatalError, match="`refs/tags/a@light` is not an annotated tag"):
            git.tag("refs/tags/a@light")
        with pytest.raises(FatalError, match="is on a tree"):
            git.tag("refs/tags/a@tree")


def test_a_failed_command_shows_what_it_was_and_what_git_said_without_secrets(repo: GitRepo):
    git = LocalGit(repo.path, secrets=("hunter2",), settings={"alias.echo": "!echo hunter2 >&2; exit 3"})
    with pytest.raises(FatalError, match="no way") as caught:
        git.run("echo", check="no way")
    assert "exit code: 3" in caught.value.detail
    assert "***" in caught.value.detail
    assert "hunter2" not in caught.value.detail


def test_configuration_is_read_by_pattern(repo: GitRepo):
    repo.git("config", "envtag.remote", "up\nstream")
    with Git(repo.path) as git:
        assert git.configured(r"^envtag\.") == {"envtag.remote": "up\nstream"}
        assert git.configured(r"^nothing\.") == {}


def test_a_commit_says_who_wrote_it_and_when_also_if_it_is_a_merge(repo: GitRepo):
    repo.git("checkout", "--quiet", "-b", "side", "HEAD~1")
    repo.commit({"side": "1"}, "side")
    repo.git("checkout", "--quiet", "main")
    repo.git("merge", "--quiet", "--no-ff", "--strategy", "ours", "--message", "merged", "side")
    with LocalGit(repo.path) as git:
        found = git.commit("HEAD")
        assert found is not None
        assert (found.sha, found.subject) == (repo.git("rev-parse", "HEAD"), "merged")
        assert found.author == repo.git("log", "-1", "--format=%an <%ae>")
        assert found.date.endswith("Z")
        assert git.commit("nothing") is None


def test_what_two_revisions_have_different_is_listed_by_whole_names(repo: GitRepo):
    repo.commit({"envs/a/ü\n.md": "1", "top": "4"}, "third")
    with LocalGit(repo.path) as git:
        assert git.changed_between("HEAD~2", "HEAD", "envs") == ["envs/a/envtag.yml", "envs/a/ü\n.md"]
        assert git.changed_between("HEAD", "HEAD~1", "envs") == ["envs/a/ü\n.md"]
        assert git.changed_between("HEAD", "HEAD", "envs") == []
        with pytest.raises(FatalError, match="there is no revision `nothing`"):
            git.changed_between("nothing", "HEAD", "envs")
