from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading

import pytest

from envtag import output
from envtag.output import Output, Task

_DRAWING = """\
import sys, time
from envtag.output import Output
with Output(quiet="quiet" in sys.argv).task("solving linux-64", 2) as outer:
    outer.advance()
    with Output().task("fetching", 10, unit="bytes") as inner:
        inner.total(20)
        inner.advance(20)
        time.sleep(0.3)
print("result")
"""


def test_data_goes_to_stdout_and_talk_to_stderr(capsys: pytest.CaptureFixture[str]):
    shown = Output()
    shown.data("result")
    shown.say("talk")
    shown.warn("careful")
    captured = capsys.readouterr()
    assert captured.out == "result\n"
    assert captured.err == "talk\nwarning: careful\n"


def test_text_that_ends_a_line_gets_no_second_end(capsys: pytest.CaptureFixture[str]):
    Output().data("result\n")
    Output().say("talk\n")
    assert tuple(capsys.readouterr()) == ("result\n", "talk\n")


def test_quiet_keeps_results_and_warnings(capsys: pytest.CaptureFixture[str]):
    shown = Output(quiet=True)
    shown.data("result")
    shown.say("talk")
    shown.warn("careful")
    assert tuple(capsys.readouterr()) == ("result\n", "warning: careful\n")


def test_json_is_sorted_indented_and_as_people_write(capsys: pytest.CaptureFixture[str]):
    Output().json({"b": ["é"], "a": 1})
    text = capsys.readouterr().out
    assert text == '{\n  "a": 1,\n  "b": [\n    "é"\n  ]\n}\n'
    assert json.loads(text) == {"a": 1, "b": ["é"]}


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("variables", "quiet", "interactive"),
    [({}, False, True), ({"NO_COLOR": "1"}, False, False), ({"CI": "true"}, False, False), ({}, True, False)],
)
def test_progress_is_for_terminals_that_do_not_refuse_it(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], quiet: bool, interactive: bool
):
    monkeypatch.setattr(sys, "stderr", _Terminal())
    for name in ("CI", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert Output(quiet=quiet).interactive is interactive


def test_no_progress_where_stderr_is_no_terminal(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert not Output().interactive


def test_a_task_without_a_terminal_draws_nothing(capsys: pytest.CaptureFixture[str]):
    with Output().task("solving", 3) as task:
        task.advance()
        task.total(5)
    assert tuple(capsys.readouterr()) == ("", "")


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo terminal")
def test_a_task_on_a_terminal_is_drawn_there_and_nowhere_else():
    shown, result = _on_a_terminal()
    assert "solving linux-64" in shown
    assert "fetching" in shown
    assert result == b"result\n"


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo terminal")
def test_an_error_in_a_task_ends_its_drawing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stderr", _Terminal())
    monkeypatch.delenv("CI", raising=False)
    shown = Output()

    def fail() -> None:
        with shown.task("solving"):
            raise RuntimeError("broken")

    for _ in range(2):
        with pytest.raises(RuntimeError, match="broken"):
            fail()


@pytest.mark.parametrize(("count", "text"), [(0, "0.0 MB"), (7_149_999, "7.1 MB"), (1_000_000_000, "1000.0 MB")])
def test_sizes_are_in_megabytes(count: int, text: str):
    assert output.megabytes(count) == text


def _on_a_terminal() -> tuple[str, bytes]:
    """What a process shows on a pseudo terminal (its stderr), and what it writes to stdout."""
    import pty

    main, side = pty.openpty()
    environ = {name: value for name, value in os.environ.items() if name not in {"CI", "NO_COLOR"}}
    process = subprocess.Popen(
        [sys.executable, "-c", _DRAWING], stdout=subprocess.PIPE, stderr=side, env={**environ, "TERM": "xterm"}
    )
    os.close(side)
    chunks: list[bytes] = []

    def drain() -> None:
        while True:
            try:
                chunk = os.read(main, 4096)
            except OSError:  # the terminal's last user is gone
                return
            if not chunk:
                return
            chunks.append(chunk)

    reader = threading.Thread(target=drain)
    reader.start()
    result, _ = process.communicate(timeout=60)
    reader.join()
    os.close(main)
    return b"".join(chunks).decode(), result


@pytest.mark.parametrize(
    ("done", "total", "unit", "speed", "words"),
    [
        (3, 4, "", None, "3 of 4"),
        (3, None, "", 2.0, ""),
        (12_300_000, 45_600_000, "bytes", 5_100_000.0, "12.3 MB of 45.6 MB, 5.1 MB/s"),
        (12_300_000, None, "bytes", None, "12.3 MB"),
    ],
)
def test_counts_are_shown_as_counts_and_bytes_as_sizes(done, total, unit, speed, words):
    assert output.how_far(done, total, unit, speed) == words


def test_a_task_is_described_anew_while_it_runs():
    told = []

    class Bars:
        def update(self, handle: str, **fields: str) -> None:
            told.append((handle, fields))

    Task(Bars(), "handle").describe("storing, 2 of 3 packages")
    Task().describe("nobody sees this")
    assert told == [("handle", {"description": "storing, 2 of 3 packages"})]
