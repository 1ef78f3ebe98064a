from __future__ import annotations

from envtag.diff.table import render
from support.diffs import changed, conda, content, diff_of, eventful, lock


def test_everything_is_in_aligned_columns():
    text = render(eventful())
    assert text.startswith("1 environment changed, 4 red flags: main at 0123456789ab -> the work tree\n")
    assert "\nRED FLAGS\n" in text
    lines = text.splitlines()
    head = next(line for line in lines if line.lstrip().startswith("package  "))
    row = next(line for line in lines if line.lstrip().startswith("numpy "))
    assert head.index("before") == row.index("1.26.4")
    assert all(line == line.rstrip() for line in lines)


def test_no_difference_is_one_line():
    assert render(diff_of()) == "No environment changed: main at 0123456789ab -> the work tree\n"


def test_control_sequences_and_commands_do_not_reach_a_terminal_or_a_log():
    evil = "::error::\x1b[31m\n##[error]"
    found = changed(content(lock(conda("a"))), content(lock(conda("a", evil, license=evil)), texts={evil: evil}))
    text = render(diff_of(found, before=evil))
    assert "\x1b" not in text
    assert "##[" not in text
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())


def test_an_environment_of_which_all_is_known_has_no_note():
    assert "Not looked into" not in render(diff_of(changed(content(lock(conda("a"))), content(lock()))))
