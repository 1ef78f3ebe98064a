from __future__ import annotations

from pathlib import Path

import pytest

from envtag import config
from envtag.errors import FatalError
from envtag.registry import open_registry
from envtag.registry.create import create_registry
from support.repository import GitRepo

STORE = "s3://bucket/prefix"
ALL = [".gitattributes", "CODEOWNERS", "README.md", "envs/.gitkeep", "pyproject.toml"]


def _tree(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(root).parts
    }


@pytest.mark.parametrize("there", [False, True])
def test_a_new_or_empty_directory_becomes_a_registry(tmp_path: Path, *, there: bool):
    root = tmp_path / "deep" / "registry"
    if there:
        root.mkdir(parents=True)
    assert create_registry(root, STORE) == ALL
    assert sorted(_tree(root)) == ALL
    with open_registry("", root, config.load()) as registry:
        assert registry.settings.store == STORE
        assert registry.names() == []
    assert GitRepo(root).git("symbolic-ref", "HEAD") == "refs/heads/main"
    assert GitRepo(root).git("diff", "--cached", "--name-only") == ""


def test_without_a_store_a_comment_says_what_holds(tmp_path: Path):
    create_registry(tmp_path / "r", "")
    with open_registry("", tmp_path / "r", config.load()) as registry:
        assert registry.settings.store == ""
    assert '# store = "s3://BUCKET/PREFIX"' in (tmp_path / "r" / "pyproject.toml").read_text()


def test_locks_are_generated_text_with_one_line_end_to_git(tmp_path: Path):
    create_registry(tmp_path / "r", "")
    repo = GitRepo(tmp_path / "r")
    said = repo.git("check-attr", "-a", "envs/a/linux-64-lock.yml", "envs/a/b/c/osx-arm64-lock.yml")
    for path in ("envs/a/linux-64-lock.yml", "envs/a/b/c/osx-arm64-lock.yml"):
        for attribute in ("linguist-generated: true", "eol: lf", "text: set"):
            assert f"{path}: {attribute}" in said
    assert repo.git("check-attr", "linguist-generated", "envs/a/envtag.yml").endswith("unspecified")


def test_files_of_a_repository_are_kept_to_the_byte(tmp_path: Path):
    repo = GitRepo.create(tmp_path / "repo")
    project = "# mine\n[project]\nname   = 'x'  # a comment\n\n[tool.ruff]\nline-length = 99"
    repo.commit({
        "pyproject.toml": project, ".gitattributes": "*.png binary\n", "readme.rst": "mine\n",
        ".github/CODEOWNERS": "* @me\n",
    })  # fmt: skip
    assert create_registry(repo.path, STORE) == [".gitattributes", "envs/.gitkeep", "pyproject.toml"]
    assert (repo.path / "pyproject.toml").read_text().startswith(project + "\n\n[tool.envtag]\n")
    assert (repo.path / ".gitattributes").read_text().startswith("*.png binary\n\n# Locks")
    assert (repo.path / "readme.rst").read_text() == "mine\n"
    with open_registry("", repo.path, config.load()) as registry:
        assert registry.settings.store == STORE


@pytest.mark.parametrize(
    ("files", "git", "said"),
    [
        ({"x.txt": ""}, False, "neither empty nor the top of a git repository"),
        ({"envs/a/envtag.yml": ""}, True, "has `envs/` already"),
        ({"pyproject.toml": "[tool.envtag]\n"}, True, r"has `\[tool.envtag\]` already"),
        ({"pyproject.toml": "[tool"}, True, "not TOML"),
        ({"pyproject.toml": "tool = {ruff = {}}\n"}, True, "not TOML|cannot follow"),
        ({".gitattributes": b"\xff"}, True, "cannot be read"),
    ],
)
def test_what_cannot_become_a_registry_stays_as_it_is(tmp_path: Path, files: dict, git: bool, said: str):
    root = tmp_path / "root"
    repo = GitRepo.create(root) if git else GitRepo(root)
    root.mkdir(exist_ok=True)
    repo.write(files)
    before = _tree(root)
    with pytest.raises(FatalError, match=said):
        create_registry(root, STORE)
    assert _tree(root) == before
    assert (root / ".git").exists() == git


def test_a_file_and_a_bare_repository_are_refused(tmp_path: Path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(FatalError, match="is a file"):
        create_registry(tmp_path / "file", "")
    GitRepo.create(tmp_path / "bare.git", bare=True)
    with pytest.raises(FatalError, match="bare repository"):
        create_registry(tmp_path / "bare.git", "")


def test_again_is_refused(tmp_path: Path):
    create_registry(tmp_path / "r", "")
    with pytest.raises(FatalError, match="already"):
        create_registry(tmp_path / "r", "")
