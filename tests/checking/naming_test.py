from __future__ import annotations

import shutil

import pytest

from envtag.checking.files import PlainFiles
from envtag.checking.naming import Neighbours
from support.checks import found, only, rules
from support.story import Story


def copied(story: Story, name: str) -> None:
    shutil.copytree(story.path / "envs/mlp/base", story.path / "envs" / name)


@pytest.mark.parametrize("name", ["mlp/Base", "mlp/con", "mlp/stable", "mlp/a b"])
def test_an_illegal_name_is_an_error(registry: Story, name: str):
    copied(registry, name)
    assert only(found(registry), "name-legal").environment == name


@pytest.mark.parametrize(("name", "other"), [("mlp/BASE", "mlp/base"), ("MLP/other", "mlp")])
def test_names_that_differ_in_case_alone_collide(registry: Story, name: str, other: str):
    copied(registry, name)
    findings = found(registry)
    assert {"name-legal", "name-collision"} <= set(rules(findings))
    assert f"`{other}`" in only(findings, "name-collision").message


def test_names_that_look_alike_are_a_warning_for_a_new_one(registry: Story):
    copied(registry, "mlp/team-base")
    assert "name-collision" not in rules(found(registry), "warning")
    copied(registry, "mlp/team_base")
    findings = [item for item in found(registry) if item.rule == "name-collision"]
    assert {item.severity for item in findings} == {"warning"}


def test_a_tag_in_the_way_is_an_error(registry: Story):
    copied(registry, "other/base")
    assert rules(found(registry)) == []
    registry.repo.git("tag", "other")
    assert "`other` is in the way" in only(found(registry), "ref-clash").message


def test_a_directory_is_listed_once(tmp_path, monkeypatch):
    for name in ("a/b", "a/B", "a/c-d", "a/c.d"):
        (tmp_path / "envs" / name).mkdir(parents=True)
    listed: list[str] = []
    entries = PlainFiles.entries
    monkeypatch.setattr(PlainFiles, "entries", lambda self, place: listed.append(place) or entries(self, place))
    neighbours = Neighbours(PlainFiles(tmp_path))
    assert list(neighbours.like("a/b")) == [("a/b", "a/B", True)]
    assert list(neighbours.like("a/c-d")) == [("a/c-d", "a/c.d", False)]
    assert listed == ["envs", "envs/a"]
