from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from envtag.cli.app import cli
from envtag.cli.entry import BUG, INTERRUPTED, NO, OK, USAGE, run
from envtag.errors import FatalError


@pytest.fixture
def verb(monkeypatch):
    """Put a command `probe` into the tree whose body is the test's."""

    def install(body):
        @click.command()
        def probe():
            return body()

        monkeypatch.setitem(cli.commands, "probe", probe)
        return run(["probe"])

    return install


def raising(error):
    def body():
        raise error

    return body


def test_an_exit_code_of_a_verb_is_passed_through(verb):
    assert verb(lambda: None) == OK
    assert verb(lambda: 7) == 7


def test_a_fatal_error_is_one_line_its_detail_and_a_hint(verb, capsys):
    assert verb(raising(FatalError("`x` is not there", "look at `y`", "line 1\nline 2"))) == NO
    captured = capsys.readouterr()
    assert captured.err == "error: `x` is not there\nline 1\nline 2\nhint: look at `y`\n"
    assert captured.out == ""


def test_wrong_usage_is_exit_code_2(capsys):
    assert run(["show"]) == USAGE
    assert "Missing argument 'REF...'" in capsys.readouterr().err
    assert run(["nonsense"]) == USAGE


def test_a_bug_of_ours_leaves_its_traceback_in_a_log_and_not_on_the_terminal(verb, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert verb(raising(ZeroDivisionError("boom"))) == BUG
    told = capsys.readouterr().err
    assert "error: unexpected ZeroDivisionError: boom" in told
    assert "Traceback" not in told
    log = re.search(r"its log is at `(.+)`", told)
    assert log is not None
    assert "Traceback" in Path(log[1]).read_text()


def test_control_c_is_130(verb, capsys):
    assert verb(raising(KeyboardInterrupt())) == INTERRUPTED
    assert capsys.readouterr().err.endswith("interrupted\n")


def test_a_full_disk_is_an_error_and_not_a_bug(verb, capsys):
    assert verb(raising(OSError(28, "No space left on device", "/somewhere"))) == NO
    assert capsys.readouterr().err == "error: No space left on device: `/somewhere`\n"


def test_a_reader_that_goes_away_is_no_traceback():
    done = subprocess.run(
        f"{sys.executable} -m envtag --help | head -1", shell=True, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr


def test_version_is_printed(capsys):
    assert run(["--version"]) == OK
    assert re.fullmatch(r"envtag \d+\.\d+\.\d+\n", capsys.readouterr().out)


def test_a_command_looks_for_garbage_far_less_often_than_python_does():
    code = "import gc, os; os._exit = lambda _: print(gc.get_threshold()[0]); import envtag.cli as c; c.main()"
    done = subprocess.run([sys.executable, "-c", code, "--version"], capture_output=True, text=True, check=True)
    assert int(done.stdout.split()[-1]) == 100_000
