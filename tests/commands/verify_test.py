from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from support.story import HERE, Story

NAME = "mlp/tz"


def one(story: Story) -> None:
    """State: `mlp/tz:v1` with two small conda packages; pushed."""
    text = "channels: [conda-forge]\ndependencies: [prefixed, tzish]\n"
    story.resolve(f"{NAME}:v1", environment=text, options=("--platform", HERE))
    story.commit("one")


@pytest.fixture
def story(make_story: Callable[..., Story]) -> Story:
    story = make_story(one)
    story.call("publish")
    return story


def break_one(story: Story) -> str:
    path = next((story.config.directories.default_store / "objects").rglob("*.*"))
    path.unlink()
    return path.name


def test_a_broken_link_is_a_line_and_exit_code_1(story: Story):
    broken = break_one(story)
    told = story.run("verify", f"{NAME}:v1", check=1)
    (line,) = told.out.splitlines()
    assert line.startswith(f"{NAME}:v1 {HERE}: object ")
    assert f"/{broken}): expected a package in file:///" in line
    assert line.endswith(", found none")
    assert "1 release, 0 pointers, 1 manifest, 2 packages (by their sizes)" in told.err
    assert told.err.endswith(": 1 link is broken\n")
    assert "hint: remove it from the store if it is there: `envtag publish --repair`" in told.err
    story.call("publish")


def test_findings_as_json_have_these_fields(story: Story):
    break_one(story)
    (found, *_) = story.call("verify", "--all", "--json", check=1).json
    assert sorted(found) == ["alias", "expected", "found", "hint", "link", "platform", "subject"]
    assert (found["link"], found["platform"], found["found"]) == ("object", HERE, "none")


def test_that_nothing_was_checked_is_said(make_story: Callable[..., Story]):
    told = make_story().call("verify", "--all")
    assert told.err.startswith("nothing was checked")


def test_a_full_id_and_variables_name_a_release(story: Story, monkeypatch):
    monkeypatch.setenv("TAG", "v1")
    assert "every link holds" in story.call("verify", NAME + ":@{TAG}").err
    release = story.files(NAME)["tags.yml"].split("request: ")[1]
    request, lock = release[:40], release.split(f"{HERE}: ")[1][:40]
    assert "1 release," in story.call("verify", f"{request}:{lock}").err


def test_a_created_environment_is_compared_file_by_file(story: Story, tmp_path: Path):
    prefix = tmp_path / "env"
    story.call("create", f"{NAME}:v1", "--prefix", str(prefix))
    told = story.run("verify", "--prefix", str(prefix), cwd=tmp_path)
    assert told.out == ""
    assert "all as they were installed; give a REF" in told.err
    (prefix / "mine.txt").write_text("x")
    told = story.call("verify", "--prefix", str(prefix), f"{NAME}:v1")
    assert "note: not of any package: mine.txt" in told.err
    changed = next(path for path in sorted((prefix / "share").rglob("*")) if path.is_file())
    changed.unlink()
    changed.write_text("edited")
    told = story.call("verify", "--prefix", str(prefix), check=1)
    assert told.out.startswith(f"{prefix}: file {changed.relative_to(prefix).as_posix()}: expected sha256 ")
    assert "hint: `envtag create REF --prefix DIR --force` makes it anew" in told.err


def test_a_prefix_that_is_not_there_or_not_envtags(story: Story, tmp_path: Path):
    told = story.call("verify", "--prefix", str(tmp_path / "absent"), check=1)
    assert told.err.startswith(f"error: `{tmp_path / 'absent'}` is no directory\n")
    told = story.call("verify", "--prefix", str(tmp_path), check=1)
    assert "marker .envtag.json: expected a whole environment of envtag's, found none" in told.out
