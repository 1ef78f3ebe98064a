from __future__ import annotations

import pytest

from envtag.findings.escape import LIMIT, one_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain `code` text", "plain `code` text"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("n\u0430mpy", "n\\u0430mpy"),
        ("::error::x", "\\x3a:error::x"),
        ("  ::stop-commands::x", "  \\x3a:stop-commands::x"),
        ("a ##[error]x", "a #\\x23[error]x"),
    ],
)
def test_nothing_is_a_command_to_a_terminal_or_a_log(text: str, shown: str):
    assert one_line(text) == shown


def test_what_is_too_long_is_cut():
    assert len(one_line("a" * 10_000)) == LIMIT
