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


def test_github_is_served_by_a_new_registry_and_by_one_that_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    new, old = tmp_path / "new", tmp_path / "old"
    init(new, store="gs://bucket/envs", github=True, owner="@acme/ml", output=Output())
    said = capsys.readouterr().err
    assert "envtag resolve" in said
    assert "nobody has to review" not in said
    init(old, store="", output=Output())
    capsys.readouterr()
    init(old, store="", github=True, output=Output())
    said = capsys.readouterr().err
    assert "warning: nobody has to review changes of `/envs/`, `/.envtag/`, `/.github/`" in said
    assert "Let GitHub serve the registry" in said
    action = ".github/actions/envtag-setup/action.yml"
    assert "envtag[gcs]==" in (new / action).read_text()
    assert "envtag==" in (old / action).read_text()
    assert "/.github/ @acme/ml" in (new / "CODEOWNERS").read_text()
    init(old, store="", github=True, output=Output())
    assert "has all that GitHub needs already" in capsys.readouterr().err


def test_an_edited_workflow_stops_it_before_anything_is_written(tmp_path: Path):
    root = tmp_path / "registry"
    init(root, store="", github=True, output=Output())
    workflow, action = root / ".github/workflows/publish.yml", root / ".github/actions/envtag-setup/action.yml"
    workflow.write_text("mine\n")
    action.unlink()
    with pytest.raises(FatalError, match="would be replaced"):
        init(root, store="", github=True, output=Output())
    assert not action.exists()
    init(root, store="", github=True, force=True, output=Output())
    assert action.is_file()
    assert "mine" not in workflow.read_text()
    subprocess.run(["git", "init", "--quiet", str(tmp_path / "other")], check=True)
    (tmp_path / "other/.github/workflows").mkdir(parents=True)
    (tmp_path / "other/.github/workflows/publish.yml").write_text("mine\n")
    with pytest.raises(FatalError, match="would be replaced"):
        init(tmp_path / "other", store="", github=True, output=Output())
    assert not (tmp_path / "other/envs").exists()


def test_the_branch_that_is_published_is_the_default_one(tmp_path: Path):
    subprocess.run(["git", "init", "--quiet", "--initial-branch=trunk", str(tmp_path)], check=True)
    init(tmp_path, store="", github=True, output=Output())
    assert "branches: ['trunk']" in (tmp_path / ".github/workflows/publish.yml").read_text()


def test_a_store_is_not_changed_in_a_registry_that_is_there(tmp_path: Path):
    init(tmp_path / "r", store="", output=Output())
    with pytest.raises(FatalError, match="is a registry already"):
        init(tmp_path / "r", store="s3://b/x", github=True, output=Output())
