from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.util import process

PYTHON = sys.executable


def test_a_finished_process_gives_both_streams_and_its_code():
    code = "import sys; print('out'); print('talk', file=sys.stderr); sys.exit(3)"
    done = process.run([PYTHON, "-c", code])
    assert (done.returncode, done.stdout, done.stderr) == (3, b"out\n", b"talk\n")
    assert done.argv == (PYTHON, "-c", code)


def test_text_is_stdout_without_the_last_newline_whatever_its_bytes():
    done = process.run([PYTHON, "-c", r"import sys; sys.stdout.buffer.write(b' a\xff\nb\n\n')"])
    assert done.text() == " a�\nb"


def test_stdin_is_given_or_empty():
    code = "import sys; print(repr(sys.stdin.read()))"
    assert process.run([PYTHON, "-c", code], stdin=b"given").text() == "'given'"
    assert process.run([PYTHON, "-c", code], timeout=30).text() == "''"


def test_directory_and_environment_are_those_given(tmp_path: Path):
    code = "import os; print(os.getcwd(), os.environ.get('HOME'), os.environ['MINE'])"
    done = process.run([PYTHON, "-c", code], cwd=tmp_path, env={"MINE": "yes"})
    assert done.text() == f"{tmp_path.resolve()} None yes"


def test_arguments_reach_the_program_as_they_are(tmp_path: Path):
    path = tmp_path / "a $(name) with 'blanks'"
    done = process.run([PYTHON, "-c", "import sys; print(sys.argv[1])", path])
    assert done.text() == str(path)


def test_a_checked_failure_shows_command_code_and_streams():
    code = "import sys; print('one\\ntwo'); sys.exit(4)"
    with pytest.raises(FatalError) as caught:
        process.run([PYTHON, "-c", code], check="the probe failed")
    assert caught.value.message == "the probe failed"
    lines = caught.value.detail.splitlines()
    assert lines[0].startswith(f"command: {PYTHON} -c ")
    assert lines[1:] == ["exit code: 4", "stdout:", "    one", "    two", "stderr: (none)"]


def test_a_checked_success_is_returned():
    assert process.run([PYTHON, "-c", ""], check="never said").returncode == 0


def test_a_program_that_is_not_there_is_named():
    with pytest.raises(FatalError, match=r"^`no-such-program` is not installed$") as caught:
        process.run(["no-such-program"])
    assert "PATH" in caught.value.hint


def test_a_directory_that_is_not_there_is_named_and_not_the_program(tmp_path: Path):
    with pytest.raises(FatalError, match=r"/gone` is not a directory$"):
        process.run([PYTHON, "-c", ""], cwd=tmp_path / "gone")


def test_a_program_that_takes_too_long_is_killed_and_named():
    with pytest.raises(FatalError, match="did not finish within 1 s") as caught:
        process.run([PYTHON, "-c", "import time; time.sleep(60)"], timeout=1)
    assert "time.sleep" in caught.value.detail


def _replace(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    code = (
        "import os, sys; from envtag.util import process\n"
        "from envtag.errors import FatalError\n"
        "try:\n"
        "    sys.exit(process.replace_process(sys.argv[1:], {**os.environ, 'MINE': 'yes'}))\n"
        "except FatalError as error:\n"
        "    sys.exit(error.message)\n"
    )
    return subprocess.run([PYTHON, "-c", code, *arguments], capture_output=True, check=False)


def test_a_replaced_process_passes_its_exit_code_and_variables_on():
    done = _replace(PYTHON, "-c", "import os, sys; print(os.environ['MINE']); sys.exit(7)")
    assert (done.returncode, done.stdout) == (7, b"yes\n")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no exec")
def test_a_replaced_process_keeps_its_id_so_signals_reach_the_program():
    code = "import os, sys; from envtag.util import process; print(os.getpid(), flush=True)\n"
    code += f"process.replace_process([{PYTHON!r}, '-c', 'import os; print(os.getpid())'], dict(os.environ))"
    first, second = subprocess.run([PYTHON, "-c", code], capture_output=True, check=True).stdout.split()
    assert first == second


def test_a_replacement_that_is_not_there_or_not_executable_is_named(tmp_path: Path):
    assert b"`no-such-program` is not in this environment nor on PATH" in _replace("no-such-program").stderr
    plain = tmp_path / "plain.txt"
    plain.write_text("text")
    plain.chmod(0o644)
    assert b"cannot be executed" in _replace(str(plain)).stderr


def test_a_started_program_is_talked_to_and_its_complaints_go_to_a_file(tmp_path: Path):
    code = "import sys; print(sys.stdin.readline().upper(), end='', flush=True); print('talk', file=sys.stderr)"
    with (tmp_path / "talk").open("wb") as talk, process.start([PYTHON, "-c", code], stderr=talk) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        running.stdin.write(b"hello\n")
        running.stdin.flush()
        assert running.stdout.readline() == b"HELLO\n"
    assert (tmp_path / "talk").read_bytes() == b"talk\n"


def test_a_program_that_is_not_there_cannot_be_started(tmp_path: Path):
    with (tmp_path / "talk").open("wb") as talk, pytest.raises(FatalError, match="`no-such-program` is not installed"):
        process.start(["no-such-program"], stderr=talk)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no exec")
def test_a_replaced_process_dies_of_a_broken_pipe_as_it_would_without_us():
    done = _replace("sh", "-c", "kill -PIPE $$; echo alive")
    assert (done.returncode, done.stdout) == (-signal.SIGPIPE, b"")
