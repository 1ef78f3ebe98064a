from __future__ import annotations

from pathlib import Path

import pytest

from envtag import config
from envtag.doctoring.registry import hooked, on_github, registry_findings
from envtag.registry import Registry, open_registry
from envtag.server_hook import VERSION, script
from support.repository import GitRepo


@pytest.fixture
def work(git_repo) -> GitRepo:
    repo = git_repo("work")
    repo.commit({"pyproject.toml": "[tool.envtag]\n", "envs/README.md": ""})
    return repo


def opened(repo: GitRepo) -> Registry:
    return open_registry(str(repo.path), repo.path, config.load())


def said(repo: GitRepo) -> list[tuple[str, str]]:
    with opened(repo) as registry:
        return [(item.rule, item.severity) for item in registry_findings(registry)]


def with_remote(work: GitRepo, git_repo) -> GitRepo:
    bare = git_repo("server.git", bare=True)
    work.git("remote", "add", "origin", bare.url)
    work.git("push", "--quiet", "origin", "main")
    return bare


def test_a_registry_with_a_remote_is_well(work, git_repo):
    with_remote(work, git_repo)
    assert said(work) == [("registry", "note"), ("remote", "note")]


def test_a_registry_without_a_remote_is_warned(work):
    assert said(work) == [("registry", "note"), ("remote", "warning")]


def test_a_remote_that_is_gone_is_an_error(work, git_repo, tmp_path):
    bare = with_remote(work, git_repo)
    bare.path.rename(tmp_path / "elsewhere")
    assert said(work) == [("registry", "note"), ("remote", "error")]


def test_which_remote_is_not_guessed(work, git_repo):
    for name in ("one", "two"):
        work.git("remote", "add", name, git_repo(name, bare=True).url)
    assert said(work) == [("registry", "note"), ("remote", "error")]


def test_settings_that_cannot_be_read_are_an_error(work):
    work.write({"pyproject.toml": "[tool.envtag]\nnonsense = 1\n"})
    assert said(work) == [("registry", "error")]


def test_a_registry_without_a_commit_is_an_error(git_repo):
    empty = git_repo("empty")
    empty.write({"pyproject.toml": "[tool.envtag]\n", "envs/README.md": ""})
    assert said(empty)[0] == ("registry", "error")


@pytest.mark.parametrize(
    ("url", "server", "slug"),
    [
        ("https://github.com/team/envs.git", "", "team/envs"),
        ("git@github.com:team/envs", "", "team/envs"),
        ("https://git.example.org/team/envs", "", ""),
        ("https://git.example.org/team/envs", "https://git.example.org", "team/envs"),
        ("https://gitlab.com/team/sub/envs", "https://gitlab.com", ""),
        ("/srv/envs", "", ""),
    ],
)
def test_what_is_on_github_is_known_by_the_remote(work, url, server, slug):
    work.git("remote", "add", "origin", url)
    with opened(work) as registry:
        assert on_github(registry, {"GITHUB_SERVER_URL": server}) == slug


@pytest.mark.parametrize(
    ("text", "mode", "severities"),
    [
        (script("update"), 0o755, ["note"]),
        (script("update").replace(f"update {VERSION}", "update 0"), 0o755, ["warning"]),
        (script("update"), 0o644, []),
        ("#!/bin/sh\n", 0o755, []),
    ],
)
def test_a_hook_in_a_remote_on_this_machine_is_seen(work, git_repo, text, mode, severities):
    hook: Path = with_remote(work, git_repo).path / "hooks" / "update"
    hook.write_text(text)
    hook.chmod(mode)
    with opened(work) as registry:
        assert [item.severity for item in hooked(registry)] == severities


def test_no_hook_is_looked_for_elsewhere(work):
    with opened(work) as registry:
        assert hooked(registry) == []
    work.git("remote", "add", "origin", "https://example.org/team/envs")
    with opened(work) as registry:
        assert hooked(registry) == []
