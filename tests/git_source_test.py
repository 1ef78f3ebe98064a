from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from envtag import git_source
from envtag.archives import archive_path
from envtag.config import Directories
from envtag.errors import FatalError
from envtag.git_source import fetch_git, locked
from envtag.package import Package
from envtag.urls import Mirrors
from envtag.util.canonical import sha256_file
from support.repository import GitRepo
from support.wheels import source_files

PUBLIC = "https://git.example.org/team/delta"


@pytest.fixture
def repo(git_repo: Callable[..., GitRepo]) -> GitRepo:
    made = git_repo("delta")
    made.commit(dict(source_files("delta", "1.0")))
    made.git("tag", "v1")
    return made


@pytest.fixture
def directories(tmp_path: Path) -> Directories:
    return Directories(data=tmp_path / "data", cache=tmp_path / "cache")


@pytest.fixture
def mirrors(repo: GitRepo) -> Mirrors:
    return Mirrors.parse(f"{PUBLIC}={repo.url}")


def package_at(commit: str) -> Package:
    return Package(manager="pypi", name="delta", version="1.0", url=f"git+{PUBLIC}@{commit}", sha256="")


@pytest.fixture
def solved(repo: GitRepo) -> Package:
    return package_at(repo.git("rev-parse", "v1"))


def test_a_commit_is_locked_by_the_hash_of_its_archive(solved: Package, directories: Directories, mirrors: Mirrors):
    found = locked(solved, directories=directories, mirrors=mirrors)
    kept = archive_path(directories, found)
    assert kept.name == "delta-1.0.tar"
    assert (sha256_file(kept), kept.stat().st_size) == (found.sha256, found.size)
    assert found.timestamp == 1733054400000
    assert found._replace(sha256="", size=None, timestamp=None) == solved


def test_its_archive_is_made_once_for_all_platforms(
    solved: Package, directories: Directories, mirrors: Mirrors, monkeypatch: pytest.MonkeyPatch
):
    made: list[str] = []
    archive = git_source.archive_commit

    def counted(repository: str, commit: str, target: Path, *, root: str) -> int:
        made.append(commit)
        return archive(repository, commit, target, root=root)

    monkeypatch.setattr(git_source, "archive_commit", counted)
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: locked(solved, directories=directories, mirrors=mirrors), range(4)))
    assert len(set(found)) == len(made) == 1


def test_parts_of_one_repository_have_archives_of_their_own(
    solved: Package, directories: Directories, mirrors: Mirrors
):
    parts = [solved._replace(url=f"{solved.url}#subdirectory={path}") for path in ("wheel", "wheel/delta")]
    parts += [solved, solved._replace(name="other")]
    found = [locked(part, directories=directories, mirrors=mirrors) for part in parts]
    assert len({part.sha256 for part in found}) == len(parts)
    assert [part.filename for part in found] == [
        "delta-1.0@wheel.tar",
        "delta-1.0@wheel@delta.tar",
        "delta-1.0.tar",
        "other-1.0.tar",
    ]


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"version":0}', b'{"version":1,"what":1}'])
def test_a_damaged_memory_of_it_is_as_good_as_none(
    solved: Package, directories: Directories, mirrors: Mirrors, damage: bytes
):
    first = locked(solved, directories=directories, mirrors=mirrors)
    (known,) = (directories.cache / "git-sources").glob("*.json")
    known.write_bytes(damage)
    assert locked(solved, directories=directories, mirrors=mirrors) == first


def test_a_damaged_archive_of_it_is_made_anew(solved: Package, directories: Directories, mirrors: Mirrors):
    first = locked(solved, directories=directories, mirrors=mirrors)
    archive_path(directories, first).write_bytes(b"damaged")
    assert locked(solved, directories=directories, mirrors=mirrors) == first
    assert sha256_file(archive_path(directories, first)) == first.sha256


def test_it_is_fetched_with_the_same_bytes_also_after_its_tag_moved(
    repo: GitRepo, solved: Package, directories: Directories, mirrors: Mirrors, tmp_path: Path
):
    found = locked(solved, directories=directories, mirrors=mirrors)
    repo.commit({"new.txt": "x"})
    repo.git("tag", "--force", "v1")
    target = tmp_path / "deep" / "a.tar"
    fetch_git(found, target, directories=directories, offline=False, mirrors=mirrors)
    assert sha256_file(target) == found.sha256


def test_a_repository_with_other_bytes_under_the_commit_is_refused(
    solved: Package, directories: Directories, mirrors: Mirrors, tmp_path: Path
):
    found = locked(solved, directories=directories, mirrors=mirrors)._replace(sha256="b" * 64)
    with pytest.raises(FatalError, match=rf"expected sha256 {'b' * 64}, got .*, from `git\+https://git\.example"):
        fetch_git(found, tmp_path / "a.tar", directories=directories, offline=False, mirrors=mirrors)
    assert not (tmp_path / "a.tar").exists()
    assert list(tmp_path.glob(".a.tar*")) == []


def test_a_rewritten_repository_is_told(
    repo: GitRepo, solved: Package, directories: Directories, mirrors: Mirrors, tmp_path: Path
):
    found = locked(solved, directories=directories, mirrors=mirrors)
    shutil.rmtree(repo.path)
    GitRepo.create(repo.path).commit({"other.txt": "x"})
    with pytest.raises(FatalError, match=r"has no commit .* any more"):
        fetch_git(found, tmp_path / "a.tar", directories=directories, offline=False, mirrors=mirrors)


def test_offline_no_repository_is_asked(solved: Package, directories: Directories, tmp_path: Path):
    with pytest.raises(FatalError, match="this is offline"):
        fetch_git(solved, tmp_path / "a.tar", directories=directories, offline=True)


@pytest.mark.parametrize("revision", ["@v1", "", f"@{'a' * 39}"])
def test_a_lock_without_a_full_commit_is_refused(directories: Directories, tmp_path: Path, revision: str):
    package = package_at("")._replace(url=f"git+{PUBLIC}{revision}")
    with pytest.raises(FatalError, match=r"delta 1\.0 is locked without the full name of a commit"):
        fetch_git(package, tmp_path / "a.tar", directories=directories, offline=False)
