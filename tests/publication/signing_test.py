from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.git import Git
from envtag.names import Alias
from envtag.publication.signing import Signing
from envtag.registry import Registry
from envtag.signatures import SigningRule
from support.repository import GitRepo
from support.signing import Key, needs_ssh

V1 = Alias(name="mlp/base", tag="v1")


@pytest.fixture
def repo(git_repo: Callable[..., GitRepo]) -> GitRepo:
    made = git_repo()
    made.commit({"file": "x"})
    return made


@pytest.fixture
def registry(repo: GitRepo) -> Iterator[Registry]:
    with Registry(Git(repo.path), location=str(repo.path), worktree=repo.path) as opened:
        yield opened


@pytest.fixture
def alice(tmp_path: Path) -> Key:
    return Key.make(tmp_path, "alice@example.org")


def test_nothing_is_signed_that_nobody_asks_for(registry: Registry, repo: GitRepo):
    signing = Signing(registry=registry, rule=SigningRule())
    assert signing.signer is None
    head = repo.git("rev-parse", "HEAD")
    signing.check(V1, head)
    assert "BEGIN" not in repo.git("cat-file", "tag", signing.make_tag(V1, head, "text\n"))


@pytest.mark.parametrize(
    "signing",
    [
        lambda registry: Signing(registry=registry, rule=SigningRule(required=True)),
        lambda registry: Signing(registry=registry, rule=SigningRule(), wanted=True),
    ],
)
def test_who_is_to_sign_needs_a_key(registry: Registry, signing: Callable[[Registry], Signing]):
    with pytest.raises(FatalError, match="git has no key to sign tags with"):
        signing(registry).check(V1, "HEAD")


def test_a_kind_of_key_that_readers_cannot_check_is_for_who_need_not_sign(registry: Registry):
    other = Signing(registry=registry, rule=SigningRule(required=True), key="ABCD")
    with pytest.raises(FatalError, match="git signs with openpgp here"):
        other.check(V1, "HEAD")
    free = Signing(registry=registry, rule=SigningRule(), key="ABCD")
    assert free.signer is not None
    assert free.signer.format == "openpgp"


@needs_ssh
def test_a_key_is_tried_once_on_what_is_no_release(
    registry: Registry, repo: GitRepo, alice: Key, monkeypatch: pytest.MonkeyPatch
):
    alice.configure(repo)
    made: list[tuple[str, str]] = []
    real = Git.make_tag

    def make_tag(self, ref: str, commit: str, message: str, *, signer=None) -> str:
        made.append((ref, message))
        return real(self, ref, commit, message, signer=signer)

    monkeypatch.setattr(Git, "make_tag", make_tag)
    signing = Signing(registry=registry, rule=SigningRule(required=True, signers=alice.line().encode()))
    head = repo.git("rev-parse", "HEAD")
    signing.check(V1, head)
    signing.check(V1, head)
    ((ref, message),) = made
    assert V1.ref != ref
    assert "vouches for nothing" in message
    assert "BEGIN SSH SIGNATURE" in repo.git("cat-file", "tag", signing.make_tag(V1, head, "text\n"))
    assert repo.git("for-each-ref", "refs/tags") == ""


@needs_ssh
def test_a_tag_that_readers_would_refuse_is_not_given_away(registry: Registry, repo: GitRepo, alice: Key):
    alice.configure(repo)
    signing = Signing(registry=registry, rule=SigningRule(required=True, signers=b"bob ssh-ed25519 AAAA\n"))
    head = repo.git("rev-parse", "HEAD")
    for call in (lambda: signing.check(V1, head), lambda: signing.make_tag(V1, head, "text\n")):
        with pytest.raises(
            FatalError, match="nobody could use this release: `mlp/base:v1` is signed with the key"
        ) as e:
            call()
        assert "--sign-key" in e.value.hint


@needs_ssh
def test_a_tag_that_vanishes_is_told(registry: Registry, repo: GitRepo, alice: Key, monkeypatch: pytest.MonkeyPatch):
    alice.configure(repo)
    signing = Signing(registry=registry, rule=SigningRule(required=True, signers=alice.line().encode()))
    monkeypatch.setattr(Git, "make_tag", lambda *_, **__: "a" * 40)
    with pytest.raises(FatalError, match="was removed while it was being made"):
        signing.make_tag(V1, repo.git("rev-parse", "HEAD"), "text\n")
