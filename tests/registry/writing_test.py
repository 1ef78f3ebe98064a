from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from envtag import config
from envtag.errors import FatalError
from envtag.registry import Registry, journal, open_registry


@pytest.fixture
def sample(make_sample):
    return make_sample("mlp/base")


def _open(sample, tmp_path: Path, *, remote: bool = False) -> Registry:
    return open_registry(sample.bare.url if remote else str(sample.repo.path), tmp_path, config.load())


def test_changes_are_written_together(sample, tmp_path: Path):
    with _open(sample, tmp_path) as registry:
        registry.write({"envs/x/envtag.yml": b"1", "envs/mlp/base/requirements.txt": None})
        with pytest.raises(FatalError, match="not a file of the registry"):
            registry.write({"envs/y/envtag.yml": b"1", "../out": b"2"})
    assert (sample.repo.path / "envs/x/envtag.yml").read_bytes() == b"1"
    assert not (sample.repo.path / "envs/mlp/base/requirements.txt").exists()
    assert not (sample.repo.path / "envs/y").exists()
    assert "envtag" not in sample.repo.git("status", "--porcelain", "--", ".git")


def test_without_a_work_tree_nothing_is_written(sample, tmp_path: Path):
    with _open(sample, tmp_path, remote=True) as registry:
        with pytest.raises(FatalError, match="has no work tree"):
            registry.write({"a": b"1"})
        with pytest.raises(FatalError, match="has no work tree"), registry.lock_for_writing():
            pass


def test_an_interrupted_write_is_finished_when_the_registry_is_opened(
    sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    registry = _open(sample, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(journal, "_finish", killed)
        with pytest.raises(KeyboardInterrupt):
            registry.write({"envs/x/envtag.yml": b"1"})
    assert not (sample.repo.path / "envs/x").exists()
    _open(sample, tmp_path)
    assert (sample.repo.path / "envs/x/envtag.yml").read_bytes() == b"1"
    assert not journal.is_pending(sample.repo.path / ".git" / "envtag" / "journal")


def test_a_file_that_cannot_be_written_is_a_readable_error(sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    with _open(sample, tmp_path) as registry:
        monkeypatch.setattr("os.replace", refuse)
        with pytest.raises(FatalError, match=r"cannot write to .* Permission denied"):
            registry.write({"envs/x/envtag.yml": b"1"})


_COUNTER = """
import sys
from pathlib import Path
from envtag import config
from envtag.registry import open_registry
root = Path(sys.argv[1])
with open_registry(str(root), root, config.load()) as registry:
    for _ in range(10):
        with registry.lock_for_writing():
            count = int((root / "envs/count").read_text())
            with registry.lock_for_writing():
                registry.write({"envs/count": str(count + 1).encode()})
"""


def test_writers_wait_for_each_other_and_a_lock_may_be_nested(sample):
    sample.repo.write({"envs/count": "0"})
    writers = [subprocess.Popen([sys.executable, "-c", _COUNTER, str(sample.repo.path)]) for _ in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert (sample.repo.path / "envs/count").read_text() == "30"


def test_linked_work_trees_share_the_lock_and_not_the_journal(sample, tmp_path: Path):
    sample.repo.git("worktree", "add", "-q", str(tmp_path / "linked"))
    with open_registry(str(tmp_path / "linked"), tmp_path, config.load()) as linked, _open(sample, tmp_path) as main:
        assert linked.git.common_directory == main.git.common_directory
        assert linked.git.directory != main.git.directory
        linked.write({"envs/x/envtag.yml": b"1"})
    assert (tmp_path / "linked/envs/x/envtag.yml").exists()
    assert not (sample.repo.path / "envs/x").exists()
