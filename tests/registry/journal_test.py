from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.registry import journal

BEFORE = {"envs/a/envtag.yml": b"old\n", "envs/a/gone.yml": b"gone\n", "envs/b/same.yml": b"same\n"}
CHANGES = {
    "envs/a/envtag.yml": b"new\n",
    "envs/a/gone.yml": None,
    "envs/new/deep/tags.yml": b"tags\n",
    "envs/b/same.yml": b"same\n",
    "envs/a/never.yml": None,
}
AFTER = {"envs/a/envtag.yml": b"new\n", "envs/new/deep/tags.yml": b"tags\n", "envs/b/same.yml": b"same\n"}


def _make(root: Path) -> None:
    for path, data in BEFORE.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)


def _files(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_all_changes_are_made_and_nothing_is_left_beside_them(tmp_path: Path):
    root, entries = tmp_path / "root", tmp_path / "journal"
    _make(root)
    journal.apply(entries, root, CHANGES)
    assert _files(root) == AFTER
    assert not journal.is_pending(entries)
    journal.recover(entries, root)
    assert _files(root) == AFTER


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("../x", "not a file of the registry"),
        ("/x", "not a file of the registry"),
        ("envs/../../x", "not a file of the registry"),
        (".git/config", "not a file of the registry"),
        ("", "not a file of the registry"),
        ("envs\\x", "not a file of the registry"),
        ("envs/a", "it is a directory"),
        ("envs/a/envtag.yml/below", "is a file"),
        ("link/x", "leads out of the registry"),
    ],
)
def test_one_bad_path_and_nothing_is_changed(tmp_path: Path, path: str, said: str):
    root = tmp_path / "root"
    _make(root)
    (tmp_path / "outside").mkdir()
    (root / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(FatalError, match=said):
        journal.apply(tmp_path / "journal", root, {"envs/a/envtag.yml": b"new", path: b"x"})
    assert {key: value for key, value in _files(root).items() if key in BEFORE} == BEFORE
    assert not journal.is_pending(tmp_path / "journal")
    assert list((tmp_path / "outside").iterdir()) == []


def test_an_error_before_the_commit_point_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    root, entries = tmp_path / "root", tmp_path / "journal"
    _make(root)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(OSError, match="No space left"):
            journal.apply(entries, root, CHANGES)
    assert _files(root) == BEFORE
    assert not journal.is_pending(entries)


#: Kills a child at its N-th step (a call that changes the file system), before or after the call is made, for every N.
_KILLER = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
import journal_test as story
from envtag.registry import journal

scratch, moment = Path(sys.argv[1]), sys.argv[2]

def steps(limit):
    count = 0
    for name in ("replace", "fsync", "unlink", "mkdir", "rmdir"):
        real = getattr(os, name)
        def call(*args, real=real, **kwargs):
            nonlocal count
            count += 1
            if count == limit and moment == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            mine = count
            try:
                return real(*args, **kwargs)
            finally:
                if mine == limit and moment == "after":
                    os.kill(os.getpid(), signal.SIGKILL)
        setattr(os, name, call)

for limit in range(1, 500):
    place = scratch / str(limit)
    place.mkdir()
    story._make(place / "root")
    child = os.fork()
    if child == 0:
        steps(limit)
        journal.apply(place / "journal", place / "root", story.CHANGES)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status):
        print(limit, os.WEXITSTATUS(status))
        break
    assert os.WTERMSIG(status) == signal.SIGKILL
"""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_at_any_step_all_changes_are_there_or_none(tmp_path: Path, moment: str):
    done = subprocess.run(
        [sys.executable, "-c", _KILLER, str(tmp_path), moment, str(Path(__file__).parent)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    last, code = map(int, done.stdout.split())
    assert code == 0
    assert last > 15
    outcomes = []
    for limit in range(1, last):
        root, entries = tmp_path / str(limit) / "root", tmp_path / str(limit) / "journal"
        journal.recover(entries, root)
        assert not journal.is_pending(entries)
        found = _files(root)
        assert found in (BEFORE, AFTER), f"step {limit}"
        outcomes.append(found == AFTER)
    assert outcomes == sorted(outcomes), "once a change is made, it stays made"
    assert {True, False} == set(outcomes)


def test_a_recovery_that_is_killed_is_finished_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    root, entries = tmp_path / "root", tmp_path / "journal"
    _pending(root, entries, monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.unlink", _stop)
        with pytest.raises(_StopError):
            journal.recover(entries, root)
    journal.recover(entries, root)
    assert _files(root) == AFTER
    assert not journal.is_pending(entries)


def test_an_edit_after_an_interruption_is_never_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    root, entries = tmp_path / "root", tmp_path / "journal"
    _pending(root, entries, monkeypatch)
    (root / "envs/a/envtag.yml").write_bytes(b"by hand\n")
    with pytest.raises(FatalError, match=r"`envs/a/envtag.yml` was changed") as caught:
        journal.recover(entries, root)
    assert (root / "envs/a/envtag.yml").read_bytes() == b"by hand\n"
    assert f"rm -r '{next(entries.iterdir())}'" in caught.value.hint


def test_a_journal_of_another_version_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    root, entries = tmp_path / "root", tmp_path / "journal"
    _pending(root, entries, monkeypatch)
    entry = next(entries.iterdir())
    (entry / "commit.json").write_text('{"version": 2}')
    with pytest.raises(FatalError, match="another version"):
        journal.recover(entries, root)
    assert journal.is_pending(entries)


class _StopError(Exception):
    """Stands for the end of a process."""


def _stop(*_: object, **__: object) -> None:
    raise _StopError


def _pending(root: Path, entries: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change that is made, and not carried through to any file."""
    _make(root)
    with monkeypatch.context() as patch:
        patch.setattr(journal, "_finish", _stop)
        with pytest.raises(_StopError):
            journal.apply(entries, root, CHANGES)
    assert _files(root) == BEFORE
    assert journal.is_pending(entries)
