from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from envtag.util import locks

_HOLD = (
    "import sys, time; from pathlib import Path; from envtag.util import locks\n"
    "with locks.file_lock(Path(sys.argv[1])):\n"
    "    print('held', flush=True)\n"
    "    time.sleep(60)\n"
)


@pytest.fixture
def holder(tmp_path: Path):
    """Another process that holds the lock `tmp_path/lock`."""
    process = subprocess.Popen([sys.executable, "-c", _HOLD, tmp_path / "lock"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.wait(timeout=30)
    process.stdout.close()


def test_a_lock_makes_its_file_and_leaves_it(tmp_path: Path):
    path = tmp_path / "a" / "lock"
    with locks.file_lock(path):
        assert path.is_file()
    assert path.is_file()


def test_a_lock_can_be_taken_again_after_an_error(tmp_path: Path):
    with pytest.raises(RuntimeError, match="broken"), locks.file_lock(tmp_path / "lock"):
        raise RuntimeError("broken")
    with locks.file_lock(tmp_path / "lock"):
        pass


def test_processes_take_turns(tmp_path: Path):
    code = (
        "import sys, time; from pathlib import Path; from envtag.util import locks\n"
        "directory = Path(sys.argv[1])\n"
        "for _ in range(20):\n"
        "    with locks.file_lock(directory / 'lock'):\n"
        "        count = int((directory / 'count').read_text())\n"
        "        time.sleep(0.001)\n"
        "        (directory / 'count').write_text(str(count + 1))\n"
    )
    (tmp_path / "count").write_text("0")
    running = [subprocess.Popen([sys.executable, "-c", code, tmp_path]) for _ in range(3)]
    assert [process.wait(timeout=60) for process in running] == [0, 0, 0]
    assert (tmp_path / "count").read_text() == "60"


def test_threads_of_one_process_take_turns(tmp_path: Path):
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        with locks.file_lock(tmp_path / "lock"):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.01)
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 5


def test_a_killed_holder_holds_nothing(tmp_path: Path, holder: subprocess.Popen[bytes]):
    holder.send_signal(signal.SIGKILL)
    holder.wait(timeout=30)
    start = time.monotonic()
    with locks.file_lock(tmp_path / "lock"):
        assert time.monotonic() - start < 5


def test_a_stopped_holders_lock_is_waited_for_and_waiting_is_told_once(
    tmp_path: Path, holder: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(locks, "_TELL_AFTER_SECONDS", 0.1)
    told: list[float] = []
    threading.Timer(0.5, holder.kill).start()
    start = time.monotonic()
    with locks.file_lock(tmp_path / "lock", waiting=lambda: told.append(time.monotonic() - start)):
        waited = time.monotonic() - start
    assert waited >= 0.5
    assert len(told) == 1
    assert 0.1 <= told[0] < waited


def test_a_lock_that_is_free_tells_nothing(tmp_path: Path):
    with locks.file_lock(tmp_path / "lock", waiting=lambda: pytest.fail("nobody holds it")):
        pass


@pytest.mark.skipif(os.name == "nt", reason="POSIX descriptors")
def test_a_started_program_does_not_inherit_the_lock(tmp_path: Path):
    with locks.file_lock(tmp_path / "lock"):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], close_fds=False)
    try:
        start = time.monotonic()
        with locks.file_lock(tmp_path / "lock"):
            assert time.monotonic() - start < 5
    finally:
        child.kill()
        child.wait(timeout=30)
