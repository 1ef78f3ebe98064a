"""Words that do not belong in the project's files; each is put together here so that this file does not hold it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.source import ROOT, project_files

#: Hosts of public registries: the tools' own defaults are used, so none is ever named.
HOSTS = tuple(
    ".".join(parts)
    for parts in (("pypi", "org"), ("pythonhosted", "org"), ("debian", "org"), ("npmjs", "com"), ("npmjs", "org"))
)
#: Directories of one machine.
PATHS = re.compile(r"(?<![\w.])/(" + "wor" + "k|roo" + "t)/")
LEFT_TO_DO = re.compile(r"\b(TO" + "DO|FIX" + "ME|XX" + r"X)\b")
LARGEST = 1_000_000


def _texts() -> list[tuple[str, str]]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    found = []
    for path in project_files():
        data = path.read_bytes()
        if b"\0" not in data and len(data) <= LARGEST:
            found.append((path.relative_to(ROOT).as_posix(), data.decode("utf-8", "replace")))
    return found


def _lines(pattern: re.Pattern[str], below: str = "") -> list[str]:
    return [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in _texts()
        if name.startswith(below)
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_file_names_the_host_of_a_public_registry():
    assert _lines(re.compile("|".join(map(re.escape, HOSTS)), re.IGNORECASE)) == []


def test_no_file_holds_a_path_of_one_machine():
    assert _lines(PATHS) == []


def test_nothing_in_the_tool_is_left_to_do():
    assert _lines(LEFT_TO_DO, "tool/") == []


def test_no_file_is_large():
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    large = {path.relative_to(ROOT).as_posix(): path.stat().st_size for path in project_files()}
    assert {name: size for name, size in large.items() if size > LARGEST} == {}


def test_every_text_ends_with_a_newline_and_has_no_carriage_return():
    wrong = [name for name, text in _texts() if text and (not text.endswith("\n") or "\r" in text)]
    assert wrong == []


def test_the_patterns_find_what_they_are_for():
    assert PATHS.search("see /wor" + "k/x")
    assert not PATHS.search("a/wor" + "k/x")
    assert LEFT_TO_DO.search("# TO" + "DO: later")
    assert Path(__file__).is_relative_to(ROOT)
