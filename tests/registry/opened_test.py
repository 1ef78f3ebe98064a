from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.registry import open_registry
from support.opened import BRANCH, NAME, declare, ended, opened, request, resolver, there
from support.signing import Key, needs_ssh
from support.story import HERE, Story


@pytest.fixture
def story(make_story: Callable[..., Story]) -> Story:
    return make_story(opened)


def test_what_is_resolved_from_a_clone_is_on_its_branch_at_once_and_the_work_tree_stays(story: Story):
    told = story.call("resolve", *request(story), "--alias", f"{NAME}:v1")
    assert f"wrote envs/{NAME} on `{BRANCH}`" in told.err
    assert f"next: `envtag publish {NAME}`" in told.err
    assert story.status() == ""
    assert story.repo.git("for-each-ref", "refs/heads", "--format=%(refname:short)") == "main"
    assert story.bare.git("ls-tree", "-r", "--name-only", BRANCH).splitlines() == [
        f"envs/{NAME}/{name}" for name in sorted(("envtag.yml", f"{HERE}-lock.yml", "tags.yml", "tzish.yml"))
    ]
    assert story.bare.git("log", "--format=%s", BRANCH) == f"Change {NAME}"
    again = story.call("resolve", *request(story), "--alias", f"{NAME}:v1")
    assert "every alias has this content already" in again.err
    refused = story.call("resolve", *request(story, "prefixed"), "--alias", f"{NAME}:v1", check=1)
    assert f"Alias already exists: `{NAME}:v1`" in refused.err
    assert story.bare.git("rev-list", "--count", BRANCH) == "1"


def test_what_one_machine_publishes_with_the_url_alone_another_reads_with_the_url_alone(story: Story):
    there(story, "resolve", *request(story), "--alias", f"{NAME}:v1")
    there(story, "resolve", *request(story, "prefixed"), "--alias", f"{NAME}:v2")
    told = there(story, "publish", NAME)
    assert told.out.splitlines() == [f"released {NAME}:v1", f"released {NAME}:v2"]
    assert "already released" in there(story, "publish", NAME).out
    first, second = (there(story, "show", f"{NAME}:{tag}", "--json").json[0] for tag in ("v1", "v2"))
    assert (first["open_branch"], first["commit"]) == (BRANCH, story.bare.git("rev-parse", f"{BRANCH}~1"))
    assert second["commit"] == story.bare.git("rev-parse", BRANCH)
    assert "Open namespace" in there(story, "show", NAME).out
    there(story, "alias", f"{NAME}:v1", f"{NAME}:stable")
    assert there(story, "show", f"{NAME}:stable", "--json").json[0]["lock"] == first["lock"]
    assert there(story, "publish", NAME).code == 0
    listed = story.call("list", "scratch", "--json").json
    assert [(item["name"], item["tags"], item["pointers"]) for item in listed] == [
        (NAME, ["v1", "v2"], {"stable": "v1"})
    ]
    for events in (there(story, "log", NAME, "--json").json, story.call("log", NAME, "--json").json):
        assert [(event["kind"], event["tag"]) for event in events] == [
            ("pointed", "stable"), ("released", "v2"), ("released", "v1"),
        ]  # fmt: skip
    path = there(story, "create", f"{NAME}:stable").out.strip()
    assert Path(path, "conda-meta").is_dir()


def test_publishers_of_different_environments_at_once_are_all_on_the_branch(story: Story, tmp_path: Path):
    processes = [resolver(story, tmp_path / f"home{number}", f"scratch/x{number}:v1") for number in range(4)]
    told = [ended(process) for process in processes]
    assert [item.code for item in told] == [0] * 4, told
    names = story.bare.git("ls-tree", "-r", "--name-only", BRANCH).splitlines()
    assert {name.split("/")[2] for name in names} == {f"x{number}" for number in range(4)}
    assert story.bare.git("rev-list", "--count", BRANCH) == "4"
    assert story.bare.git("rev-list", "--count", "--max-parents=0", BRANCH) == "1"


def test_of_two_that_take_one_tag_at_once_one_has_it_and_the_other_is_told(story: Story, tmp_path: Path):
    processes = [
        resolver(story, tmp_path / f"home-{package}", f"{NAME}:v1", package) for package in ("tzish", "prefixed")
    ]
    told = sorted((ended(process) for process in processes), key=lambda item: item.code)
    assert [item.code for item in told] == [0, 1], told
    assert f"Alias already exists: `{NAME}:v1`" in told[1].err
    assert story.bare.git("rev-list", "--count", BRANCH) == "1"


def test_a_work_tree_alone_cannot_open_a_namespace(make_story: Callable[..., Story]):
    story = make_story()
    path = story.path / "pyproject.toml"
    path.write_text(f"{path.read_text()}\n[tool.envtag.namespaces.scratch]\nopen = true\n")
    refused = story.call("resolve", *request(story), "--alias", f"{NAME}:v1", check=1)
    assert "`scratch` is not an open namespace on the default branch" in refused.err
    assert story.bare.git("for-each-ref", "refs/heads/envtag") == ""


def test_what_is_in_no_open_namespace_still_needs_a_work_tree(story: Story):
    refused = there(story, "resolve", *request(story), "--alias", "mlp/x:v1", check=1)
    assert "has no work tree" in refused.err
    both = [*request(story), "--alias", "mlp/x:v1", "--alias", f"{NAME}:v1"]
    assert "live on different branches" in story.call("resolve", *both, check=1).err
    assert "has no work tree" in there(story, "publish", check=1).err


def test_without_a_remote_the_branch_is_in_the_clone(story: Story):
    story.repo.git("remote", "remove", "origin")
    story.call("resolve", *request(story), "--alias", f"{NAME}:v1")
    assert "released" in story.call("publish", NAME).out
    assert story.repo.git("log", "--format=%s", BRANCH) == f"Change {NAME}"
    assert story.call("show", NAME, "--json").json[0]["open_branch"] == BRANCH


def test_a_bare_repository_of_this_machine_can_be_written_too(story: Story):
    with open_registry(str(story.bare.path), story.place, story.config) as registry:
        branch = registry.open_branch(NAME)
        assert branch is not None
        assert branch.head() is None
        assert branch.change(lambda: {f"envs/{NAME}/a": b"1", f"envs/{NAME}/b/c": b"2"})
        assert branch.change(lambda: {f"envs/{NAME}/a": None, f"envs/{NAME}/b/c": b"2"})
        with pytest.raises(FatalError, match="is not a file of `envs/scratch`"):
            branch.change(lambda: {"envs/mlp/x/a": b"1"})
    assert story.bare.git("ls-tree", "-r", "--name-only", BRANCH) == f"envs/{NAME}/b/c"


def test_a_branch_that_others_move_faster_than_it_can_be_is_told(story: Story, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("envtag.registry.opened._ATTEMPTS", 3)
    monkeypatch.setattr("envtag.registry.opened._LONGEST_SECONDS", 0.0)
    with open_registry(str(story.path), story.place, story.config) as registry:
        branch = registry.open_branch(NAME)
        assert branch is not None
        moved = 0

        def others_are_first() -> dict[str, bytes | None]:
            nonlocal moved
            moved += 1
            with open_registry(story.bare.url, story.place, story.config) as other:
                theirs = other.open_branch(NAME)
                assert theirs is not None
                theirs.change(lambda: {"envs/scratch/y/a": str(moved).encode()})
            return {f"envs/{NAME}/a": b"1"}

        with pytest.raises(FatalError, match="was moved by others 3 times"):
            branch.change(others_are_first)
    assert moved == 3


def test_a_server_that_refuses_is_told_in_its_words(story: Story):
    hook = story.bare.path / "hooks" / "update"
    hook.write_text('#!/bin/sh\necho "not on my watch" >&2\nexit 1\n')
    hook.chmod(0o755)
    refused = there(story, "resolve", *request(story), "--alias", f"{NAME}:v1", check=1)
    assert f"refuses to create `refs/heads/{BRANCH}`" in refused.err
    assert "not on my watch" in refused.err


def test_a_server_that_does_not_answer_is_told_and_a_list_shows_what_is_known(story: Story):
    there(story, "resolve", *request(story), "--alias", f"{NAME}:v1")
    there(story, "publish", NAME)
    assert there(story, "show", f"{NAME}:v1", "--json").json[0]["registry"] == story.bare.url
    assert [item["name"] for item in story.call("list", "--json").json] == [NAME]
    story.bare.path.rename(story.place / "gone.git")
    assert [item["name"] for item in story.call("list", "--json").json] == [NAME]
    assert "was read from the replicas" in there(story, "show", NAME).err
    known = there(story, "show", f"{NAME}:v1", "--json").json[0]
    assert (known["open_branch"], known["aliases"]) == (BRANCH, [f"{NAME}:v1"])
    refused = story.call("resolve", *request(story), "--alias", f"{NAME}:v2", check=1)
    assert "cannot fetch" in refused.err


def test_a_branch_that_is_gone_is_gone_here_too(story: Story):
    there(story, "resolve", *request(story), "--alias", f"{NAME}:v1")
    assert story.call("list", "--json").json
    story.bare.git("branch", "-D", BRANCH)
    assert story.call("list", "--json").json == []
    assert f"has no environment `{NAME}` on `{BRANCH}`" in story.call("show", NAME, check=1).err


def test_a_second_namespace_has_a_branch_of_its_own(story: Story):
    declare(story, '[tool.envtag.namespaces."mlp/tries"]\nopen = true\n')
    there(story, "resolve", *request(story), "--alias", "mlp/tries/a:v1")
    assert story.bare.git("for-each-ref", "refs/heads", "--format=%(refname:short)").splitlines() == [
        "envtag/open/mlp/tries", "main",
    ]  # fmt: skip


@needs_ssh
def test_where_releases_must_be_signed_so_must_what_latest_is(story: Story, tmp_path: Path):
    key = Key.make(tmp_path, "alice@example.org")
    project = (story.path / "pyproject.toml").read_text("utf-8")
    text = project.replace("[tool.envtag]", "[tool.envtag]\nrequire-signed = true")
    story.commit("sign", {"pyproject.toml": text, ".envtag/allowed_signers": key.line()})
    there(story, "resolve", *request(story), "--alias", f"{NAME}:v1")
    for name in (NAME, f"{NAME}:v1"):
        assert f"`{NAME}:v1` must be signed, and it is not published yet" in story.call("show", name, check=1).err
    key.configure(story.repo)
    assert f"released {NAME}:v1" in story.call("publish", NAME).out
    assert story.call("show", NAME, "--json").json[0]["signed_by"].startswith("alice@example.org")
    assert there(story, "show", NAME, "--json").json[0]["alias"] == f"{NAME}:latest"
    there(story, "resolve", *request(story, "prefixed"), "--alias", NAME)
    assert "what it is now is not a release" in there(story, "show", NAME, check=1).err
    assert there(story, "show", f"{NAME}:v1").code == 0
