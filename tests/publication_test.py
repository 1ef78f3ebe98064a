from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from envtag.errors import AliasExistsError
from envtag.git import Git
from envtag.ledger import Ledger, Release
from envtag.manifest import parse as parse_manifest
from envtag.names import Alias
from envtag.store import Store, keys, open_store
from support.index import Index
from support.packages import pypi_package
from support.publishing import (
    NAME,
    STEPS,
    V1,
    V2,
    arrived,
    assert_nothing_is_half_visible,
    first,
    lock,
    publish,
    refused,
    remote_tags,
    second,
    stepped,
    steps,
)
from support.repository import GitRepo
from support.story import CONDA_FORGE, HERE, Story
from support.wheels import make_wheel


@pytest.fixture
def store(cold_client: Any) -> Store:
    return open_store(cold_client.config.directories.default_store.as_uri())


@pytest.fixture
def published(make_story: Callable[..., Story]) -> Story:
    story = make_story(first)
    story.call("publish")
    return story


def test_packages_come_first_then_the_manifest_then_the_tag_then_replicas(make_story: Any, tmp_path: Path):
    story = make_story(first)
    done = stepped(story, tmp_path / "log")
    out, err = done.communicate()
    assert done.returncode == 0, err
    assert out == f"released {NAME}:v1\n"
    assert steps(tmp_path / "log") == STEPS


@pytest.mark.parametrize("number", range(1, len(STEPS) + 1), ids=lambda number: f"{number}-{STEPS[number - 1]}")
def test_a_publisher_killed_at_any_step_leaves_nothing_half_visible_and_another_run_finishes(
    make_story: Any, store: Store, tmp_path: Path, number: int
):
    story = make_story(first)
    dead = stepped(story, tmp_path / "log", stop=str(number))
    dead.communicate()
    assert dead.returncode == -signal.SIGKILL
    assert steps(tmp_path / "log") == STEPS[:number]
    seen = assert_nothing_is_half_visible(story, store, tmp_path / "reader")
    assert seen == ({f"{NAME}:v1"} if number > STEPS.index("push_create") + 1 else set())
    before = remote_tags(story)
    report = publish(story)
    assert [*report.tags, *report.kept] == [f"{NAME}:v1"]
    after = remote_tags(story)
    assert before.items() <= after.items()
    assert assert_nothing_is_half_visible(story, store, tmp_path / "second reader") == {f"{NAME}:v1"}
    found = [entry.key for kind in (keys.TAGS, keys.POINTERS) for entry in store.list(kind)]
    assert found == [f"tags/{NAME}@v1.json", f"pointers/{NAME}@latest.json", f"pointers/{NAME}@stable.json"]
    assert story.repo.git("rev-parse", V1.ref) == after[V1.ref]


def test_two_publishers_of_the_same_content_both_succeed_with_one_tag(make_story: Any, store: Store, tmp_path: Path):
    story = make_story(first)
    clone, gate = story.bare.clone(tmp_path / "clone"), tmp_path / "gate"
    racers = [
        stepped(
            story, tmp_path / f"log {year}", stop="push_create", gate=gate, cwd=cwd, ENVTAG_STORE=store.url,
            ENVTAG_HOME=str(tmp_path / f"home {year}"), GIT_COMMITTER_DATE=f"{year}-01-01T00:00:00+00:00",
        )
        for year, cwd in ((2031, story.path), (2032, clone.path))
    ]  # fmt: skip
    arrived(gate, 2)
    gate.touch()
    told = [racer.communicate() for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0], told
    assert sorted(out for out, _ in told) == [
        f"already released {NAME}:v1, same content\n", f"released {NAME}:v1\n",
    ]  # fmt: skip
    tags = remote_tags(story)
    assert list(tags) == [V1.ref]
    assert {repo.git("rev-parse", V1.ref) for repo in (story.repo, clone)} == set(tags.values())
    assert assert_nothing_is_half_visible(story, store, tmp_path / "reader") == {f"{NAME}:v1"}


def test_two_publishers_in_one_clone_without_a_remote_both_succeed(make_story: Any, store: Store, tmp_path: Path):
    story = make_story(first)
    story.repo.git("remote", "remove", "origin")
    gate = tmp_path / "gate"
    dates = ("2031-01-01T00:00:00Z", "2032-01-01T00:00:00Z")
    racers = [stepped(story, tmp_path / date, stop="create_ref", gate=gate, GIT_COMMITTER_DATE=date) for date in dates]
    arrived(gate, 2)
    gate.touch()
    told = [racer.communicate() for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0], told
    assert sorted(out.split(" ")[0] for out, _ in told) == ["already", "released"]
    assert store.read(keys.tag_key(V1)) is not None


def test_of_two_publishers_with_other_content_one_wins_and_the_other_is_told(
    make_story: Any, store: Store, tmp_path: Path
):
    story = make_story(first)
    gate = tmp_path / "gate"
    loser = stepped(story, tmp_path / "log", stop="push_create", gate=gate)
    arrived(gate, 1)
    other = story.bare.clone(tmp_path / "other")
    other.git("reset", "--quiet", "--hard", "HEAD~1")
    winner = Story(
        place=tmp_path, repo=other, bare=story.bare, index_url="",
        environ={**story.environ, "ENVTAG_HOME": str(tmp_path / "winner"), "ENVTAG_STORE": store.url},
    )  # fmt: skip
    lock(winner, "v1", "activating")
    other.commit(message="other content under the same tag")
    other.git("push", "--quiet", "--force", "origin", "main")
    assert publish(winner).pushed == [f"{NAME}:v1"]
    before = remote_tags(story)
    gate.touch()
    out, err = loser.communicate()
    assert loser.returncode == 1
    assert out == ""
    assert err.startswith(f"error: Alias already exists: `{NAME}:v1` on `origin`\n")
    assert f"there: {before[V1.ref]}" in err
    assert "hint: released content never changes: take another tag" in err
    assert remote_tags(story) == before
    local = story.repo.git("for-each-ref", "--format=%(objectname)", V1.ref)
    assert local in ("", before[V1.ref])
    assert assert_nothing_is_half_visible(story, store, tmp_path / "reader") == {f"{NAME}:v1"}
    later = refused(story)
    assert later.message.startswith("commit ")


def test_a_tag_that_the_remote_has_with_other_content_is_refused(make_story: Any, tmp_path: Path):
    story = make_story(first)
    start = story.repo.git("rev-parse", "HEAD")
    story.repo.git("reset", "--quiet", "--hard", "HEAD~1")
    lock(story, "v1", "activating")
    story.repo.commit(message="other content")
    story.repo.git("push", "--quiet", "--force", "origin", "main")
    publish(story)
    before = remote_tags(story)
    story.repo.git("tag", "--delete", f"{NAME}@v1")
    story.repo.git("reset", "--quiet", "--hard", start)
    story.repo.git("push", "--quiet", "--force", "origin", "main")
    error = refused(story)
    assert isinstance(error, AliasExistsError)
    assert error.message == f"Alias already exists: `{NAME}:v1` was released with other content"
    assert remote_tags(story) == before


def test_a_tag_here_that_is_another_on_the_remote_is_refused_and_may_be_forgotten(make_story: Any, tmp_path: Path):
    story = make_story(first)
    publish(story, push=False)
    clone = story.bare.clone(tmp_path / "clone")
    elsewhere = Story(place=tmp_path, repo=clone, bare=story.bare, index_url="", environ=story.environ)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_COMMITTER_DATE", "2031-01-01T00:00:00+00:00")
        publish(elsewhere)
    error = refused(story)
    assert isinstance(error, AliasExistsError)
    assert error.message == f"Alias already exists: `{NAME}:v1` on `origin` is another tag than here"
    assert remote_tags(story)[V1.ref] in error.detail
    command = error.hint.partition("`")[2].partition("`")[0]
    story.repo.git(*command.split(" ")[1:])
    assert publish(story).kept == [f"{NAME}:v1"]


def test_uncommitted_changes_are_refused(make_story: Any):
    story = make_story(first)
    story.repo.write({f"envs/{NAME}/notes.md": "not committed\n"})
    assert refused(story).message == f"`envs/{NAME}` has changes that are not committed"
    assert remote_tags(story) == {}


def test_a_commit_that_is_not_on_the_default_branch_is_refused_and_stays_private(make_story: Any, store: Store):
    story = make_story(first)
    story.repo.git("checkout", "--quiet", "-b", "topic")
    lock(story, "v2", "activating")
    head = story.repo.commit(message="v2")
    error = refused(story)
    assert error.message == f"commit {head[:12]} is not on the default branch of `origin`"
    assert "--no-push" in error.hint
    assert list(store.list("")) == []

    assert publish(story, push=False).tags == [f"{NAME}:v1", f"{NAME}:v2"]
    assert remote_tags(story) == {}
    assert [*store.list(keys.TAGS), *store.list(keys.POINTERS)] == []
    assert story.run("run", f"{NAME}:v2", "--", "prefixed").code == 0

    story.repo.git("push", "--quiet", "origin", "topic:main")
    report = publish(story)
    assert (report.tags, report.kept, report.pushed, report.uploaded) == (
        [], [f"{NAME}:v1", f"{NAME}:v2"], [f"{NAME}:v1", f"{NAME}:v2"], 0,
    )  # fmt: skip
    assert list(remote_tags(story)) == [V1.ref, V2.ref]
    assert store.read(keys.tag_key(V2)) is not None


def test_a_tag_made_without_push_stays_here_if_its_commit_was_never_merged(make_story: Any):
    story = make_story(first)
    story.repo.git("checkout", "--quiet", "-b", "topic")
    lock(story, "v2", "activating")
    topic = story.repo.commit(message="v2, as it was tried")
    publish(story, push=False)
    story.repo.git("checkout", "--quiet", "main")
    story.repo.git("merge", "--quiet", "--squash", "topic")
    story.commit("v2, as it was merged")
    error = refused(story)
    assert f"the tag of `{NAME}:v2` here is on commit {topic[:12]}, which is not on the default branch" in error.message
    assert V2.ref not in remote_tags(story)
    story.repo.git(*error.hint.partition("`")[2].partition("`")[0].split(" ")[1:])
    assert publish(story).pushed == [f"{NAME}:v2"]


def test_a_merged_commit_whose_release_the_merge_did_not_take_is_refused(make_story: Any):
    story = make_story(first)
    for branch, more in (("one", ()), ("two", ("activating",))):
        story.repo.git("checkout", "--quiet", "-b", branch, "main")
        lock(story, "v2", "libarch", *more)
        story.repo.commit(message=branch)
    story.repo.git("checkout", "--quiet", "main")
    story.repo.git("merge", "--quiet", "--no-ff", "--message", "one", "one")
    story.repo.git("merge", "--quiet", "--strategy", "ours", "--message", "two, but as one", "two")
    story.repo.git("push", "--quiet", "origin", "main")
    story.repo.git("checkout", "--quiet", "two")
    assert refused(story).message == (
        f"the default branch of `origin` does not release `{NAME}:v2` as this commit does"
    )
    story.repo.git("checkout", "--quiet", "main")
    assert publish(story).pushed == [f"{NAME}:v1", f"{NAME}:v2"]


def test_a_release_whose_directory_moved_on_is_tagged_where_its_locks_are(make_story: Any):
    story = make_story(second)
    before = story.repo.git("rev-parse", "HEAD~1")
    newest = story.commit("something else", {"README.md": "news\n"})
    assert publish(story).pushed == [f"{NAME}:v1", f"{NAME}:v2"]
    assert [story.repo.git("rev-parse", f"{alias.ref}^{{commit}}") for alias in (V1, V2)] == [before, newest]


def test_commits_without_the_environment_or_with_a_broken_one_are_passed_over(make_story: Any):
    story = make_story(first)
    kept = story.files(NAME)
    at_v1 = story.repo.git("rev-parse", "HEAD")
    story.commit("removed", {f"envs/{NAME}/{file}": None for file in kept})
    story.commit("broken", {f"envs/{NAME}/{file}": text for file, text in kept.items()} | {
        f"envs/{NAME}/envtag.yml": "version: [\n"
    })  # fmt: skip
    story.repo.write({f"envs/{NAME}/envtag.yml": kept["envtag.yml"]})
    lock(story, "v2", "activating")
    story.commit("v2")
    assert publish(story).pushed == [f"{NAME}:v1", f"{NAME}:v2"]
    assert story.repo.git("rev-parse", f"{V1.ref}^{{commit}}") == at_v1


def test_a_release_whose_only_commit_is_malformed_says_how(make_story: Any):
    story = make_story(first)
    story.repo.git("rm", "--quiet", f"envs/{NAME}/environment.yml")
    story.repo.git("commit", "--quiet", "--amend", "--message", "without its spec")
    story.repo.git("push", "--quiet", "--force", "origin", "main")
    assert f"`envs/{NAME}/environment.yml` is not there, and `envtag.yml` names it" in refused(story).detail
    assert remote_tags(story) == {}


def test_a_release_that_was_squashed_away_is_refused(make_story: Any):
    story = make_story(second)
    story.repo.git("reset", "--quiet", "--soft", "HEAD~2")
    story.repo.git("commit", "--quiet", "--message", "both at once")
    story.repo.git("push", "--quiet", "--force", "origin", "main")
    error = refused(story)
    assert error.message.startswith(f"`{NAME}:v1` is in the ledger, but no commit of this branch holds the locks")
    assert "remove that line" in error.hint
    assert remote_tags(story) == {}


def test_an_edited_release_is_refused_however_it_was_published(published: Story):
    path = published.path / "envs" / NAME / "tags.yml"
    old = Ledger.parse(path.read_bytes(), "tags.yml")
    edited = Ledger(releases=(Release(tag="v1", request="1" * 40, locks=old.releases[0].locks),), pointers=old.pointers)
    published.commit("rewritten", {f"envs/{NAME}/tags.yml": edited.to_bytes()})
    error = refused(published)
    assert isinstance(error, AliasExistsError)
    assert error.message == f"Alias already exists: `{NAME}:v1` was released with other content"


def test_a_package_with_other_bytes_at_its_origin_is_named_and_nothing_is_tagged(
    make_story: Any, store: Store, tmp_path: Path, conda_channel: Path
):
    story = make_story(first)
    shutil.copytree(conda_channel / "noarch", tmp_path / "mirror" / "noarch")
    shutil.copytree(conda_channel / HERE, tmp_path / "mirror" / HERE, ignore=lambda _, names: {
        name for name in names if name.startswith("python")
    })  # fmt: skip
    (archive,) = (tmp_path / "mirror" / "noarch").glob("tzish-*.conda")
    data = archive.read_bytes()
    archive.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    tampered = Story(
        place=story.place, repo=story.repo, bare=story.bare, index_url="",
        environ={**story.environ, "ENVTAG_MIRRORS": f"{CONDA_FORGE}={(tmp_path / 'mirror').as_uri()}"},
    )  # fmt: skip
    error = refused(tampered)
    assert "tzish" in error.message
    assert "has other bytes than its lock says" in error.message
    assert remote_tags(story) == {}
    assert all(entry.key.startswith(keys.OBJECTS) for entry in store.list(""))
    assert publish(story).pushed == [f"{NAME}:v1"]


def test_a_wheel_with_other_bytes_at_its_index_is_named_and_nothing_is_tagged(
    story: Story, tmp_path: Path, store: Store
):
    wheel = make_wheel(tmp_path / "index", "sigma", "1.0")
    index = Index(tmp_path / "index")
    spec = story.spec("requirements.txt", "sigma\n")
    minor = "{}.{}".format(*sys.version_info[:2])
    options = ("--index-url", index.url, "--python", minor, "--platform", HERE)
    story.call("resolve", "-r", str(spec), *options, "--alias", "sigma:v1")
    story.commit("sigma:v1")
    index.instead[f"/files/{wheel.name}"] = wheel.read_bytes() + b"more"
    error = refused(story, "sigma")
    index.stop()
    assert "sigma" in error.message
    assert "has other bytes than its lock says" in error.message
    assert remote_tags(story) == {}
    assert list(store.list("")) == []


def test_a_stored_package_of_another_size_is_refused(make_story: Any, store: Store, conda_channel: Path):
    story = make_story(first)
    (archive,) = (conda_channel / "noarch").glob("tzish-*.conda")
    key = keys.object_key(hashlib.sha256(archive.read_bytes()).hexdigest(), "conda")
    store.swap(key, b"cut short", None)
    error = refused(story)
    assert error.message.startswith(f"`{key}` is already in {store.url} with 9 bytes")
    assert remote_tags(story) == {}
    store.delete(key)
    assert publish(story).pushed == [f"{NAME}:v1"]


def test_a_second_publication_stores_and_pushes_nothing_and_asks_the_remote_once(
    published: Story, store: Store, monkeypatch: pytest.MonkeyPatch
):
    lock(published, "v1", name="mlp/other")
    published.commit("another environment")
    published.call("publish")
    before = {entry.key: entry.modified for entry in store.list("") if not entry.key.startswith(keys.POINTERS)}
    calls = []
    real = Git.run

    def watched(self: Git, *words: str, **settings: Any) -> Any:
        calls.append(words[0])
        return real(self, *words, **settings)

    monkeypatch.setattr(Git, "run", watched)
    report = publish(published, NAME, "mlp/other")
    assert (report.uploaded, report.tags, report.pushed) == (0, [], [])
    assert report.kept == [f"{NAME}:v1", "mlp/other:v1"]
    assert (calls.count("ls-remote"), calls.count("fetch"), calls.count("push")) == (1, 1, 0)
    after = {entry.key: entry.modified for entry in store.list("") if not entry.key.startswith(keys.POINTERS)}
    assert after == before


def test_one_request_under_names_of_different_length_is_published_under_both(make_story: Any, store: Store):
    story = make_story(first)
    lock(story, "v1", name="mlp/a-much-longer-name")
    story.commit("the same request again")
    report = publish(story, NAME, "mlp/a-much-longer-name")
    assert report.pushed == [f"{NAME}:v1", "mlp/a-much-longer-name:v1"]
    (entry,) = store.list(keys.REQUESTS)
    assert json.loads(store.read(entry.key) or b"")["environment"] == NAME


def test_an_emptied_store_is_filled_again_for_tags_that_are_there(published: Story, store: Store):
    before = {entry.key: store.read(entry.key) for entry in store.list("")}
    for key in before:
        store.delete(key)
    report = publish(published)
    assert (report.kept, report.uploaded) == ([f"{NAME}:v1"], 2)
    assert {entry.key: store.read(entry.key) for entry in store.list("")} == before


def test_a_replica_with_other_content_is_refused(make_story: Any, store: Store):
    story = make_story(first)
    store.swap(keys.tag_key(V1), b'{"version":1}\n', None)
    error = refused(story)
    assert isinstance(error, AliasExistsError)
    assert error.message == f"Alias already exists: `{NAME}:v1` in `{store.url}` with other content"
    assert store.read(keys.tag_key(V1)) == b'{"version":1}\n'


def test_pointers_only_move_forward(published: Story, store: Store):
    key = keys.pointer_key(Alias(name=NAME, tag="latest"))
    older = published.repo.git("rev-parse", "HEAD")
    lock(published, "v2", "activating")
    newer = published.commit("v2")
    publish(published)
    latest = store.read(key)
    assert json.loads(latest or b"")["commit"] == newer
    published.repo.git("checkout", "--quiet", older)
    assert publish(published).kept == [f"{NAME}:v1"]
    assert store.read(key) == latest


def test_stable_follows_a_promotion_and_its_revert(published: Story, store: Store):
    key = keys.pointer_key(Alias(name=NAME, tag="stable"))
    locks = []
    lock(published, "v2", "activating")
    published.commit("v2")
    publish(published)
    locks.append(json.loads(store.read(key) or b"")["locks"])
    published.call("alias", f"{NAME}:v2", f"{NAME}:stable")
    published.commit("promote")
    publish(published)
    locks.append(json.loads(store.read(key) or b"")["locks"])
    published.repo.git("revert", "--no-edit", "HEAD")
    published.repo.git("push", "--quiet", "origin", "main")
    publish(published)
    locks.append(json.loads(store.read(key) or b"")["locks"])
    assert locks[0] == locks[2] != locks[1]


def test_an_environment_from_uv_names_the_python_that_was_seen(
    story: Story, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    minor = "{}.{}".format(*sys.version_info[:2])
    story.resolve("pure:v1", requirements="beta\n", options=("--platform", HERE, "--python", minor))
    story.commit("pure:v1")
    publish(story, "pure")
    (entry,) = store.list(keys.MANIFESTS)
    seen = parse_manifest(store.read(entry.key) or b"", entry.key).python_seen
    assert seen.startswith(f"{minor}.")
    store.delete(entry.key)
    monkeypatch.setattr("envtag.publication.manifests.python_seen", lambda _: "3.99.0")
    error = refused(story, "pure")
    assert "this machine makes" in error.message
    assert "with the interpreter that it was released with" in error.hint


def test_a_source_distribution_is_published_as_it_is(story: Story, store: Store, pypi_index: Index):
    minor = "{}.{}".format(*sys.version_info[:2])
    story.resolve("sdist:v1", requirements="delta\n", options=("--platform", HERE, "--python", minor))
    story.commit("sdist:v1")
    publish(story, "sdist")
    package = pypi_package(pypi_index.directory / "delta-1.0.tar.gz")
    assert store.size(keys.object_key(package.sha256, "tar.gz")) == package.size


def test_a_registry_without_a_commit_is_refused(tmp_path: Path, story: Story):
    empty = GitRepo.create(tmp_path / "empty")
    shutil.copytree(story.path / "envs", empty.path / "envs")
    shutil.copy(story.path / "pyproject.toml", empty.path)
    os.truncate(empty.path / "envs" / ".gitkeep", 0)
    alone = Story(place=tmp_path, repo=empty, bare=story.bare, index_url="", environ=story.environ)
    assert refused(alone, "mlp/x").message == "the registry has no commit yet"
