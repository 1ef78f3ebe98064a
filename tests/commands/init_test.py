from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from envtag import config
from envtag.commands.init import init
from envtag.errors import FatalError
from envtag.output import Output
from envtag.registry import open_registry


def test_it_says_what_it_wrote_and_what_is_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    root = tmp_path / "my envs"
    assert init(root, store="file:///srv/store/", output=Output()) == 0
    out, said = capsys.readouterr()
    assert out == ""
    assert f"wrote {os.path.relpath(root / 'pyproject.toml')}" in said
    assert "its store is `file:///srv/store`" in said
    with open_registry("", root, config.load()) as registry:
        assert registry.settings.store == "file:///srv/store"


def test_the_commands_that_it_names_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    init(Path("my envs"), store="", output=Output())
    lines = capsys.readouterr().err.split("next:\n")[1].splitlines()
    commands = [line.strip() for line in lines if not line.strip().startswith("envtag ")]
    assert [shlex.split(command)[0] for command in commands] == ["cd", "git", "git"]
    subprocess.run(" && ".join(commands), shell=True, check=True, capture_output=True)
    assert subprocess.check_output(["git", "-C", "my envs", "status", "--porcelain"]) == b""
    assert subprocess.check_output(["git", "-C", "my envs", "ls-files"]).split() == [
        b".gitattributes", b"CODEOWNERS", b"README.md", b"envs/.gitkeep", b"pyproject.toml",
    ]  # fmt: skip


def test_here_needs_no_change_of_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    init(Path(), store="", output=Output())
    said = capsys.readouterr().err
    assert "cd " not in said
    assert "the local one of each person" in said


def test_a_plain_path_as_store_gets_its_url_as_a_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FatalError, match="the store `my store` is not an absolute URL") as caught:
        init(tmp_path / "r", store="my store", output=Output())
    assert caught.value.hint == f"for a directory, `--store {tmp_path.as_uri()}/my%20store`"
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("store", ["ftp://host/x", "s3://key:hunter2@bucket", "file://relative"])
def test_a_store_that_is_none_is_refused_before_anything_is_made(tmp_path: Path, store: str):
    with pytest.raises(FatalError) as caught:
        init(tmp_path / "r", store=store, output=Output())
    assert "hunter2" not in caught.value.message
    assert not (tmp_path / "r").exists()


def test_quiet_is_quiet(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    init(tmp_path / "r", store="", output=Output(quiet=True))
    assert capsys.readouterr() == ("", "")
