from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from envtag.errors import AliasExistsError, FatalError
from envtag.git import Git
from support.repository import GitRepo

REF = "refs/tags/mlp/base@v1"


@pytest.fixture
def bare(tmp_path: Path) -> GitRepo:
    return GitRepo.create(tmp_path / "bare.git", bare=True)


@pytest.fixture
def repo(tmp_path: Path, bare: GitRepo) -> GitRepo:
    repo = GitRepo.create(tmp_path / "repo")
    repo.commit({"a": "1"})
    repo.git("remote", "add", "origin", bare.url)
    repo.git("push", "-q", "origin", "main")
    return repo


def test_init_makes_a_repository_on_main(tmp_path: Path):
    with Git.init(tmp_path / "x" / "new") as git:
        assert git.worktree == tmp_path / "x" / "new"
        assert git.run("symbolic-ref", "HEAD").text() == "refs/heads/main"
    with Git.init(tmp_path / "bare.git", bare=True) as git:
        assert git.worktree is None


def test_a_tag_is_created_where_there_is_none(repo: GitRepo):
    head = repo.git("rev-parse", "HEAD")
    with Git(repo.path) as git:
        sha = git.create_tag(REF, head, "mlp/base:v1\n\n{}\n")
        found = git.tag(REF)
    assert found is not None
    assert (found.sha, found.commit, found.message) == (sha, head, "mlp/base:v1\n\n{}\n")
    assert (found.tagger, found.date) == ("A Tester <tester@example.org>", "2024-12-01T12:00:00Z")
    assert repo.git("tag", "-l") == "mlp/base@v1"
    repo.git("fsck", "--strict")


def test_a_tag_that_is_there_stays_and_is_told(repo: GitRepo):
    head = repo.git("rev-parse", "HEAD")
    with Git(repo.path) as git:
        first = git.create_tag(REF, head, "one\n")
        assert git.create_tag(REF, head, "one\n") == first
        with pytest.raises(AliasExistsError) as caught:
            git.create_tag(REF, head, "two\n")
    assert caught.value.message == "Alias already exists: `mlp/base:v1`"
    assert first in caught.value.detail
    assert "A Tester <tester@example.org> on 2024-12-01T12:00:00Z\none" in caught.value.detail
    assert repo.git("rev-parse", REF) == first


def test_a_lightweight_tag_in_the_way_stays_too(repo: GitRepo):
    repo.git("tag", "mlp/base@v1")
    with Git(repo.path) as git, pytest.raises(AliasExistsError):
        git.create_tag(REF, repo.git("rev-parse", "HEAD"), "two\n")


def test_a_tag_object_without_a_ref_is_nothing_yet(repo: GitRepo):
    with Git(repo.path) as git:
        git.make_tag(REF, repo.git("rev-parse", "HEAD"), "one\n")
        assert git.tag(REF) is None


def test_git_without_an_identity_says_how_to_give_one(repo: GitRepo, monkeypatch: pytest.MonkeyPatch):
    for name in ("GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"):
        monkeypatch.delenv(name)
    repo.git("config", "user.useConfigOnly", "true")
    with Git(repo.path) as git, pytest.raises(FatalError, match="does not know who makes the tag") as caught:
        git.create_tag(REF, repo.git("rev-parse", "HEAD"), "one\n")
    assert "git config user.name" in caught.value.hint


def test_a_ref_or_commit_that_git_refuses_is_an_error(repo: GitRepo):
    head = repo.git("rev-parse", "HEAD")
    with Git(repo.path) as git:
        with pytest.raises(FatalError, match="git refuses the tag"):
            git.create_tag(REF, "f" * 40, "one\n")
        with pytest.raises(FatalError, match=r"cannot create `refs/tags/a..b`"):
            git.create_ref("refs/tags/a..b", head)


_RACER = """
import sys
from pathlib import Path
from envtag.errors import AliasExistsError
from envtag.git import Git
directory, ref, commit, message, push = sys.argv[1:]
git = Git(Path(directory))
sys.stdin.read()
try:
    if push:
        git.push_create("origin", ref, git.make_tag(ref, commit, message))
    else:
        git.create_tag(ref, commit, message)
    print("won")
except AliasExistsError as error:
    print("lost", error.message)
"""


def _race(directories: list[Path], commit: str, *, push: bool) -> list[str]:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", _RACER, str(directory), REF, commit, f"racer {number}\n", "push" if push else ""],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for number, directory in enumerate(directories)
    ]  # fmt: skip
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.close()
    said = []
    for racer in racers:
        assert racer.stdout is not None
        said.append(racer.stdout.read().strip())
        racer.stdout.close()
        assert racer.wait() == 0
    return said


def test_of_two_who_create_one_tag_exactly_one_wins(repo: GitRepo):
    head = repo.git("rev-parse", "HEAD")
    said = _race([repo.path] * 4, head, push=False)
    assert sorted(text.split()[0] for text in said) == ["lost", "lost", "lost", "won"]
    assert repo.git("tag", "-l", "--format=%(contents:subject)") == f"racer {said.index('won')}"


def test_of_two_who_push_one_tag_exactly_one_wins(repo: GitRepo, bare: GitRepo, tmp_path: Path):
    head = repo.git("rev-parse", "HEAD")
    clones = [bare.clone(tmp_path / f"clone{number}").path for number in range(3)]
    said = _race(clones, head, push=True)
    assert sorted(text.split()[0] for text in said) == ["lost", "lost", "won"]
    assert all("Alias already exists: `mlp/base:v1` on `origin`" in text for text in said if text != "won")
    assert bare.git("tag", "-l", "--format=%(contents:subject)") == f"racer {said.index('won')}"


def test_a_tag_is_pushed_alone_and_again_is_fine(repo: GitRepo, bare: GitRepo):
    repo.git("tag", "-a", "-m", "mine", "private")
    repo.git("config", "push.followTags", "true")
    with Git(repo.path) as git:
        sha = git.create_tag(REF, repo.git("rev-parse", "HEAD"), "one\n")
        git.push_create("origin", REF)
        git.push_create("origin", REF)
        git.push_create("origin", REF, sha)
    assert bare.git("for-each-ref", "--format=%(refname)", "refs/tags") == REF
    assert bare.git("rev-parse", REF) == sha


def test_a_push_runs_no_hook_of_the_clone(repo: GitRepo, bare: GitRepo):
    hook = repo.path / ".git" / "hooks" / "pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    with Git(repo.path) as git:
        git.create_tag(REF, repo.git("rev-parse", "HEAD"), "one\n")
        git.push_create("origin", REF)
    assert bare.git("tag", "-l") == "mlp/base@v1"


def test_a_tag_that_the_remote_has_with_other_content_stays(repo: GitRepo, bare: GitRepo, tmp_path: Path):
    head = repo.git("rev-parse", "HEAD")
    with Git(bare.clone(tmp_path / "other").path) as other:
        winner = other.create_tag(REF, head, "winner\n")
        other.push_create("origin", REF)
    with Git(repo.path) as git:
        loser = git.create_tag(REF, head, "loser\n")
        with pytest.raises(AliasExistsError) as caught:
            git.push_create("origin", REF)
        with pytest.raises(AliasExistsError):
            git.push_create("origin", REF, loser)
    assert winner in caught.value.detail
    assert "winner" in caught.value.detail
    assert bare.git("rev-parse", REF) == winner


def test_a_server_that_refuses_is_quoted(repo: GitRepo, bare: GitRepo):
    hook = bare.path / "hooks" / "update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho tags are for the release team >&2\nexit 1\n")
    hook.chmod(0o755)
    with Git(repo.path) as git:
        git.create_tag(REF, repo.git("rev-parse", "HEAD"), "one\n")
        with pytest.raises(FatalError) as caught:
            git.push_create("origin", REF)
    assert not isinstance(caught.value, AliasExistsError)
    assert "`origin` refuses to create `refs/tags/mlp/base@v1`: hook declined" in caught.value.message
    assert "tags are for the release team" in caught.value.detail
    assert bare.git("tag", "-l") == ""


def test_a_remote_that_is_gone_is_told_with_what_to_check(repo: GitRepo, bare: GitRepo, tmp_path: Path):
    bare.path.rename(tmp_path / "moved.git")
    with Git(repo.path) as git:
        git.create_tag(REF, repo.git("rev-parse", "HEAD"), "one\n")
        for attempt in (
            lambda: git.push_create("origin", REF),
            lambda: git.fetch("origin", f"{REF}:{REF}"),
        ):
            with pytest.raises(FatalError) as caught:
                attempt()
            assert "credentials" in caught.value.hint
            assert "does not appear to be a git repository" in caught.value.detail


def test_a_ref_is_fetched_alone(repo: GitRepo, bare: GitRepo, tmp_path: Path):
    clone = bare.clone(tmp_path / "clone")
    repo.git("tag", "-a", "-m", "x", "beside")
    with Git(repo.path) as git:
        sha = git.create_tag(REF, repo.git("rev-parse", "HEAD"), "one\n")
        repo.git("push", "-q", "origin", "--tags")
    clone.git("config", "fetch.prune", "true")
    clone.git("config", "fetch.pruneTags", "true")
    clone.git("tag", "mine")
    with Git(clone.path) as git:
        assert git.fetch("origin", f"{REF}:{REF}")
        assert git.fetch("origin", f"{REF}:{REF}")
        assert not git.fetch("origin", "refs/tags/none:refs/tags/none")
        found = git.tag(REF)
    assert found is not None
    assert found.sha == sha
    assert clone.git("tag", "-l") == "mine\nmlp/base@v1"
    assert not (clone.path / ".git" / "FETCH_HEAD").exists()


def test_a_fetch_never_moves_a_tag(repo: GitRepo, bare: GitRepo, tmp_path: Path):
    clone = bare.clone(tmp_path / "clone")
    head = repo.git("rev-parse", "HEAD")
    with Git(repo.path) as git, Git(clone.path) as other:
        git.create_tag(REF, head, "one\n")
        git.push_create("origin", REF)
        mine = other.create_tag(REF, head, "mine\n")
        with pytest.raises(FatalError, match="cannot fetch"):
            other.fetch("origin", f"{REF}:{REF}")
        assert clone.git("rev-parse", REF) == mine


def test_the_remotes_and_where_they_are(repo: GitRepo):
    with Git(repo.path) as git:
        repo.git("remote", "add", "b.c", "x:y")
        repo.git("config", "url.https://host/.insteadOf", "x:")
        assert git.remotes() == ("b.c", "origin")
        assert git.remote_url("b.c") == "https://host/y"
        with pytest.raises(FatalError, match="no remote `none`"):
            git.remote_url("none")


def test_the_refs_of_a_remote_are_listed_by_pattern_and_only_by_their_whole_name(repo: GitRepo, bare: GitRepo):
    head = repo.git("rev-parse", "HEAD")
    with Git(repo.path) as git:
        assert git.remote_refs("origin", "refs/tags/*@*") == {}
        tags = {ref: git.create_tag(ref, head, "one\n") for ref in (REF, "refs/tags/mlp/base/deep@v1")}
        repo.git("push", "--quiet", "origin", *tags, "HEAD:refs/tags/plain", f"HEAD:refs/heads/{REF}")
        assert git.remote_refs("origin", "refs/tags/*@*") == tags
        assert git.remote_refs("origin", REF) == {REF: tags[REF]}


def test_a_remote_that_cannot_be_asked_for_its_refs_is_named(repo: GitRepo):
    repo.git("remote", "add", "gone", (repo.path / "gone.git").as_uri())
    with Git(repo.path) as git, pytest.raises(FatalError, match="cannot ask `gone` for its refs") as caught:
        git.remote_refs("gone", "refs/tags/*")
    assert "check its address" in caught.value.hint


def test_an_object_of_the_remote_is_fetched_without_a_ref_here(repo: GitRepo, bare: GitRepo, tmp_path: Path):
    clone = bare.clone(tmp_path / "reader")
    repo.commit({"new": "1"}, "news")
    repo.git("push", "--quiet", "origin", "HEAD:main")
    refs = clone.git("for-each-ref")
    with Git(clone.path) as git:
        head = git.fetch_object("origin", "HEAD")
        assert head == repo.git("rev-parse", "HEAD")
        assert git.commit_of(head) == head
        assert git.fetch_object("origin", "refs/tags/none@v1") is None
        with pytest.raises(FatalError, match="cannot ask `gone` for its refs"):
            git.fetch_object("gone", "HEAD")
    assert clone.git("for-each-ref") == refs
    assert not (clone.path / ".git" / "FETCH_HEAD").exists()
