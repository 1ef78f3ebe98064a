from __future__ import annotations

import pytest

from envtag.checking.files import PlainFiles
from envtag.checking.subject import read_subject
from support.checks import edit_text, found, only, rules
from support.story import HERE, Story

BASE = "envs/mlp/base"


def read(story: Story, name: str = "mlp/base"):
    with story.registry() as registry:
        base = registry.git.commit_of("origin/main")
        assert base is not None
        return read_subject(name, PlainFiles(story.path), registry, base)


def test_what_can_be_read_is_read_in_spite_of_the_rest(registry: Story):
    edit_text(registry, f"{BASE}/tags.yml", "version: 1", "version: 9")
    edit_text(registry, f"{BASE}/{HERE}-lock.yml", "name: alpha", "name: alfa")
    subject = read(registry)
    assert subject.settings is not None
    assert subject.ledger is None
    assert subject.released is not None
    assert set(subject.locks) == {"osx-arm64"}
    assert {(item.path, item.rule) for item in subject.problems} == {
        (f"{BASE}/tags.yml", "file-malformed"),
        (f"{BASE}/{HERE}-lock.yml", "file-malformed"),
    }


def test_lines_are_those_of_the_file(registry: Story):
    subject = read(registry)
    assert (subject.release_line("v1"), subject.release_line("v2")) == (3, 0)
    assert subject.line("tags.yml", "releases:") == 2
    assert subject.line("tags.yml", "nonsense") == 0


def test_new_and_removed_environments_have_one_side(registry: Story):
    registry.repo.git("mv", BASE, "envs/mlp/moved")
    assert (read(registry).now, read(registry, "mlp/moved").before) == (None, None)


@pytest.mark.parametrize(
    ("file", "text", "line"),
    [
        ("envtag.yml", "version: 1\nspec: [environment.yml]\nplatforms: [linux-64]\nnonsense: 1\n", 4),
        ("envtag.yml", "version: 1\nspec: [../../../pyproject.toml]\nplatforms: [linux-64]\n", 2),
        ("envtag.yml", "version: 1\nspec: [/etc/passwd]\nplatforms: [linux-64]\n", 2),
        ("envtag.yml", "version: 1\nspec: [gone.txt]\nplatforms: [linux-64]\n", 0),
        ("environment.yml", "channels: [conda-forge]\ndependencies:\n- python\n- '==='\n", 4),
    ],
)
def test_a_refusal_names_its_file_and_line(registry: Story, file: str, text: str, line: int):
    (registry.path / BASE / file).write_text(text)
    finding = only(found(registry), "file-malformed")
    assert (finding.path, finding.line) == (f"{BASE}/{file}", line)


@pytest.mark.parametrize("include", ["-r ../../../pyproject.toml", "-r /etc/passwd", "-c ../other/x.txt"])
def test_a_spec_includes_nothing_from_outside_its_directory(registry: Story, include: str):
    edit_text(registry, f"{BASE}/envtag.yml", "spec: [environment.yml]", "spec: [environment.yml, more.txt]")
    (registry.path / BASE / "more.txt").write_text(f"{include}\n")
    findings = found(registry)
    assert "file-malformed" in rules(findings)
    assert not any("root:" in f"{item.message}{item.hint}" for item in findings)
