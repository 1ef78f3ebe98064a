from __future__ import annotations

import pytest

from envtag import config
from envtag.commands.merge_driver import install, merge
from envtag.errors import FatalError
from envtag.git import Git
from envtag.merging import Versions
from envtag.output import Output
from envtag.registry import Registry, drivers

SPEC = "dependencies:\n- a\n"


def versions(tmp_path, path: str, *texts: str) -> Versions:
    files = [tmp_path / name for name in ("base", "ours", "theirs")]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text)
    return Versions(base=files[0], ours=files[1], theirs=files[2], marker=7, path=path)


def call(kind: str, found: Versions) -> int:
    return merge(kind, found, config=config.load(), environ={}, output=Output())


@pytest.fixture
def repo(git_repo, monkeypatch):
    repo = git_repo()
    repo.commit({"pyproject.toml": "[tool.envtag]\n", "envs/.gitkeep": ""})
    monkeypatch.chdir(repo.path)
    return repo


@pytest.mark.usefixtures("repo")
def test_a_merged_spec_is_exit_code_0_and_a_conflict_1(tmp_path, capsys):
    assert call("spec", versions(tmp_path, "envs/a/environment.yml", SPEC, SPEC + "- b\n", SPEC + "- c\n")) == 0
    assert call("spec", versions(tmp_path, "envs/a/environment.yml", SPEC, SPEC + "- b 1\n", SPEC + "- b 2\n")) == 1
    assert capsys.readouterr() == ("", "")


@pytest.mark.usefixtures("repo")
def test_a_conflict_of_ledgers_is_one_line_that_names_the_tag(tmp_path, capsys):
    sides = [
        f"version: 1\nreleases:\n- {{tag: v1, request: {ident}, locks: {{linux-64: {ident}}}}}\npointers: {{}}\n"
        for ident in ("a" * 40, "b" * 40)
    ]
    assert call("ledger", versions(tmp_path, "envs/a/tags.yml", "", *sides)) == 1
    assert capsys.readouterr().err == "warning: envs/a/tags.yml: `v1`: both sides changed it, differently\n"
    assert call("ledger", versions(tmp_path, "envs/a/tags.yml", "", sides[0], sides[0])) == 0


@pytest.mark.usefixtures("repo")
def test_a_lock_that_cannot_be_merged_names_what_to_run(tmp_path):
    found = versions(tmp_path, "envs/a/b/linux-64-lock.yml", "", "# a lock\nrest\n", "other\n")
    with pytest.raises(FatalError, match=r"envs/a/b/linux-64-lock.yml is left as a conflict: ") as caught:
        call("lock", found)
    assert "`envtag lock a/b`" in caught.value.hint
    assert found.ours.read_text().startswith("# Not merged, ")
    assert found.ours.read_text().endswith("\nrest\n")


def test_installing_writes_configuration_and_attributes_once(repo, capsys):
    with Registry(Git(repo.path), location="x", worktree=repo.path) as registry:
        assert install(registry, user=False, output=Output()) == 0
        said = capsys.readouterr().err
        assert "wrote `.git/config` of this clone" in said
        assert "wrote .gitattributes: commit it" in said
        assert drivers.is_installed(registry.git)
        assert install(registry, user=False, output=Output()) == 0
    assert capsys.readouterr().err.startswith("nothing to do in `.git/config`")
    assert repo.git("check-attr", "merge", "envs/a/tags.yml").endswith("merge: envtag-ledger")


def test_installing_for_a_user_leaves_the_clone_alone(repo, home, capsys):
    with Registry(Git(repo.path), location="x", worktree=repo.path) as registry:
        install(registry, user=True, output=Output())
    assert "wrote your git configuration" in capsys.readouterr().err
    assert "envtag-lock" in (home / ".gitconfig").read_text()
    assert "envtag-lock" not in (repo.path / ".git" / "config").read_text()


def test_without_a_work_tree_there_is_nothing_to_install(git_repo):
    bare = git_repo("bare.git", bare=True)
    with Registry(Git(bare.path), location="x") as registry, pytest.raises(FatalError, match="has no work tree"):
        install(registry, user=False, output=Output())
