"""The hooks at work: real pushes to a real server, which refuses what a released tag must never see."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from envtag.server_hook import CHAINED, KINDS, VERSION, script, version_of
from support.repository import GitRepo

#: Tags at depths 1, 2 and 3, of the form of releases, and others.
RELEASES = ("base@v1", "team/base@v1", "team/project/base@v1")
OTHERS = ("v1", "team/v1", "team/project/v1")
NONE = "0" * 40


@dataclass(frozen=True)
class Server:
    """A bare repository with a hook, and a clone with three commits and a side branch.

    The clone's `main` is at the second commit on the server; `first`, `second`, `third` follow each other, `side`
    follows the first.
    """

    bare: GitRepo
    clone: GitRepo
    first: str
    second: str
    third: str
    side: str

    def push(self, *arguments: str) -> tuple[bool, str]:
        """Whether a push was taken, and what was said."""
        command = ["git", "-C", str(self.clone.path), "push", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode == 0, done.stderr

    def tag(self, name: str, commit: str, *, called: str = "") -> str:
        """An annotated tag that no ref here leads to."""
        header = f"object {commit}\ntype commit\ntag {called or name}\ntagger A <a@example.org> 1 +0000\n\nreleased\n"
        return self.clone.git("mktag", stdin=header.encode())

    def at(self, ref: str) -> str:
        """What a ref of the server names; empty for none."""
        return self.bare.git("for-each-ref", "--format=%(objectname)", ref)


@pytest.fixture(params=["update", "pre-receive"])
def server(request, git_repo) -> Server:
    bare, work = git_repo("server", bare=True), git_repo("work")
    first, second = work.commit({"a": "1"}), work.commit({"a": "2"})
    work.git("push", "--quiet", bare.url, "HEAD:refs/heads/main")
    work.git("remote", "add", "origin", bare.url)
    third = work.commit({"a": "3"})
    work.git("checkout", "--quiet", "-b", "side", first)
    side = work.commit({"b": "1"})
    hook = bare.path / "hooks" / request.param
    hook.write_text(script(request.param))
    hook.chmod(0o755)
    return Server(bare=bare, clone=work, first=first, second=second, third=third, side=side)


@pytest.mark.parametrize("name", RELEASES + OTHERS)
def test_a_tag_is_made_once_and_never_moved_or_deleted(server: Server, name: str):
    ref = f"refs/tags/{name}"
    made = server.tag(name, server.first)
    assert server.push("origin", f"{made}:{ref}")[0]
    assert server.push("origin", f"{made}:{ref}")[0]  # the same value again is harmless
    attempts = {
        "forward": server.tag(name, server.second),
        "sideways": server.tag(name, server.side),
        "to a bare commit": server.second,
    }
    for attempt, value in attempts.items():
        taken, said = server.push("origin", f"+{value}:{ref}")
        assert not taken, attempt
        assert f"{ref} is there: a tag is never moved and never deleted" in said
        assert server.at(ref) == made
    assert not server.push("--delete", "origin", ref)[0]
    assert server.at(ref) == made
    assert not server.push("origin", f"+{attempts['forward']}:{ref}")[0]
    assert server.at(ref) == made


@pytest.mark.parametrize("name", RELEASES)
def test_a_tag_is_not_moved_backward(server: Server, name: str):
    made = server.tag(name, server.second)
    assert server.push("origin", f"{made}:refs/tags/{name}")[0]
    assert not server.push("origin", f"+{server.tag(name, server.first)}:refs/tags/{name}")[0]
    assert server.at(f"refs/tags/{name}") == made


def test_a_tag_is_not_deleted_and_made_again_in_one_push(server: Server):
    made = server.tag("base@v1", server.first)
    assert server.push("origin", f"{made}:refs/tags/base@v1")[0]
    refused = server.push("origin", ":refs/tags/base@v1", f"{server.tag('base@v1', server.second)}:refs/tags/base@v1")
    assert not refused[0]
    mirrored = server.push("--mirror", "origin")
    assert not mirrored[0]
    assert server.at("refs/tags/base@v1") == made


def test_a_lightweight_release_is_refused(server: Server):
    taken, said = server.push("origin", f"{server.first}:refs/tags/team/base@v1")
    assert not taken
    assert "is not an annotated tag" in said
    assert server.push("origin", f"{server.first}:refs/tags/v1")[0]  # a tag of the repository's own


def test_a_release_under_the_name_of_another_is_refused(server: Server):
    other = server.tag("team/base@v2", server.first, called="team/base@v1")
    taken, said = server.push("origin", f"{other}:refs/tags/team/base@v2")
    assert not taken
    assert "calls itself team/base@v1" in said


@pytest.mark.parametrize("commit", ["side", "third"])
def test_a_release_of_a_commit_that_is_not_on_the_default_branch_is_refused(server: Server, commit: str):
    made = server.tag("base@v1", getattr(server, commit))
    server.push("origin", f"{server.side}:refs/heads/side")
    taken, said = server.push("origin", f"{made}:refs/tags/base@v1")
    assert not taken
    assert "merge first" in said


def test_a_release_of_a_tag_or_a_tree_is_refused(server: Server):
    inner = server.tag("base@v1", server.first)
    nested = f"object {inner}\ntype tag\ntag base@v1\ntagger A <a@example.org> 1 +0000\n\nx\n"
    tree = (
        f"object {server.clone.git('rev-parse', 'HEAD^{tree}')}\ntype tree\ntag base@v1\ntagger A <a@e> 1 +0000\n\nx\n"
    )
    for header in (nested, tree):
        value = server.clone.git("mktag", stdin=header.encode())
        taken, said = server.push("origin", f"{value}:refs/tags/base@v1")
        assert not taken
        assert "and not of a commit" in said


def test_a_text_that_looks_like_a_header_deceives_nobody(server: Server):
    header = f"object {server.side}\ntype commit\ntag base@v1\ntagger A <a@e> 1 +0000\n\nobject {server.first}\n"
    value = server.clone.git("mktag", stdin=header.encode())
    assert not server.push("origin", f"{value}:refs/tags/base@v1")[0]


def test_a_text_that_looks_like_a_header_hinders_nobody(server: Server):
    header = f"object {server.first}\ntype commit\ntag base@v1\ntagger A <a@e> 1 +0000\n\ntag other@v1\ntype tree\n"
    value = server.clone.git("mktag", stdin=header.encode())
    assert server.push("origin", f"{value}:refs/tags/base@v1")[0]


def test_a_replaced_commit_deceives_nobody(server: Server):
    """Whoever may push could say by `refs/replace/` that a commit of his is a parent of the default branch's head."""
    parent = server.clone.git("commit-tree", f"{server.second}^{{tree}}", "-p", server.side, "-m", "x")
    assert server.push("origin", f"{parent}:refs/replace/{server.second}")[0]
    assert not server.push("origin", f"{server.tag('base@v1', server.side)}:refs/tags/base@v1")[0]


def test_the_default_branch_goes_forward_and_is_neither_forced_nor_deleted(server: Server):
    for value in (server.side, server.first, ""):
        taken, said = server.push("origin", f"+{value}:refs/heads/main")
        assert not taken
        assert "refs/heads/main is the default branch: it is never" in said or "deletion of the current branch" in said
    assert server.push("origin", f"{server.third}:refs/heads/main")[0]
    assert server.at("refs/heads/main") == server.third


def test_other_branches_are_free(server: Server):
    assert server.push("origin", f"{server.side}:refs/heads/topic")[0]
    assert server.push("origin", f"+{server.third}:refs/heads/topic")[0]
    assert server.push("--delete", "origin", "topic")[0]


def test_a_commit_and_its_release_come_in_one_push(server: Server):
    made = server.tag("base@v1", server.third)
    assert server.push("origin", f"{server.third}:refs/heads/main", f"{made}:refs/tags/base@v1")[0]
    assert server.at("refs/tags/base@v1") == made


def test_a_forced_default_branch_does_not_let_its_release_in(server: Server):
    made = server.tag("base@v1", server.side)
    assert not server.push("origin", f"+{server.side}:refs/heads/main", f"{made}:refs/tags/base@v1")[0]
    assert server.at("refs/tags/base@v1") == ""


def test_a_server_without_a_commit_takes_a_first_one_and_no_release(git_repo):
    bare, work = git_repo("empty", bare=True), git_repo("first")
    hook = bare.path / "hooks" / "update"
    hook.write_text(script("update"))
    hook.chmod(0o755)
    commit = work.commit({"a": "1"})
    header = f"object {commit}\ntype commit\ntag base@v1\ntagger A <a@e> 1 +0000\n\nx\n"
    made = work.git("mktag", stdin=header.encode())
    with pytest.raises(AssertionError, match="merge first"):
        work.git("push", bare.url, f"{made}:refs/tags/base@v1")
    work.git("push", "--quiet", bare.url, "HEAD:refs/heads/main", f"{made}:refs/tags/base@v1")


def test_of_many_pushes_of_one_name_one_wins(server: Server):
    tags = [
        server.clone.git(
            "mktag",
            stdin=f"object {server.first}\ntype commit\ntag base@v1\ntagger A <a@e> {number} +0000\n\nx\n".encode(),
        )
        for number in range(7)
    ]
    running = [
        subprocess.Popen(
            ["git", "-C", str(server.clone.path), "push", "--quiet", "origin", f"{tag}:refs/tags/base@v1"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        for tag in tags
    ]  # fmt: skip
    assert sorted(push.wait(timeout=60) == 0 for push in running) == [False] * (len(tags) - 1) + [True]
    assert server.at("refs/tags/base@v1") in tags


def test_gitolite_calls_its_hook_as_git_calls_update(git_repo, tmp_path):
    work = git_repo("work")
    commit = work.commit({"a": "1"})
    hook = tmp_path / "vref"
    hook.write_text(script("gitolite"))
    hook.chmod(0o755)
    environ = {**os.environ, "GIT_DIR": str(work.path / ".git")}

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([hook, *arguments], env=environ, capture_output=True, text=True, check=False)

    rest = ("tree", "tree", "W", "VREF/envtag")
    assert call("refs/heads/topic", NONE, commit, *rest).returncode == 0
    refused = call("refs/tags/team/base@v1", commit, NONE, *rest)
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert "a tag is never moved" in refused.stderr
    assert call("refs/tags/x").returncode == 1


@pytest.mark.parametrize("kind", KINDS)
def test_each_hook_says_its_version_and_is_posix(kind, tmp_path: Path):
    text = script(kind)
    assert text.startswith("#!/bin/sh\n")
    assert version_of(text) == VERSION
    for shell in filter(shutil.which, ("dash", "sh", "busybox")):
        command = [shell, *(["sh"] if shell == "busybox" else []), "-n"]
        assert subprocess.run(command, input=text, text=True, check=False, capture_output=True).stderr == ""


def test_only_update_runs_what_was_there_before():
    assert [kind for kind in KINDS if CHAINED in script(kind)] == ["update"]


@pytest.mark.parametrize("text", ["", "#!/bin/sh\nexit 0\n", "#!/bin/sh\n# envtag-hook update x\n"])
def test_hooks_of_others_have_no_version(text):
    assert version_of(text) is None


def opened(server: Server, text: str) -> str:
    """Declare namespaces on the default branch, and push a commit to the branch of `scratch`; that commit."""
    server.clone.git("checkout", "--quiet", server.second)
    server.clone.commit({"pyproject.toml": text})
    server.clone.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
    server.clone.git("checkout", "--quiet", "--orphan", "open")
    commit = server.clone.commit({"envs/scratch/x/envtag.yml": "1"})
    server.clone.git("push", "--quiet", "origin", "HEAD:refs/heads/envtag/open/scratch")
    return commit


@pytest.mark.parametrize("table", ["[tool.envtag.namespaces.scratch]", '[tool.envtag.namespaces."scratch"] # tries'])
def test_a_release_of_an_open_namespace_is_of_its_branch(server: Server, table: str):
    commit = opened(server, f"[tool.envtag]\n{table}\r\nopen = true # yes\n")
    for name, taken in (("scratch/x@v1", True), ("scratch/deep/y@v1", True), ("scratchy/x@v1", False)):
        tag = server.tag(name, commit)
        done, said = server.push("origin", f"{tag}:refs/tags/{name}")
        assert done is taken, said
    tag = server.tag("scratch/x@v2", server.side)
    done, said = server.push("origin", f"{tag}:refs/tags/scratch/x@v2")
    assert not done
    assert "is of a commit that is not on the default branch" in said


@pytest.mark.parametrize(
    "text",
    [
        "[tool.envtag]\n",
        "[tool.envtag.namespaces.scratch]\nopen = false\n",
        "[tool.envtag.namespaces.other]\nopen = true\n",
        "[tool.envtag.namespaces.scratch]\n[tool.envtag.other]\nopen = true\n",
    ],
)
def test_a_branch_of_a_namespace_that_nobody_opened_releases_nothing(server: Server, text: str):
    tag = server.tag("scratch/x@v1", opened(server, text))
    assert not server.push("origin", f"{tag}:refs/tags/scratch/x@v1")[0]


def test_the_branch_of_an_open_namespace_is_neither_deleted_nor_forced(server: Server):
    commit = opened(server, "[tool.envtag.namespaces.scratch]\nopen = true\n")
    ref = "refs/heads/envtag/open/scratch"
    for refspec, said in (
        (f":{ref}", "is of an open namespace: it is never deleted"),
        (f"+{server.side}:{ref}", "forced"),
    ):
        done, told = server.push("origin", refspec)
        assert not done
        assert said in told
    assert server.at(ref) == commit
