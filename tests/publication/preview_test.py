from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from envtag.builds import Builds
from envtag.errors import AliasExistsError, FatalError
from envtag.output import Output
from envtag.publication import Preview, Report, Waiting
from envtag.store import Store, keys, open_store
from support.publishing import NAME, V1, first, lock, publish, second
from support.story import HERE, Story


@pytest.fixture
def store(cold_client: Any) -> Store:
    return open_store(cold_client.config.directories.default_store.as_uri())


def preview(story: Story, *, push: bool = True, platforms: tuple[str, ...] = ()) -> tuple[list[str], Report]:
    """What a dry run says, once it is certain that it changed nothing."""
    before = everything(story)
    report = Report(dry_run=True)
    with story.registry() as registry:
        looking = Preview(
            registry=registry,
            store=open_store(story.config.directories.default_store.as_uri()),
            config=story.config,
            output=Output(),
            push=push,
            platforms=platforms,
        )
        lines = looking.publish(NAME, report)
    assert everything(story) == before
    return lines, report


def everything(story: Story) -> dict[str, str]:
    """Each file of the clone, the remote and the store with its hash, without git's objects and its index."""
    found = {}
    for root in (story.path, story.bare.path, story.config.directories.default_store):
        for place, directories, files in os.walk(root):
            directories[:] = [name for name in directories if name != "objects" or root == Path(place)]
            for name in files:
                path = Path(place, name)
                if name != "index":
                    found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def test_it_says_what_would_be_stored_released_pushed_and_replicated(make_story: Callable[..., Story]):
    story = make_story(first)
    head = story.repo.git("rev-parse", "HEAD")[:12]
    lines, report = preview(story)
    assert lines == [
        f"store 2 packages for {HERE} (0.0 MB)",
        f"release {NAME}:v1 at commit {head}, pushed to origin",
        f"replicate {NAME}:v1",
        f"bring {NAME}:latest in the store to commit {head}",
        f"bring {NAME}:stable in the store to commit {head}",
    ]
    assert (report.uploaded, report.tags, report.pushed) == (2, [f"{NAME}:v1"], [f"{NAME}:v1"])
    assert report.bytes > 0
    done = publish(story)
    assert (done.uploaded, done.bytes, done.tags, done.pushed) == (
        report.uploaded, report.bytes, report.tags, report.pushed,
    )  # fmt: skip
    assert preview(story)[0] == []


def test_only_the_rest_is_said_of_what_is_published_in_part(make_story: Callable[..., Story], store: Store):
    story = make_story(second)
    publish(story)
    store.delete(keys.tag_key(V1))
    (archive,) = [entry for entry in store.list(keys.MANIFESTS) if entry.key][:1]
    store.delete(archive.key)
    lines, report = preview(story)
    assert lines == [f"replicate {NAME}:v1"]
    assert report.kept == [f"{NAME}:v1", f"{NAME}:v2"]


def test_a_tag_that_only_the_remote_has_is_seen_without_a_ref_here(make_story: Callable[..., Story], tmp_path: Path):
    story = make_story(first)
    clone = story.bare.clone(tmp_path / "clone")
    publish(story)
    other = Story(place=tmp_path, repo=clone, bare=story.bare, index_url="", environ=story.environ)
    lines, report = preview(other)
    assert (lines, report.kept) == ([], [f"{NAME}:v1"])
    assert clone.git("tag", "--list") == ""


def test_a_default_branch_that_moved_on_is_seen_without_a_ref_here(make_story: Callable[..., Story], tmp_path: Path):
    story = make_story(first)
    clone = story.bare.clone(tmp_path / "clone")
    story.commit("news", {"README.md": "news\n"})
    other = Story(place=tmp_path, repo=clone, bare=story.bare, index_url="", environ=story.environ)
    assert preview(other)[1].pushed == [f"{NAME}:v1"]


def test_without_push_or_for_a_platform_less_is_done(make_story: Callable[..., Story]):
    story = make_story(first)
    head = story.repo.git("rev-parse", "HEAD")[:12]
    stored = f"store 2 packages for {HERE} (0.0 MB)"
    assert preview(story, push=False)[0] == [stored, f"release {NAME}:v1 at commit {head}"]
    assert preview(story, platforms=(HERE,))[0] == [stored]
    assert preview(story, platforms=("osx-arm64",))[0] == []


def test_a_tag_that_would_be_shared_is_said(make_story: Callable[..., Story]):
    story = make_story(first)
    publish(story, push=False)
    lines, report = preview(story)
    assert lines[0] == f"push the tag {NAME}:v1 to origin"
    assert report.pushed == [f"{NAME}:v1"]


def test_it_refuses_what_publishing_refuses(make_story: Callable[..., Story]):
    story = make_story(first)
    story.repo.write({f"envs/{NAME}/notes.md": "not committed\n"})
    with pytest.raises(FatalError, match="has changes that are not committed"):
        preview(story)
    story.repo.commit()
    with pytest.raises(FatalError, match="is not on the default branch of `origin`"):
        preview(story)


def test_a_tag_of_other_content_is_refused(make_story: Callable[..., Story]):
    story = make_story(first)
    start = story.repo.git("rev-parse", "HEAD")
    story.repo.git("reset", "--quiet", "--hard", "HEAD~1")
    lock(story, "v1", "activating")
    story.repo.commit(message="other content")
    story.repo.git("push", "--quiet", "--force", "origin", "main")
    publish(story)
    story.repo.git("tag", "--delete", f"{NAME}@v1")
    story.repo.git("reset", "--quiet", "--hard", start)
    story.repo.git("push", "--quiet", "--force", "origin", "main")
    with pytest.raises(AliasExistsError, match="was released with other content"):
        preview(story)


@pytest.mark.parametrize("here", [True, False])
def test_builds_are_made_here_or_waited_for(make_story: Callable[..., Story], here: bool, monkeypatch: Any):
    story = make_story(first)
    if not here:
        monkeypatch.setattr("envtag.publication.preview.current_platform", lambda: "osx-64")
    monkeypatch.setattr(
        "envtag.publication.preview.recorded_builds", lambda lock, **_: Builds(waiting=lock.packages[:1])
    )
    lines, report = preview(story)
    if here:
        assert report.built == ["prefixed 1.0"]
        assert lines.count(f"build prefixed 1.0 for {HERE}") == 1
        assert report.tags == [f"{NAME}:v1"]
    else:
        assert report.waiting == [Waiting(NAME, HERE, "prefixed", "1.0")]
        assert report.tags == []
        assert not [line for line in lines if line.startswith(("release", f"replicate {NAME}"))]
