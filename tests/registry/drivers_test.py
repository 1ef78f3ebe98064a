from __future__ import annotations

import pytest

from envtag.errors import FatalError
from envtag.git import Git
from envtag.registry import drivers


@pytest.fixture
def repo(git_repo):
    return git_repo()


@pytest.fixture
def git(repo):
    with Git(repo.path) as git:
        yield git


def test_installing_writes_the_repositorys_own_configuration_once(git, repo, home):
    assert not drivers.is_installed(git)
    assert drivers.install(git)
    assert drivers.is_installed(git)
    assert not drivers.install(git)
    assert "merge-driver lock %O %A %B %L %P" in repo.git("config", "--local", "merge.envtag-lock.driver")
    assert not (home / ".gitconfig").exists()


def test_an_older_driver_is_brought_up_to_date(git, repo):
    repo.git("config", "merge.envtag-lock.driver", "old")
    repo.git("config", "--add", "merge.envtag-lock.driver", "older")
    assert drivers.install(git)
    assert repo.git("config", "--get-all", "merge.envtag-lock.driver") == drivers.settings()["merge.envtag-lock.driver"]


def test_the_users_configuration_holds_for_every_clone(git, git_repo, home):
    assert drivers.install(git, "global")
    assert (home / ".gitconfig").is_file()
    with Git(git_repo("another").path) as other:
        assert drivers.is_installed(other)


def test_attributes_name_the_driver_of_each_file(repo):
    repo.write({".gitattributes": drivers.with_attributes("")})
    for path, driver in (
        ("envs/a/linux-64-lock.yml", "envtag-lock"),
        ("envs/a/b/c/tags.yml", "envtag-ledger"),
        ("envs/a/environment.yml", "envtag-spec"),
        ("envs/a/environment-2.yml", "envtag-spec"),
        ("envs/a/requirements.txt", "envtag-spec"),
        ("envs/a/more/extra.in", "envtag-spec"),
        ("envs/a/envtag.yml", "unspecified"),
        ("environment.yml", "unspecified"),
    ):
        assert repo.git("check-attr", "merge", path) == f"{path}: merge: {driver}"


def test_attributes_are_added_behind_what_is_there_and_once():
    first = drivers.ATTRIBUTES[0]
    text = drivers.with_attributes(f"* text=auto\n{first}")
    assert text.startswith(f"* text=auto\n{first}\n")
    assert text.count(first) == 1
    assert all(line in text.splitlines() for line in drivers.ATTRIBUTES)
    assert drivers.with_attributes(text) == text


def test_attributes_that_are_no_text_are_refused(tmp_path):
    assert drivers.read_attributes(tmp_path) == ""
    (tmp_path / ".gitattributes").write_bytes(b"\xff")
    with pytest.raises(FatalError, match="cannot be read"):
        drivers.read_attributes(tmp_path)
