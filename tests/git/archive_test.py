from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.git.archive import archive_commit
from envtag.util.canonical import sha256_file
from support.repository import GitRepo

FILES = {"pyproject.toml": "[project]\n", "a/b.txt": "text\n", "crlf.txt": b"one\r\ntwo\r\n"}


@pytest.fixture
def repo(git_repo: Callable[..., GitRepo]) -> GitRepo:
    return git_repo("source")


def archived(repo: GitRepo, commit: str, target: Path) -> dict[str, bytes]:
    archive_commit(repo.url, commit, target, root="delta-1.0")
    with tarfile.open(target, "r:") as tar:
        found = {}
        for member in tar:
            stream = tar.extractfile(member)
            if stream is not None:
                found[member.name.removeprefix("delta-1.0/")] = stream.read()
        return found


def test_a_commits_files_are_archived_as_they_are_committed(repo: GitRepo, tmp_path: Path):
    commit = repo.commit(FILES)
    repo.commit({"later.txt": "x"})
    found = archived(repo, commit, tmp_path / "a.tar")
    assert found == {name: data.encode() if isinstance(data, str) else data for name, data in FILES.items()}


def test_the_date_of_the_commit_is_told(repo: GitRepo, tmp_path: Path):
    assert archive_commit(repo.url, repo.commit(FILES), tmp_path / "a.tar", root="delta-1.0") == 1733054400


def test_its_bytes_are_golden(repo: GitRepo, tmp_path: Path):
    commit = repo.commit(FILES)
    assert commit == "d8ee4ed37d0b16db107a2c6b4cf6ef8bdbec6432"
    archive_commit(repo.url, commit, tmp_path / "a.tar", root="delta-1.0")
    assert sha256_file(tmp_path / "a.tar") == "a93b0567ceaa0a14881692aff7e261f1314c6263c9d90faa67e526f06e09ed77"


def test_neither_attributes_nor_settings_change_a_byte(
    repo: GitRepo, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
):
    attributes = (
        "*.txt text eol=crlf\nhidden.txt export-ignore\nhidden/ export-ignore\nsubst.txt export-subst\n"
        "id.txt ident\nutf.txt working-tree-encoding=UTF-16LE\nlfs.bin filter=lfs\n"
    )
    plain = {
        "a.txt": b"one\ntwo\n",
        "hidden.txt": b"x\n",
        "hidden/y.txt": b"y\n",
        "subst.txt": b"$Format:%H %d$\n",
        "id.txt": b"$Id$\n",
        "lfs.bin": b"version 1\n",
    }
    commit = repo.commit({**plain, ".gitattributes": attributes, "sub/.gitattributes": "* export-ignore\n"})
    before = archived(repo, commit, tmp_path / "a.tar")
    assert {name: before[name] for name in plain} == plain
    (home / "attributes").write_text("* text eol=crlf export-subst\n")
    (home / ".gitconfig").write_text(
        f"[core]\nautocrlf = true\nattributesFile = {home / 'attributes'}\n[tar]\numask = 0077\n"
        '[filter "lfs"]\nsmudge = false\nrequired = true\n'
    )
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    archived(repo, commit, tmp_path / "b.tar")
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


def test_a_commit_that_no_ref_leads_to_any_more_is_told(repo: GitRepo, tmp_path: Path):
    repo.commit(FILES)
    with pytest.raises(FatalError, match=rf"has no commit {'a' * 40} any more") as caught:
        archive_commit(repo.url, "a" * 40, tmp_path / "a.tar", root="delta-1.0")
    assert "only a store" in caught.value.hint
    assert not (tmp_path / "a.tar").exists()


def test_a_server_that_gives_refs_alone_gives_the_commit_by_them(repo: GitRepo, tmp_path: Path, home: Path):
    commit = repo.commit(FILES)
    repo.commit({"later.txt": "x"})
    (home / ".gitconfig").write_text("[protocol]\nversion = 0\n")
    assert "pyproject.toml" in archived(repo, commit, tmp_path / "a.tar")


def test_a_repository_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(FatalError, match="cannot fetch from `file:///") as caught:
        archive_commit((tmp_path / "nothing").as_uri(), "a" * 40, tmp_path / "a.tar", root="delta-1.0")
    assert "exit code" in caught.value.detail


def test_submodules_are_refused_since_an_archive_lacks_them(
    repo: GitRepo, git_repo: Callable[..., GitRepo], tmp_path: Path
):
    other = git_repo("other")
    other.commit({"x": "x"})
    repo.commit(FILES)
    repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", other.url, "vendored/other")
    with pytest.raises(FatalError, match="has a submodule at `vendored/other`"):
        archive_commit(repo.url, repo.commit(), tmp_path / "a.tar", root="delta-1.0")


@pytest.mark.parametrize("commit", ["main", "a" * 39, "A" * 40, "--upload-pack=x"])
def test_what_is_no_full_commit_is_refused(repo: GitRepo, tmp_path: Path, commit: str):
    with pytest.raises(FatalError, match="is not the full name of a commit"):
        archive_commit(repo.url, commit, tmp_path / "a.tar", root="delta-1.0")
