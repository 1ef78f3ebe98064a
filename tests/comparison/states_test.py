from __future__ import annotations

from pathlib import Path

import pytest

from envtag.comparison.states import PlacedFiles, Tree, name_of
from envtag.registry.environment import WorkTreeFiles

SETTINGS = "version: 1\nspec: [requirements.txt]\nplatforms: [linux-64]\n"


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def tree(tmp_path):
    write(tmp_path, {"envs/a/envtag.yml": SETTINGS, "envs/a/b/envtag.yml": SETTINGS, "envs/a/notes/x.md": "x"})
    return Tree(words="here", files=WorkTreeFiles(tmp_path))


@pytest.mark.parametrize(
    ("path", "owner"),
    [("envs/a/x", "a"), ("envs/a/b/x", "a/b"), ("envs/a/notes/x.md", "a"), ("envs/x", ""), ("envs/c/x", "")],
)
def test_a_file_belongs_to_the_innermost_environment(tree, path, owner):
    assert tree.owner(path) == owner


def test_environments_are_listed_and_found(tree):
    assert tree.names() == ["a", "a/b"]
    assert tree.environment("a").name == "a"
    assert tree.environment("a/notes") is None


def test_the_settings_of_a_registry_are_its_table(tree, tmp_path):
    assert tree.settings() == {}
    write(tmp_path, {"pyproject.toml": '[tool.envtag]\nstore = "s3://x/y"\n'})
    assert tree.settings() == {"store": "s3://x/y"}


def test_a_directory_anywhere_is_read_as_an_environment(tmp_path):
    write(tmp_path, {"old/base/envtag.yml": SETTINGS, "old/base/sub/x.txt": "x"})
    files = PlacedFiles(WorkTreeFiles(tmp_path), "old/base", "ml/base")
    assert files.read("envs/ml/base/envtag.yml") == SETTINGS.encode()
    assert files.entries("envs/ml/base") == ["envtag.yml", "sub"]
    assert files.read("envs/ml/base/sub/x.txt") == b"x"
    assert files.find("envtag.yml", "envs") == []
    here = PlacedFiles(WorkTreeFiles(tmp_path / "old" / "base"), "", "base")
    assert here.entries("envs/base") == ["envtag.yml", "sub"]


@pytest.mark.parametrize(
    ("path", "name"),
    [("/r/envs/ml/base", "ml/base"), ("/r/envs/x/envs/y", "y"), ("/r/other/base", "base"), ("/r/envs", "envs")],
)
def test_an_environment_is_named_by_where_it_is(path, name):
    assert name_of(Path(path)) == name
