from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from envtag.commands import hook
from envtag.commands.hook import install, print_hook
from envtag.errors import FatalError
from envtag.output import Output
from envtag.server_hook import CHAINED, KINDS, VERSION, script
from support.repository import GitRepo
from support.story import released

THEIRS = "#!/bin/sh\necho theirs ran for $1 >&2\ncase $1 in */secret) exit 1 ;; esac\n"


@pytest.fixture
def bare(git_repo) -> GitRepo:
    return git_repo("server", bare=True)


def run(bare: GitRepo, *, force: bool = False) -> int:
    return install(bare.path, force=force, output=Output())


def update(bare: GitRepo) -> Path:
    return bare.path / "hooks" / "update"


def write(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


@pytest.mark.parametrize("kind", KINDS)
def test_a_hook_is_printed_as_it_is(kind, capsys):
    assert print_hook(kind, output=Output()) == 0
    assert capsys.readouterr().out == script(kind)


def test_it_is_installed_once(bare, capsys):
    assert run(bare) == 0
    assert update(bare).read_text() == script("update")
    assert os.access(update(bare), os.X_OK)
    assert "its default branch is `main`" in capsys.readouterr().err
    before = update(bare).stat().st_mtime_ns
    assert run(bare) == 0
    assert update(bare).stat().st_mtime_ns == before
    assert f"is there already, version {VERSION}" in capsys.readouterr().err


def test_a_lost_right_to_run_is_given_back(bare):
    run(bare)
    update(bare).chmod(0o644)
    assert run(bare) == 0
    assert os.access(update(bare), os.X_OK)


def test_an_older_one_is_replaced(bare, capsys):
    write(update(bare), script("update").replace(f"update {VERSION}", "update 0") + "# old\n")
    assert run(bare) == 0
    assert update(bare).read_text() == script("update")
    assert "replaced" in capsys.readouterr().err
    assert not (bare.path / "hooks" / CHAINED).exists()


def test_a_newer_one_stays(bare):
    newer = script("update").replace(f"update {VERSION}", f"update {VERSION + 1}")
    write(update(bare), newer)
    with pytest.raises(FatalError, match="is of a newer envtag"):
        run(bare)
    assert update(bare).read_text() == newer


def test_one_of_ours_that_was_changed_stays_unless_told_otherwise(bare):
    write(update(bare), script("update") + "# mine\n")
    with pytest.raises(FatalError, match="was changed since envtag wrote it"):
        run(bare)
    assert run(bare, force=True) == 0
    assert update(bare).read_text() == script("update")


def test_one_of_somebody_elses_stays_unless_told_otherwise(bare):
    write(update(bare), THEIRS)
    with pytest.raises(FatalError, match="is there and not envtag's") as caught:
        run(bare)
    assert "--force" in caught.value.hint
    assert update(bare).read_text() == THEIRS


def test_both_hooks_decide_once_they_are_chained(bare, git_repo):
    write(update(bare), THEIRS)
    assert run(bare, force=True) == 0
    assert run(bare) == 0
    assert (bare.path / "hooks" / CHAINED).read_text() == THEIRS
    work = git_repo("work")
    commit = work.commit({"a": "1"})

    def push(refspec: str) -> subprocess.CompletedProcess[str]:
        command = ["git", "-C", str(work.path), "push", bare.url, refspec]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    taken = push(f"{commit}:refs/heads/main")
    assert (taken.returncode, "theirs ran for refs/heads/main" in taken.stderr) == (0, True)
    assert push(f"{commit}:refs/heads/secret").returncode == 1
    assert "is not an annotated tag" in push(f"{commit}:refs/tags/base@v1").stderr


def test_releases_are_made_under_it_and_stay(make_story):
    story = make_story(released)
    assert install(story.bare.path, force=False, output=Output()) == 0
    story.run("publish")
    story.run("publish")  # again is harmless
    ref = "refs/tags/mlp/base@v1"
    made = story.bare.git("rev-parse", ref)
    assert story.bare.git("cat-file", "-t", ref) == "tag"
    for refspec in (f"+HEAD:{ref}", f":{ref}"):
        with pytest.raises(AssertionError, match="a tag is never moved and never deleted"):
            story.repo.git("push", "origin", refspec)
    assert story.bare.git("rev-parse", ref) == made


def test_a_second_hook_of_somebody_elses_is_not_lost(bare):
    write(update(bare), THEIRS)
    write(bare.path / "hooks" / CHAINED, "#!/bin/sh\nexit 0\n")
    with pytest.raises(FatalError, match="is there too, and is another hook"):
        run(bare, force=True)
    assert update(bare).read_text() == THEIRS


def test_killed_in_between_a_hook_is_always_there(bare, monkeypatch):
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    write(update(bare), THEIRS)
    with monkeypatch.context() as patch:
        patch.setattr(hook, "write_atomic", killed)
        with pytest.raises(KeyboardInterrupt):
            run(bare, force=True)
    assert update(bare).read_text() == THEIRS
    assert run(bare, force=True) == 0
    assert (bare.path / "hooks" / CHAINED).read_text() == THEIRS


def test_a_link_belongs_to_another_program(bare, tmp_path):
    write(tmp_path / "gitolite", THEIRS)
    update(bare).symlink_to(tmp_path / "gitolite")
    with pytest.raises(FatalError, match="is a link"):
        run(bare, force=True)
    assert (tmp_path / "gitolite").read_text() == THEIRS


def test_the_directory_that_git_is_told_of_is_used(bare, tmp_path):
    bare.git("config", "core.hooksPath", str(tmp_path / "shared"))
    assert run(bare) == 0
    assert (tmp_path / "shared" / "update").read_text() == script("update")


def test_a_work_tree_and_a_directory_without_git_are_refused(git_repo, tmp_path):
    with pytest.raises(FatalError, match="is not a bare repository"):
        install(git_repo("work").path, force=False, output=Output())
    with pytest.raises(FatalError, match="is not a git repository"):
        install(tmp_path, force=False, output=Output())


def test_a_repository_without_a_default_branch_is_refused(bare, git_repo):
    work = git_repo("work")
    commit = work.commit({"a": "1"})
    work.git("push", "--quiet", bare.url, "HEAD:refs/heads/main")
    bare.git("update-ref", "--no-deref", "HEAD", commit)
    with pytest.raises(FatalError, match="names no branch"):
        run(bare)
