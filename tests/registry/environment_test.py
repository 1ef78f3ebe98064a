from __future__ import annotations

import sys
from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.git import Git
from envtag.ledger import Ledger
from envtag.lock import write
from envtag.registry.environment import RevisionFiles, WorkTreeFiles, load_environment
from support.locks import SAMPLE
from support.repository import GitRepo

SETTINGS = "version: 1\nspec: [requirements.txt, more/dev.txt]\nplatforms: [osx-arm64, linux-64]\n"
FILES = {
    "envs/mlp/base/envtag.yml": SETTINGS,
    "envs/mlp/base/requirements.txt": "-r common.txt\nflask\n",
    "envs/mlp/base/common.txt": "six\n",
    "envs/mlp/base/more/dev.txt": "pytest\n",
    "envs/mlp/base/linux-64-lock.yml": write(SAMPLE),
    "envs/mlp/base/osx-arm64-lock.yml": "not a lock",
    "envs/mlp/base/beos-lock.yml": "no platform",
    "envs/mlp/base/below/envtag.yml": "version: 1\nspec: []\nplatforms: [win-64]\n",
    "envs/mlp/none/readme.txt": "no environment",
}


@pytest.fixture(params=["worktree", "revision"])
def files(request: pytest.FixtureRequest, tmp_path: Path):
    repo = GitRepo.create(tmp_path / "repo")
    commit = repo.commit(dict(FILES))
    if request.param == "worktree":
        yield WorkTreeFiles(repo.path)
        return
    repo.git("rm", "-rq", "envs")
    with Git(repo.path) as git:
        yield RevisionFiles(git, commit)


def _load(files, name: str = "mlp/base", revision: str = ""):
    found = load_environment(name, revision, files)
    assert found is not None
    return found


def test_an_environment_is_its_directory(files):
    found = _load(files)
    assert (found.name, found.directory, found.revision) == ("mlp/base", "envs/mlp/base", "")
    assert found.settings.spec == ("requirements.txt", "more/dev.txt")
    assert found.ledger == Ledger()
    assert found.platforms == ("linux-64", "osx-arm64")
    assert load_environment("mlp/none", "", files) is None
    assert load_environment("mlp", "", files) is None
    assert load_environment("other", "", files) is None
    assert _load(files, "mlp/base/below").platforms == ()


def test_files_are_found_at_any_depth(files):
    assert sorted(files.find("envtag.yml", "envs")) == ["envs/mlp/base/below/envtag.yml", "envs/mlp/base/envtag.yml"]
    assert files.find("envtag.yml", "envs/none") == []
    assert files.entries("envs/none") == []
    assert files.read("envs/mlp") is None
    assert files.read("envs/mlp/base/common.txt/x") is None


def test_a_lock_is_read_once(files):
    found = _load(files)
    assert found.lock_bytes("linux-64") == FILES["envs/mlp/base/linux-64-lock.yml"]
    assert found.lock("linux-64").id == SAMPLE.id
    assert found.lock("linux-64") is found.lock("linux-64")
    with pytest.raises(FatalError, match=r"osx-arm64-lock.yml"):
        found.lock("osx-arm64")


def test_a_platform_without_a_lock_is_told_with_those_that_have_one(files):
    with pytest.raises(FatalError, match="`mlp/base` has no lock for `win-64`") as caught:
        _load(files).lock("win-64")
    assert caught.value.hint == "platforms with a lock: `linux-64`, `osx-arm64`"
    with pytest.raises(FatalError) as caught:
        _load(files, "mlp/base/below").lock_bytes("win-64")
    assert caught.value.hint == "platforms with a lock: none"


def test_spec_files_come_with_what_they_include(files):
    found = _load(files).spec_files()
    assert [(file.name, file.data) for file in found] == [
        ("requirements.txt", b"-r common.txt\nflask\n"),
        ("more/dev.txt", b"pytest\n"),
        ("common.txt", b"six\n"),
    ]


def test_a_spec_file_that_is_not_there_is_named_with_who_names_it(tmp_path: Path):
    repo = GitRepo.create(tmp_path / "repo")
    repo.write({key: value for key, value in FILES.items() if not key.endswith("common.txt")})
    with pytest.raises(FatalError, match=r"`envs/mlp/base/common.txt` is not there, and `requirements.txt` names it"):
        _load(WorkTreeFiles(repo.path)).spec_files()
    repo.write({"envs/mlp/base/requirements.txt": None})
    with pytest.raises(FatalError, match=r"requirements.txt` is not there, and `envtag.yml` names it"):
        _load(WorkTreeFiles(repo.path)).spec_files()


def test_errors_name_the_file_and_the_commit(tmp_path: Path):
    repo = GitRepo.create(tmp_path / "repo")
    commit = repo.commit({**FILES, "envs/mlp/base/tags.yml": "version: 7\n"})
    with Git(repo.path) as git, pytest.raises(FatalError) as caught:
        _load(RevisionFiles(git, commit), revision=commit).ledger  # noqa: B018 - it is read now
    assert caught.value.message.startswith(f"envs/mlp/base/tags.yml at {commit[:12]}:1: format version `7`")
    with pytest.raises(FatalError, match=r"^envs/mlp/base/tags.yml:1: "):
        _load(WorkTreeFiles(repo.path)).ledger  # noqa: B018 - it is read now


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_a_link_out_of_the_registry_is_not_followed(tmp_path: Path):
    (tmp_path / "secret").write_text("hunter2")
    root = tmp_path / "repo"
    (root / "envs" / "a").mkdir(parents=True)
    (root / "envs" / "a" / "link").symlink_to(tmp_path / "secret")
    (root / "envs" / "a" / "inside").symlink_to("real")
    (root / "envs" / "a" / "real").write_text("fine")
    (root / "envs" / "a" / "loop").symlink_to("loop")
    files = WorkTreeFiles(root)
    assert files.read("envs/a/inside") == b"fine"
    for name in ("link", "loop"):
        with pytest.raises(FatalError, match=r"link out of the registry|cannot be read"):
            files.read(f"envs/a/{name}")
