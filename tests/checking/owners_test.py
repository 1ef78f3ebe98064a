from __future__ import annotations

import pytest

from envtag import codeowners
from envtag.checking.files import PlainFiles
from envtag.checking.owners import read_owners
from support.checks import found, only, rules
from support.story import Story


def owners(story: Story, text: str | None) -> None:
    path = story.path / "CODEOWNERS"
    if text is None:
        path.unlink()
    else:
        path.write_text(text)
    story.repo.commit(message="owners")
    story.repo.git("push", "--quiet", "origin", "HEAD:main")


@pytest.mark.parametrize("text", ["* @a\n", "/envs/mlp/ @a/b\n", "/envs/ me@e.org\n"])
def test_an_environment_with_owners_is_fine(touched: Story, text: str):
    owners(touched, text)
    (touched.path / "envs/mlp/base/notes.md").write_text("x")
    assert found(touched) == ()


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("/envs/other/ @a\n", "`mlp/base` has no owner", 0),
        ("* @a\n/envs/mlp/base/\n", "`mlp/base` has no owner: line 2 of `CODEOWNERS` takes its owners away", 2),
        ("* @a\ntags.yml\n", "`envs/mlp/base/tags.yml` has no owner: line 2 of `CODEOWNERS` takes", 2),
        ("/envs/MLP/ @a\n", "`mlp/base` has no owner", 0),
    ],
)
def test_an_environment_without_owners_is_an_error(touched: Story, text: str, message: str, line: int):
    owners(touched, text)
    (touched.path / "envs/mlp/base/notes.md").write_text("x")
    finding = only(found(touched), "codeowners-cover")
    assert finding.message.startswith(message)
    assert (finding.severity, finding.line, finding.environment) == ("error", line, "mlp/base")


@pytest.mark.parametrize("text", [None, "# nobody\n"])
def test_a_registry_without_owners_is_one_warning(touched: Story, text: str | None):
    owners(touched, text)
    (touched.path / "envs/mlp/base/notes.md").write_text("x")
    findings = found(touched)
    assert [(item.rule, item.severity) for item in findings] == [("codeowners-cover", "warning")]


def test_a_line_that_github_skips_is_an_error_for_who_changes_the_file(touched: Story):
    (touched.path / "CODEOWNERS").write_text("* @a\n/envs/mlp/ nobody\n")
    finding = only(found(touched), "codeowners-parse")
    assert (finding.severity, finding.line) == ("error", 2)
    owners(touched, "* @a\n/envs/mlp/ nobody\n")
    (touched.path / "envs/mlp/base/notes.md").write_text("x")
    assert rules(found(touched)) == []
    assert only(found(touched), "codeowners-parse").severity == "warning"
    assert only(found(touched, whole=True), "codeowners-parse").severity == "error"


def test_the_rules_of_review_have_owners_of_their_own(touched: Story):
    (touched.path / "CODEOWNERS").write_text("/envs/ @a\n")
    messages = [item.message for item in found(touched) if item.rule == "codeowners-cover"]
    assert [message.split("`")[1] for message in messages] == [".github/workflows", "CODEOWNERS", "pyproject.toml"]


def test_the_first_place_counts_and_a_big_file_does_not(tmp_path, monkeypatch):
    assert read_owners(PlainFiles(tmp_path)).path == ""
    (tmp_path / "CODEOWNERS").write_text("* @root\n")
    assert read_owners(PlainFiles(tmp_path)).parsed.owners("x") == ("@root",)
    (tmp_path / ".github").mkdir()
    (tmp_path / ".github/CODEOWNERS").write_text("* @github\n")
    assert read_owners(PlainFiles(tmp_path)).parsed.owners("x") == ("@github",)
    monkeypatch.setattr(codeowners, "SIZE_LIMIT", 5)
    assert "over 3 MB" in read_owners(PlainFiles(tmp_path)).problem


def test_a_linked_file_is_an_error(touched: Story):
    (touched.path / "CODEOWNERS").unlink()
    (touched.path / "CODEOWNERS").symlink_to("README.md")
    assert "not a plain file" in only(found(touched), "codeowners-parse").message
