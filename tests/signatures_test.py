from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from envtag.cli.entry import run as run_here
from envtag.errors import FatalError, UnreachableError
from envtag.git import Git
from envtag.git.signing import configured_signer
from envtag.names import Alias
from envtag.signatures import (
    SIGNERS_FILE,
    TRUSTED_FILE,
    SigningRule,
    check_signature,
    read_rule,
    read_signers,
    refuse_unsigned,
    signed_by,
)
from envtag.trust import checked_signers
from support.publishing import NAME, V1, first, publish, refused, remote_tags
from support.repository import GitRepo
from support.signing import Key, needs_ssh
from support.story import Story, Told

PROJECT = "pyproject.toml"
DEMAND = "[tool.envtag]\nrequire-signed = true\n"
SHA = "a" * 40


@pytest.fixture
def repo(git_repo: Callable[..., GitRepo]) -> GitRepo:
    return git_repo()


@pytest.fixture
def alice(tmp_path: Path) -> Key:
    return Key.make(tmp_path, "alice@example.org")


@pytest.fixture
def mallory(tmp_path: Path) -> Key:
    return Key.make(tmp_path, "mallory@example.org")


def rule_of(repo: GitRepo, files: dict[str, str | bytes | None]) -> SigningRule:
    commit = repo.commit(files)
    with Git(repo.path) as git:
        return read_rule(git, commit, PROJECT)


def demand(story: Story, *lines: str, trusted: str | None = None, on: bool = True) -> str:
    """Merge what the registry demands; who publishes pulls nothing, since it is the same clone."""
    project = (story.path / PROJECT).read_text()
    setting = "require-signed = true\n"
    text = project.replace(setting, "")
    files: dict[str, str | bytes | None] = {
        PROJECT: text.replace("[tool.envtag]\n", f"[tool.envtag]\n{setting}") if on else text,
        SIGNERS_FILE: "".join(lines),
    }
    assert not on or setting in str(files[PROJECT])
    return story.commit("who may sign", files | ({TRUSTED_FILE: trusted} if trusted is not None else {}))


def remote(story: Story, *arguments: str, check: int = 0) -> Told:
    """Run envtag on the registry by its URL, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run_here(["--registry", story.bare.url, *arguments])
    assert code == check, f"{out.getvalue()}\n{err.getvalue()}"
    return Told(code=code, out=out.getvalue(), err=err.getvalue())


def forget(story: Story) -> None:
    for path in story.config.directories.known_tags.rglob("*.json"):
        path.unlink()


def test_nothing_is_demanded_where_nothing_says_so(repo: GitRepo):
    assert rule_of(repo, {PROJECT: "[tool.envtag]\n"}) == SigningRule()
    assert rule_of(repo, {PROJECT: None, "x": ""}) == SigningRule()
    assert rule_of(repo, {PROJECT: "[tool.envtag]\nrequire-signed = false\n"}).digest == ""


def test_a_rule_is_the_one_of_its_commit_and_its_digest_tells_it_from_others(repo: GitRepo):
    rule = rule_of(repo, {PROJECT: DEMAND, SIGNERS_FILE: "a ssh-x y\n", TRUSTED_FILE: f"# old\n{SHA} x@v1  # one\n\n"})
    assert (rule.required, rule.signers, rule.trusted) == (True, b"a ssh-x y\n", {SHA})
    other = rule_of(repo, {SIGNERS_FILE: "b ssh-x y\n"})
    fewer = rule_of(repo, {TRUSTED_FILE: None})
    assert len({rule.digest, other.digest, fewer.digest, ""}) == 4
    with Git(repo.path) as git:
        assert read_rule(git, "HEAD~2", PROJECT) == rule
        assert read_signers(git, "HEAD") == b"b ssh-x y\n"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({PROJECT: "[tool.envtag]\nrequire-signed = 1\n"}, "neither `true` nor `false`"),
        ({PROJECT: DEMAND.encode() + b"# \xff"}, "pyproject.toml at .*: not UTF-8 text"),
        ({PROJECT: DEMAND, TRUSTED_FILE: "x\n# y\nmlp/x@v1\n"}, "trusted_tags:1: `x` is not the name of a tag object"),
    ],
)
def test_a_rule_that_cannot_be_read_demands_something_and_is_refused(repo: GitRepo, files, said: str):
    with pytest.raises(FatalError, match=said):
        rule_of(repo, files)


def test_a_rule_whose_bytes_are_missing_is_out_of_reach(repo: GitRepo):
    commit = repo.commit({PROJECT: DEMAND})
    blob = repo.git("rev-parse", f"HEAD:{PROJECT}")
    (repo.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with Git(repo.path) as git, pytest.raises(UnreachableError, match="says what must be signed, and is not here"):
        read_rule(git, commit, PROJECT)


@needs_ssh
def test_who_signed_is_told_and_what_is_demanded_is_held_to(repo: GitRepo, alice: Key, mallory: Key):
    commit = repo.commit({SIGNERS_FILE: alice.line()})
    rule = SigningRule(required=True, signers=alice.line().encode())
    with Git(repo.path) as git:

        def tag(key: Key | None):
            if key is not None:
                key.configure(repo)
            made = git.make_tag(V1.ref, commit, "text\n", signer=configured_signer(git) if key is not None else None)
            return git.tag(made)

        good, bad, plain = tag(alice), tag(mallory), tag(None)
        assert good is not None
        assert bad is not None
        assert plain is not None
        check_signature(V1, good, rule, git)
        for odd, said in ((bad, "is signed with the key SHA256:.*, which is not allowed"), (plain, "is not signed")):
            with pytest.raises(FatalError, match=f"`{NAME}:v1` {said}; releases must be signed") as caught:
                check_signature(V1, odd, rule, git)
            assert "\n" not in caught.value.message
            check_signature(V1, odd, SigningRule(), git)
            check_signature(V1, odd, SigningRule(required=True, trusted=frozenset({odd.sha})), git)
        with pytest.raises(FatalError, match=f"`{SIGNERS_FILE}` lists nobody who may"):
            check_signature(V1, good, SigningRule(required=True, signers=b"\n"), git)
        assert signed_by(good, git, commit).startswith("alice@example.org (SHA256:")
        assert "nobody who is known: the tag is signed with the key" in signed_by(bad, git, commit)
        assert "nobody who is known" in signed_by(good, git, None)
        assert signed_by(plain, git, commit) == ""
        repo.git("config", "gpg.ssh.program", "/nowhere/ssh-keygen")
        assert "not checked: `/nowhere/ssh-keygen` is not installed" in signed_by(good, git, commit)


def test_what_is_known_without_a_tag_is_refused_where_signatures_are_demanded():
    rule = SigningRule(required=True)
    refuse_unsigned(V1, SigningRule())
    refuse_unsigned(Alias(name=NAME), rule, "file:///store")
    with pytest.raises(FatalError, match="is not published yet"):
        refuse_unsigned(V1, rule)
    with pytest.raises(FatalError, match="the replica of it in file:///store has no signature"):
        refuse_unsigned(Alias(name=NAME, tag="stable"), rule, "file:///store")


@needs_ssh
def test_a_signed_release_from_publishing_to_every_reader(make_story: Callable[..., Story], alice: Key):
    story = make_story(first)
    demand(story, alice.line())
    assert "git has no key to sign tags with" in story.call("publish", NAME, check=1).err
    assert not list(story.config.directories.default_store.rglob("objects/**/*.conda"))
    alice.configure(story.repo)
    assert f"release {V1} at commit" in (told := story.call("publish", NAME, "--dry-run").out)
    assert ", signed, pushed to origin" in told
    story.call("publish", NAME)
    assert "already released" in story.call("publish", NAME).out
    for call in (story.call, lambda *words: remote(story, *words)):
        assert "alice@example.org (SHA256:" in call("show", f"{NAME}:v1").out
        assert call("show", "--json", f"{NAME}:stable").json[0]["signed_by"].startswith("alice@example.org")
        call("verify", "--all")


@needs_ssh
def test_an_unsigned_release_is_refused_by_everyone_once_signatures_are_demanded(
    make_story: Callable[..., Story], alice: Key, monkeypatch: pytest.MonkeyPatch
):
    story = make_story(first)
    story.call("publish", NAME)
    story.call("show", f"{NAME}:v1")
    remote(story, "show", f"{NAME}:v1")
    demand(story, alice.line())
    remote(story, "show", NAME)  # learns of it on the way to something else; so does who verifies or publishes
    refusal = f"`{NAME}:v1` is not signed; releases must be signed by somebody of `{SIGNERS_FILE}`"
    assert refusal in remote(story, "show", f"{NAME}:v1", check=1).err
    assert refusal in remote(story, "show", f"{NAME}:stable", check=1).err
    told = story.call("verify", f"{NAME}:v1", "--json", check=1)
    assert [(item["link"], item["found"]) for item in told.json] == [("signature", refusal)]
    for words in (("show",), ("create", "--prefix", str(story.place / "p")), ("run",)):
        rest = ("--", "true") if words == ("run",) else ()
        assert refusal in story.call(*words, f"{NAME}:v1", *rest, check=1).err
    alice.configure(story.repo)
    assert refusal in story.call("publish", NAME, check=1).err
    assert refusal in story.call("publish", "--dry-run", NAME, check=1).err
    forget(story)
    assert refusal in remote(story, "create", f"{NAME}:v1", check=1).err
    with monkeypatch.context() as patch:
        patch.setenv("ENVTAG_HOME", str(story.place / "another"))
        assert refusal in remote(story, "show", f"{NAME}:v1", check=1).err
    listed = "".join(f"{sha} {ref.removeprefix('refs/tags/')}\n" for ref, sha in remote_tags(story).items())
    demand(story, alice.line(), trusted=listed)
    assert "Signed by" not in remote(story, "show", f"{NAME}:v1").out
    story.call("verify", f"{NAME}:v1")
    story.call("publish", NAME)


@needs_ssh
def test_a_tag_on_an_old_commit_is_held_to_the_rule_of_today(make_story: Callable[..., Story], alice: Key):
    story = make_story(first)
    before = story.repo.git("rev-parse", "HEAD")
    demand(story, alice.line())
    story.repo.git("checkout", "--quiet", "--detach", before)  # the work tree says nothing of signatures
    story.tag(NAME, "v1")
    assert story.repo.git("cat-file", "-p", f"{before}:{PROJECT}").count("require-signed") == 0
    assert "is not signed" in story.call("show", f"{NAME}:v1", check=1).err
    assert "is not signed" in remote(story, "show", f"{NAME}:v1", check=1).err


@needs_ssh
def test_a_key_that_readers_refuse_releases_nothing(make_story: Callable[..., Story], alice: Key, mallory: Key):
    story = make_story(first)
    demand(story, alice.line())
    mallory.configure(story.repo)
    error = refused(story)
    assert "nobody could use this release" in error.message
    assert "which is not allowed" in error.message
    assert remote_tags(story) == {}
    assert not list(story.config.directories.default_store.rglob("objects/**/*.conda"))
    story.repo.git("config", "gpg.format", "openpgp")
    assert "git signs with openpgp here, and the registry demands" in refused(story).message
    story.repo.git("config", "gpg.format", "ssh")
    story.call("publish", NAME, "--sign-key", str(alice.path))
    assert "alice@example.org" in story.call("show", f"{NAME}:v1").out


@needs_ssh
def test_keys_come_and_go_and_a_tag_is_judged_by_its_date(make_story: Callable[..., Story], alice: Key, mallory: Key):
    story = make_story(first)
    demand(story, alice.line())
    alice.configure(story.repo)
    publish(story)
    story.call("show", f"{NAME}:v1")
    # Rotated the day after the tag, which is of 2024-12-01: it stays good, and the next must have another key.
    demand(story, alice.line('valid-before="20241202Z"'), mallory.line('valid-after="20241202Z"'))
    story.call("show", f"{NAME}:v1")
    story.call("verify", f"{NAME}:v1")
    demand(story, alice.line('valid-before="20241130Z"'))
    story.call("verify", f"{NAME}:v1", check=1)
    assert "was no more allowed to" in story.call("show", f"{NAME}:v1", check=1).err
    demand(story, mallory.line())  # withdrawn altogether
    story.call("verify", f"{NAME}:v1", check=1)
    assert "which is not allowed" in story.call("show", f"{NAME}:v1", check=1).err
    sha = remote_tags(story)[V1.ref]
    demand(story, mallory.line(), trusted=f"{sha} {NAME}@v1\n")
    story.call("verify", f"{NAME}:v1")
    story.call("show", f"{NAME}:v1")


@needs_ssh
@pytest.mark.parametrize("by_url", [False, True])
def test_a_checked_tag_is_not_checked_again_and_asks_nobody(
    make_story: Callable[..., Story], alice: Key, monkeypatch: pytest.MonkeyPatch, *, by_url: bool
):
    story = make_story(first)
    demand(story, alice.line())
    alice.configure(story.repo)
    publish(story)

    def create() -> set[str]:
        seen: list[str] = []
        real = Git.run
        with monkeypatch.context() as patch:
            patch.setattr(Git, "run", lambda self, *words, **more: (seen.extend(words), real(self, *words, **more))[1])
            remote(story, "create", f"{NAME}:v1") if by_url else story.call("create", f"{NAME}:v1")
        return {"verify-tag", "fetch", "ls-remote"} & set(seen)

    assert create() == {"verify-tag", "fetch"}
    story.bare.path.rename(story.place / "gone.git")
    assert create() == set()


@needs_ssh
def test_what_a_work_tree_was_told_counts_for_its_registry_by_url_too(make_story: Callable[..., Story], alice: Key):
    story = make_story(first)
    demand(story, alice.line())
    alice.configure(story.repo)
    publish(story)
    story.call("show", f"{NAME}:v1")
    with story.registry() as registry:
        memory, identity = story.config.directories.known_tags, registry.identity
        held = checked_signers(memory, identity, V1)
    remote(story, "show", f"{NAME}:v1")  # knows nothing yet of the default branch, and need not
    assert checked_signers(memory, identity, V1) == held != ""


@needs_ssh
def test_a_forged_signature_and_one_that_was_made_for_another_tag(
    make_story: Callable[..., Story], alice: Key, monkeypatch: pytest.MonkeyPatch
):
    story = make_story(first)
    demand(story, alice.line())
    alice.configure(story.repo)
    publish(story)
    repo, ref = story.repo, V1.ref
    good = repo.git("rev-parse", ref)
    data = repo.git("cat-file", "tag", good) + "\n"
    forged = repo.git("mktag", stdin=data.replace("tagger A", "tagger B").encode())
    other = f"refs/tags/{NAME}@v9"
    for target, sha, said in (
        (ref, forged, "has a signature that is not of its bytes"),
        (other, good, f"the tag object of `{other}` was made as `{NAME}@v1`"),
    ):
        repo.git("push", "--quiet", "--force", "origin", f"{sha}:{target}")
        monkeypatch.setenv("ENVTAG_HOME", str(story.place / sha))
        assert said in remote(story, "show", f"{NAME}:{target.partition('@')[2]}", check=1).err


@needs_ssh
def test_where_no_tag_can_be_seen_nothing_stands_in_for_it(make_story: Callable[..., Story], alice: Key):
    story = make_story(first)
    demand(story, alice.line())
    assert (
        f"`{NAME}:v1` must be signed, and it is not published yet" in remote(story, "show", f"{NAME}:v1", check=1).err
    )
    story.call("show", f"{NAME}:v1")  # who works on it may look at it
    alice.configure(story.repo)
    publish(story)
    remote(story, "show", NAME)
    story.bare.path.rename(story.place / "gone.git")
    told = remote(story, "show", f"{NAME}:v1", check=1)
    assert "the replica of it in file://" in told.err
    assert "has no signature" in told.err
    remote(story, "show", NAME)


@needs_ssh
def test_the_loser_of_a_race_finds_the_same_content_released(make_story: Callable[..., Story], alice: Key):
    story = make_story(first)
    demand(story, alice.line())
    alice.configure(story.repo)
    real, won = Git.push_create, []

    def late(self, to: str, ref: str, value: str = "") -> None:
        if not won:  # another publisher is quicker by a moment, with a tag object of its own
            winner = story.repo.git("cat-file", "tag", value).replace("+0000", "+0100").partition("-----BEGIN")[0]
            commit, text = winner[7:47], winner.partition("\n\n")[2]
            with Git(story.path) as git:
                won.append(git.make_tag(ref, commit, text, signer=configured_signer(git)))
                assert won[0] == value  # ed25519: at the same second by the same person, it is the same object
            alice_again = configured_signer(Git(story.path))
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("GIT_COMMITTER_DATE", "2024-12-01T12:00:01+00:00")
                with Git(story.path) as git:
                    won.append(git.make_tag(ref, commit, text, signer=alice_again))
            story.repo.git("push", "--quiet", "origin", f"{won[1]}:{ref}")
        real(self, to, ref, value)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Git, "push_create", late)
        report = publish(story)
    assert (report.kept, report.tags) == ([str(V1)], [])
    assert won[0] != won[1]
    assert remote_tags(story) == {V1.ref: won[1]}
    assert "alice@example.org" in story.call("show", f"{NAME}:v1").out


@needs_ssh
def test_who_has_a_list_of_their_own_is_told_by_no_server_whom_to_trust(
    make_story: Callable[..., Story], alice: Key, mallory: Key, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    story = make_story(first)
    mallory.configure(story.repo)
    demand(story, mallory.line())  # whoever runs the server writes what they like
    publish(story)
    remote(story, "show", f"{NAME}:v1")
    own = tmp_path / "own"
    own.write_text(alice.line())
    monkeypatch.setenv("ENVTAG_ALLOWED_SIGNERS", str(own))
    said = remote(story, "show", f"{NAME}:v1", check=1).err
    assert f"which is not allowed; releases must be signed by somebody of `{own}`" in said
    assert "signature" in story.call("verify", f"{NAME}:v1", check=1).out
    demand(story, mallory.line(), on=False)
    assert "which is not allowed" in remote(story, "show", f"{NAME}:v1", check=1).err
    own.write_text(mallory.line())
    assert "mallory@example.org" in remote(story, "show", f"{NAME}:v1").out
    story.call("publish", "--dry-run", NAME)
    (tmp_path / "empty").mkdir()
    store = story.config.directories.default_store.as_uri()
    signers = {"ENVTAG_ALLOWED_SIGNERS": str(own), "ENVTAG_STORE": store}
    told = story.run("show", f"{NAME}:v1", cwd=tmp_path / "empty", check=1, **signers)
    assert "the replica of it" in told.err
    own.unlink()
    assert "cannot be read: No such file" in remote(story, "show", f"{NAME}:v1", check=1).err
