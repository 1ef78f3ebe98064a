from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.git import Git
from envtag.git.signing import Signature, configured_signer, no_signer, sign_tag, signature_format, verify_tag
from support.repository import GitRepo
from support.signing import Key, needs_gpg, needs_ssh

pytestmark = needs_ssh
REF = "refs/tags/mlp/base@v1"
TEXT = 'mlp/base:v1\n\n{"a":"é"}\n'
DAY = "2024-12-01"  # of every tag that a test makes


@pytest.fixture
def repo(git_repo: Callable[..., GitRepo]) -> GitRepo:
    made = git_repo()
    made.commit({"file": "x"})
    return made


@pytest.fixture
def alice(tmp_path: Path) -> Key:
    return Key.make(tmp_path, "alice@example.org")


@pytest.fixture
def bob(tmp_path: Path) -> Key:
    return Key.make(tmp_path, "bob@example.org")


def make(repo: GitRepo, key: str = "") -> str:
    with Git(repo.path) as git:
        signer = configured_signer(git, key)
        assert signer is not None
        return git.make_tag(REF, repo.git("rev-parse", "HEAD"), TEXT, signer=signer)


def verdict(repo: GitRepo, sha: str, signers: str) -> Signature:
    with Git(repo.path) as git:
        tag = git.tag(sha)
        assert tag is not None
        return verify_tag(git, tag, signers.encode())


def altered(repo: GitRepo, sha: str, old: str, new: str) -> str:
    data = repo.git("cat-file", "tag", sha) + "\n"
    assert old in data
    return repo.git("mktag", stdin=data.replace(old, new, 1).encode())


def test_a_signed_tag_is_the_unsigned_one_and_a_signature_and_no_ref_leads_to_it(repo: GitRepo, alice: Key):
    alice.configure(repo)
    with Git(repo.path) as git:
        plain = git.make_tag(REF, repo.git("rev-parse", "HEAD"), TEXT)
    signed = make(repo)
    data, after = repo.git("cat-file", "tag", plain) + "\n", repo.git("cat-file", "tag", signed)
    assert after.startswith(data + "-----BEGIN SSH SIGNATURE-----\n")
    assert repo.git("for-each-ref", "refs/tags") == ""
    assert verdict(repo, signed, alice.line()).principal == alice.who
    with Git(repo.path) as git:
        tag = git.tag(signed)
    assert tag is not None
    assert tag.tagger == "A Tester <tester@example.org>"
    assert tag.date.startswith(DAY)


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_what_git_itself_verifies(repo: GitRepo, tmp_path: Path, kind: str):
    key = Key.make(tmp_path, "carol@example.org", kind)
    key.configure(repo)
    sha = make(repo)
    (tmp_path / "allowed").write_text(key.line('namespaces="git"'))
    repo.git("-c", f"gpg.ssh.allowedSignersFile={tmp_path / 'allowed'}", "verify-tag", sha)
    found = verdict(repo, sha, key.line('namespaces="git"'))
    assert (found.format, found.principal, found.problem) == ("ssh", key.who, "")
    assert found.key.startswith("SHA256:")


def test_a_key_that_is_named_or_given_as_text_or_by_a_command(repo: GitRepo, alice: Key, bob: Key, tmp_path: Path):
    alice.configure(repo)
    assert verdict(repo, make(repo, str(bob.path)), bob.line()).principal == bob.who
    repo.git("config", "--unset", "user.signingkey")
    with Git(repo.path) as git:
        assert configured_signer(git) is None
    agent = tmp_path / "default key"
    agent.write_text(f"#!/bin/sh\necho 'key::{alice.public}'\n")
    agent.chmod(0o755)
    repo.git("config", "gpg.ssh.defaultKeyCommand", f"'{agent}'")
    with pytest.raises(FatalError, match="cannot sign"):  # the text of a key needs an agent that has it: none is here
        make(repo)


def test_a_key_named_relative_to_the_work_tree(repo: GitRepo, alice: Key):
    alice.configure(repo)
    repo.git("config", "user.signingkey", "../alice")
    assert verdict(repo, make(repo), alice.line()).principal == alice.who


def test_a_linked_work_tree_signs_as_well(repo: GitRepo, alice: Key, tmp_path: Path):
    alice.configure(repo)
    repo.git("worktree", "add", "--quiet", str(tmp_path / "linked"))
    assert verdict(repo, make(GitRepo(tmp_path / "linked")), alice.line()).principal == alice.who


def test_hooks_of_the_user_do_not_run(repo: GitRepo, alice: Key, tmp_path: Path):
    alice.configure(repo)
    hook = tmp_path / "hooks" / "reference-transaction"
    hook.parent.mkdir()
    hook.write_text(f"#!/bin/sh\ntouch '{tmp_path / 'ran'}'\n")
    hook.chmod(0o755)
    repo.git("config", "--global", "core.hooksPath", str(hook.parent))
    make(repo)
    assert not (tmp_path / "ran").exists()


def test_who_has_no_key_is_told_how_to_configure_one(repo: GitRepo):
    with Git(repo.path) as git:
        assert configured_signer(git) is None
    assert "user.signingkey" in no_signer().hint


def test_a_key_that_is_not_there(repo: GitRepo, tmp_path: Path):
    repo.git("config", "gpg.format", "ssh")
    with pytest.raises(FatalError, match=r"git cannot sign the tag `mlp/base@v1` with the key `.*/nowhere`"):
        make(repo, str(tmp_path / "nowhere"))


def test_a_program_that_is_not_there(repo: GitRepo, alice: Key):
    alice.configure(repo)
    sha = make(repo)
    repo.git("config", "gpg.ssh.program", "/nowhere/ssh-keygen")
    with pytest.raises(FatalError, match="`/nowhere/ssh-keygen` is not installed") as caught:
        make(repo)
    assert "OpenSSH" in caught.value.hint
    with pytest.raises(FatalError, match="`/nowhere/ssh-keygen` is not installed, and signatures are checked with it"):
        verdict(repo, sha, alice.line())


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("ssh-keygen -Y find-principals/verify is needed for ssh signature verification", "`ssh-keygen` is too old"),
        ("error: no signature found", "this git is too old"),
    ],
)
def test_programs_that_are_too_old_judge_nothing(
    repo: GitRepo, alice: Key, monkeypatch: pytest.MonkeyPatch, said: str, wanted: str
):
    alice.configure(repo)
    sha = make(repo)
    real = Git.run

    def run(self, *args, **settings):
        done = real(self, *args, **settings)
        if "verify-tag" in args:
            done = type(done)(argv=done.argv, returncode=1, stdout=b"", stderr=said.encode())
        return done

    monkeypatch.setattr(Git, "run", run)
    with pytest.raises(FatalError, match=wanted):
        verdict(repo, sha, alice.line())


def test_a_stranger_is_named_by_their_key(repo: GitRepo, alice: Key, bob: Key):
    alice.configure(repo)
    sha = make(repo)
    for signers in (bob.line(), "", "nonsense\n"):
        found = verdict(repo, sha, signers)
        assert found.principal == ""
        assert "which is not allowed" in found.problem, signers
        assert found.key in found.problem
    assert "for other purposes than git" in verdict(repo, sha, alice.line('namespaces="file"')).problem


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ('valid-before="20241101Z"', "was no more allowed to (valid-before 2024-11-01"),
        ('valid-after="20250101Z"', "was not yet allowed to (valid-after 2025-01-01"),
        ('valid-before="20250101Z"', ""),
        ('valid-after="20241101Z",valid-before="20250101Z"', ""),
    ],
)
def test_a_key_counts_in_its_time_which_is_that_of_the_tag(repo: GitRepo, alice: Key, options: str, problem: str):
    alice.configure(repo)
    found = verdict(repo, make(repo), alice.line(options))
    assert problem in found.problem
    assert bool(found.problem) == bool(problem)


@pytest.mark.parametrize(
    ("old", "new"),
    [('"a"', '"b"'), ("mlp/base@v1", "mlp/base@v2"), ("A Tester", "B Tester"), ("\nU1NIU0", "\nU1NIU1")],
)
def test_a_signature_over_other_bytes(repo: GitRepo, alice: Key, old: str, new: str):
    alice.configure(repo)
    found = verdict(repo, altered(repo, make(repo), old, new), alice.line())
    assert found.problem == "has a signature that is not of its bytes"
    assert found.detail


def test_what_is_not_signed(repo: GitRepo, alice: Key):
    with Git(repo.path) as git:
        sha = git.make_tag(REF, repo.git("rev-parse", "HEAD"), TEXT)
    assert verdict(repo, sha, alice.line()).problem == "is not signed"


@needs_gpg
def test_gpg_signs_and_is_not_checked(repo: GitRepo, alice: Key, monkeypatch: pytest.MonkeyPatch):
    who = "Alice <alice@example.org>"
    make_key = ["gpg", "--batch", "--quiet", "--passphrase", "", "--quick-generate-key", who, "ed25519", "sign"]
    # Below a longer path, the socket of gpg's agent has too long a name.
    with tempfile.TemporaryDirectory(prefix="g", dir="/tmp", ignore_cleanup_errors=True) as home:
        monkeypatch.setenv("GNUPGHOME", home)
        try:
            subprocess.run(make_key, check=True, capture_output=True)
            repo.git("config", "user.signingkey", "alice@example.org")
            sha = make(repo)
            repo.git("verify-tag", sha)
        finally:
            subprocess.run(["gpgconf", "--kill", "all"], check=True, capture_output=True)
    found = verdict(repo, sha, alice.line())
    assert (found.format, found.principal) == ("openpgp", "")
    assert "only `ssh` can be checked" in found.problem


def test_the_last_signature_is_the_one_that_counts_as_for_git():
    ssh, pgp = "-----BEGIN SSH SIGNATURE-----\n", "-----BEGIN PGP SIGNATURE-----\n"
    assert signature_format(f"text\n{ssh}{pgp}") == "openpgp"
    assert signature_format(f"text\n{pgp}{ssh}") == "ssh"
    assert signature_format(f"text {ssh}") == ""


def test_a_second_signature_does_not_hide_what_the_first_is_of(repo: GitRepo, alice: Key, bob: Key):
    alice.configure(repo)
    data = repo.git("cat-file", "tag", make(repo)) + "\n"
    end = data.index("-----BEGIN")
    twice = repo.git("mktag", stdin=(data + data[end:]).encode())
    assert verdict(repo, twice, alice.line()).problem == "has a signature that is not of its bytes"
    assert verdict(repo, twice, bob.line()).problem


def test_a_git_that_signs_something_else_is_not_believed(repo: GitRepo, alice: Key, tmp_path: Path):
    alice.configure(repo)
    fake = tmp_path / "fake"
    fake.write_text('#!/bin/sh\nfor last; do :; done\necho "-----BEGIN PGP SIGNATURE-----" > "$last.sig"\n')
    fake.chmod(0o755)
    repo.git("config", "gpg.ssh.program", str(fake))
    with pytest.raises(FatalError, match="git signed something else"):
        make(repo)


def test_a_tagger_that_cannot_be_read(repo: GitRepo, alice: Key):
    alice.configure(repo)
    with Git(repo.path) as git:
        signer = configured_signer(git)
        assert signer is not None
        with pytest.raises(FatalError, match="which cannot be read"):
            sign_tag(git, name="x@v1", commit="a" * 40, tagger="nobody", message=TEXT, signer=signer)
