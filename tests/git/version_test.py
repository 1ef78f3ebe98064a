from __future__ import annotations

from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.git.version import OLDEST, installed_version


def program(directory: Path, said: str, monkeypatch) -> None:
    directory.mkdir(exist_ok=True)
    (directory / "git").write_text(f"#!/bin/sh\n{said}\n")
    (directory / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")


def test_the_git_of_this_machine_is_new_enough():
    said, numbers = installed_version()
    assert said.startswith(".".join(map(str, numbers)))
    assert numbers >= OLDEST


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("git version 2.9.5", ("2.9.5", (2, 9))),
        ("git version 2.39.5 (Apple Git-154)", ("2.39.5 (Apple Git-154)", (2, 39))),
        ("git version 2.47.1.windows.2", ("2.47.1.windows.2", (2, 47))),
    ],
)
def test_versions_are_numbers(tmp_path, monkeypatch, said, expected):
    program(tmp_path / "bin", f"echo '{said}'", monkeypatch)
    assert installed_version() == expected


def test_a_git_that_says_nothing_or_fails_is_an_error(tmp_path, monkeypatch):
    program(tmp_path / "bin", "echo what", monkeypatch)
    with pytest.raises(FatalError, match="does not say which version"):
        installed_version()
    program(tmp_path / "bin", "exit 3", monkeypatch)
    with pytest.raises(FatalError, match="git does not run"):
        installed_version()


def test_no_git_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FatalError, match="`git` is not installed"):
        installed_version()
