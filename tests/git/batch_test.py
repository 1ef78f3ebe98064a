from __future__ import annotations

import gc
import hashlib
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.git.batch import Batch
from envtag.git.environment import git_environment
from support.repository import GitRepo


def _batch(path: Path) -> Batch:
    return Batch(("git", "-C", str(path)), cwd=None, env=git_environment(os.environ))


def _process(batch: Batch) -> int:
    running = batch._running
    assert running is not None
    return running.process.pid


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    repo = GitRepo.create(tmp_path / "repo")
    repo.commit({"a": "one\n", "empty": "", "dir/b": b"\0\nbin\xff", "c d": "blank"})
    return repo


def test_one_process_answers_many_questions(repo: GitRepo):
    batch = _batch(repo.path)
    blob = batch.get("HEAD:a")
    assert blob is not None
    assert (blob.kind, blob.data, blob.sha) == ("blob", b"one\n", repo.git("rev-parse", "HEAD:a"))
    first = _process(batch)
    for name, data in (("HEAD:empty", b""), ("HEAD:dir/b", b"\0\nbin\xff"), ("HEAD:c d", b"blank")):
        found = batch.get(name)
        assert found is not None
        assert found.data == data
    assert batch.get("HEAD:absent") is None
    assert batch.get("no such revision") is None
    assert _process(batch) == first
    batch.close()


def test_a_process_that_is_started_ahead_answers_the_first_question(repo: GitRepo):
    batch = _batch(repo.path)
    batch.start()
    first = _process(batch)
    batch.start()
    found = batch.get("HEAD:a")
    assert found is not None
    assert _process(batch) == first
    batch.close()


def test_what_is_committed_later_is_seen(repo: GitRepo):
    batch = _batch(repo.path)
    assert batch.get("HEAD:new") is None
    repo.commit({"new": "x"})
    repo.git("gc", "-q")
    found = batch.get("HEAD:new")
    assert found is not None
    batch.close()


def test_threads_do_not_get_each_others_answers(repo: GitRepo):
    repo.commit({f"many/{number}": f"content {number}" * 1000 for number in range(40)})
    batch = _batch(repo.path)

    def ask(number: int) -> bool:
        found = batch.get(f"HEAD:many/{number % 40}")
        return found is not None and found.data == f"content {number % 40}".encode() * 1000

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(200)))
    batch.close()


def test_a_process_that_died_is_an_error_and_then_replaced(repo: GitRepo):
    batch = _batch(repo.path)
    batch.get("HEAD:a")
    os.kill(_process(batch), signal.SIGKILL)
    with pytest.raises(FatalError, match="git cannot read `HEAD:a`"):
        batch.get("HEAD:a")
    found = batch.get("HEAD:a")
    assert found is not None
    batch.close()


def test_git_s_own_words_are_in_the_error(tmp_path: Path):
    batch = _batch(tmp_path)
    with pytest.raises(FatalError) as caught:
        batch.get("HEAD:a")
    assert "not a git repository" in caught.value.detail


def test_an_ambiguous_name_is_refused(repo: GitRepo):
    seen: dict[str, bytes] = {}
    for number in range(10_000):
        data = str(number).encode()
        short = hashlib.sha1(b"blob %d\0%s" % (len(data), data)).hexdigest()[:6]
        if short in seen:
            break
        seen[short] = data
    for content in (seen[short], data):
        repo.git("hash-object", "-w", "--stdin", stdin=content)
    batch = _batch(repo.path)
    with pytest.raises(FatalError, match=f"`{short}` names more than one git object"):
        batch.get(short)
    assert batch.get("HEAD:a") is not None
    batch.close()


def test_a_name_of_two_lines_is_refused(repo: GitRepo):
    batch = _batch(repo.path)
    for name in ("HEAD:a\nHEAD:b", ""):
        with pytest.raises(FatalError, match="cannot name a git object"):
            batch.get(name)
    batch.close()


def test_a_batch_that_is_dropped_leaves_no_process(repo: GitRepo):
    batch = _batch(repo.path)
    batch.get("HEAD:a")
    pid = _process(batch)
    del batch
    gc.collect()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_closing_twice_or_unused_is_fine(repo: GitRepo):
    batch = _batch(repo.path)
    batch.close()
    batch.get("HEAD:a")
    batch.close()
    batch.close()
