from __future__ import annotations

import os

import pytest

from envtag.checking import files
from envtag.checking.files import PlainFiles, below
from envtag.errors import FatalError
from support.checks import found, only, rules
from support.story import Story


def test_plain_files_are_read(tmp_path):
    (tmp_path / "envs/a").mkdir(parents=True)
    (tmp_path / "envs/a/envtag.yml").write_bytes(b"x")
    plain = PlainFiles(tmp_path)
    assert plain.read("envs/a/envtag.yml") == b"x"
    assert plain.read("envs/a/tags.yml") is None
    assert plain.read("envs/a") is None
    assert plain.read("envs/a/envtag.yml/x") is None
    assert plain.entries("envs/a") == ["envtag.yml"]
    assert plain.entries("envs/b") == []
    assert plain.find("envtag.yml", "envs") == ["envs/a/envtag.yml"]


def test_links_pipes_and_big_files_are_not_read(tmp_path, monkeypatch):
    (tmp_path / "envs/a").mkdir(parents=True)
    (tmp_path / "envs/a/x").write_bytes(b"x" * 11)
    (tmp_path / "envs/a/link").symlink_to("x")
    (tmp_path / "envs/b").symlink_to("a")
    os.mkfifo(tmp_path / "envs/a/pipe")
    monkeypatch.setattr(files, "FILE_BYTES", 10)
    plain = PlainFiles(tmp_path)
    for path, reason in (
        ("envs/a/link", "not a plain file"),
        ("envs/a/pipe", "not a plain file"),
        ("envs/a/x", "bigger than"),
        ("envs/b/x", "`envs/b` is a link"),
    ):
        with pytest.raises(FatalError, match=reason):
            plain.read(path)
    assert plain.entries("envs/b") == []


def test_what_is_below_another_environment_is_of_that(tmp_path):
    for path in ("a/envtag.yml", "a/deep/x", "a/b/envtag.yml", "a/b/y"):
        (tmp_path / "envs" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "envs" / path).write_bytes(b"")
    assert sorted(path for path, _ in below(tmp_path, "a")) == ["envs/a/deep/x", "envs/a/envtag.yml"]
    assert list(below(tmp_path, "gone")) == []


def test_a_linked_settings_file_is_an_error_and_is_not_followed(touched: Story):
    settings = touched.path / "envs/mlp/base/envtag.yml"
    settings.unlink()
    settings.symlink_to("/etc/passwd")
    findings = found(touched)
    assert rules(findings) == ["file-malformed", "file-plain"]
    assert only(findings, "file-plain").path == "envs/mlp/base/envtag.yml"
    assert not any("root:" in f"{item.message}{item.hint}" for item in findings)


def test_a_repository_within_an_environment_is_an_error(touched: Story):
    inner = touched.path / "envs/mlp/base/inner"
    inner.mkdir()
    touched.repo.git("init", "--quiet", str(inner))
    (inner / "x").write_text("x")
    assert "a repository of its own" in only(found(touched), "file-plain").message


def test_a_file_that_is_too_big_is_an_error_and_is_not_read(touched: Story):
    with (touched.path / "envs/mlp/base/tags.yml").open("ab") as stream:
        stream.truncate(files.FILE_BYTES + 1)
    findings = found(touched)
    assert "file-size" in rules(findings)
    assert "bigger than is read" in only(findings, "file-malformed").message
