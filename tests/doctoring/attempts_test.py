from __future__ import annotations

import pytest

from envtag import config
from envtag.doctoring.attempts import PROBES, attempt_tags
from envtag.findings import Finding
from envtag.names import alias_from_ref
from envtag.registry import open_registry
from envtag.server_hook import script
from support.repository import GitRepo

#: Answers to an update, each with the hole that somebody's server has.
FORWARD_ONLY = """#!/bin/sh
case $3 in *[!0]*) ;; *) exit 1 ;; esac
case $2 in *[!0]*) git merge-base --is-ancestor "$2^{commit}" "$3^{commit}" ;; esac
"""
SHALLOW = """#!/bin/sh
case $1 in refs/tags/*/*) exit 0 ;; refs/tags/*) ;; *) exit 0 ;; esac
case $2 in *[!0]*) exit 1 ;; esac
"""


@pytest.fixture
def bare(git_repo) -> GitRepo:
    return git_repo("server", bare=True)


@pytest.fixture
def work(git_repo, bare) -> GitRepo:
    repo = git_repo("work")
    repo.commit({"pyproject.toml": "[tool.envtag]\n", "envs/README.md": ""})
    repo.commit({"a": "1"})
    repo.git("remote", "add", "origin", bare.url)
    repo.git("push", "--quiet", "origin", "main")
    return repo


def hook(bare: GitRepo, text: str) -> None:
    path = bare.path / "hooks" / "update"
    path.write_text(text)
    path.chmod(0o755)


def tried(work: GitRepo) -> list[Finding]:
    with open_registry(str(work.path), work.path, config.load()) as registry:
        return attempt_tags(registry)


def test_the_tags_are_of_three_depths_and_no_aliases():
    assert [ref.count("/") - 1 for ref in PROBES] == [1, 2, 3]
    assert all("@" in ref.rpartition("/")[2] for ref in PROBES)
    assert [alias_from_ref(ref) for ref in PROBES] == [None, None, None]


def test_a_guarded_server_refuses_every_time(work, bare):
    hook(bare, script("update"))
    for _ in range(2):  # the second finds the tags of the first
        assert [item.severity for item in tried(work)] == ["note"] * 3
    assert len(bare.git("for-each-ref", "refs/tags").splitlines()) == 3
    assert work.git("for-each-ref", "refs/tags") == ""
    assert work.git("status", "--porcelain") == ""


def test_a_plain_server_lets_everything_happen(work, bare):
    found = tried(work)
    assert [item.severity for item in found] == ["error"] * 3
    assert found[1].message == (
        "`origin` let `refs/tags/envtag/probe@V1` be moved forward and moved sideways and moved backward and deleted"
    )
    assert bare.git("for-each-ref", "refs/tags") == ""


def test_a_server_that_lets_tags_move_forward_is_found(work, bare):
    hook(bare, FORWARD_ONLY)
    assert {item.message.partition(" be ")[2] for item in tried(work)} == {"moved forward"}


def test_a_pattern_that_stops_at_a_slash_is_found(work, bare):
    hook(bare, SHALLOW)
    assert [item.severity for item in tried(work)] == ["note", "error", "error"]


def test_a_server_that_refuses_to_make_tags_cannot_be_tried(work, bare):
    hook(bare, "#!/bin/sh\necho no >&2\nexit 1\n")
    found = tried(work)
    assert [item.severity for item in found] == ["warning"] * 3
    assert "cannot be tried" in found[0].message


def test_a_push_that_never_reaches_the_server_is_no_refusal(work, bare, monkeypatch):
    hook(bare, script("update"))
    tried(work)
    work.git("config", "remote.origin.receivepack", "false")  # as if the user had no right to push
    found = tried(work)
    assert [item.severity for item in found] == ["warning"] * 3


def test_without_a_remote_or_a_commit_there_is_nothing_to_try(git_repo):
    lonely = git_repo("lonely")
    lonely.commit({"pyproject.toml": "[tool.envtag]\n", "envs/README.md": ""})
    assert "has no remote" in tried(lonely)[0].message
    lonely.git("remote", "add", "origin", git_repo("empty", bare=True).url)
    assert "has no commit yet" in tried(lonely)[0].message


def test_a_server_with_one_commit_is_tried_too(git_repo, bare):
    first = git_repo("first")
    first.commit({"pyproject.toml": "[tool.envtag]\n", "envs/README.md": ""})
    first.git("remote", "add", "origin", bare.url)
    first.git("push", "--quiet", "origin", "main")
    hook(bare, script("update"))
    assert [item.severity for item in tried(first)] == ["note"] * 3
