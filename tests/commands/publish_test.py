from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from envtag.builds import Builds
from support.story import HERE, Story

NAME = "mlp/tz"


def unpublished(story: Story) -> None:
    """State: `mlp/tz:v1` with two small conda packages, and `mlp/draft` without a release; pushed."""
    for alias in (f"{NAME}:v1", "mlp/draft"):
        text = "channels: [conda-forge]\ndependencies: [prefixed, tzish]\n"
        story.resolve(alias, environment=text, options=("--platform", HERE))
    story.commit("two environments")


def test_what_was_released_is_data_and_the_rest_is_talk(make_story: Callable[..., Story]):
    story = make_story(unpublished)
    told = story.run("publish", NAME)
    assert told.out == f"released {NAME}:v1\n"
    assert re.match(r"2 packages stored \(0\.0 MB in \d+\.\d s, 0\.\d MB/s\), 0 were there, in file:///", told.err)
    assert f", {NAME}:v1 pushed to `origin`\n" in told.err
    assert told.err.endswith(f"next: `envtag run {NAME}:v1 -- python`, from any clone\n")
    again = story.run("publish", NAME)
    assert again.out == f"already released {NAME}:v1, same content\n"
    assert re.match(r"0 packages stored \(0\.0 MB in \d+\.\d s\), 2 were there, in file:///", again.err)
    assert "pushed" not in again.err
    assert "next:" not in again.err


def test_all_environments_are_published_without_a_name_and_told_as_json(make_story: Callable[..., Story]):
    story = make_story(unpublished)
    told = story.call("publish", "--json").json
    assert told.pop("bytes") > 0
    assert told.pop("seconds") > 0
    nothing = {"dry_run": False, "built": [], "waiting": [], "failed": []}
    assert told == {
        "environments": ["mlp/draft", NAME],
        "uploaded": 2,
        "reused": 0,
        "tags": [f"{NAME}:v1"],
        "kept": [],
        "pushed": [f"{NAME}:v1"],
        **nothing,
    }
    again = story.call("publish", "--json").json
    del again["seconds"]
    assert again == {
        "environments": ["mlp/draft", NAME],
        "uploaded": 0,
        "reused": 2,
        "bytes": 0,
        "tags": [],
        "kept": [f"{NAME}:v1"],
        "pushed": [],
        **nothing,
    }


def test_no_push_keeps_the_tag_here_and_a_later_publication_pushes_it(make_story: Callable[..., Story]):
    story = make_story(unpublished)
    told = story.call("publish", "--no-push")
    assert told.out == f"released {NAME}:v1\n"
    assert "pushed" not in told.err
    assert story.bare.git("tag", "--list") == ""
    later = story.call("publish")
    assert later.out == f"already released {NAME}:v1, same content\n"
    assert f"{NAME}:v1 pushed to `origin`" in later.err
    assert story.bare.git("tag", "--list") == f"{NAME}@v1"


def test_a_publisher_in_another_clone_finds_it_done(make_story: Callable[..., Story], tmp_path: Path):
    story = make_story(unpublished)
    clone = story.bare.clone(tmp_path / "clone")
    story.call("publish")
    told = story.run("publish", cwd=clone.path)
    assert told.out == f"already released {NAME}:v1, same content\n"
    assert clone.git("rev-parse", f"{NAME}@v1") == story.bare.git("rev-parse", f"{NAME}@v1")


def test_an_error_is_one_line_with_a_hint_and_exit_code_1(make_story: Callable[..., Story]):
    story = make_story(unpublished)
    story.repo.write({f"envs/{NAME}/notes.md": "not committed\n"})
    told = story.run("publish", NAME, check=1)
    assert told.out == ""
    assert told.err == (
        f"error: `envs/{NAME}` has changes that are not committed\nhint: commit them: `git commit envs/{NAME}`\n"
    )


def test_a_registry_without_a_work_tree_is_refused(make_story: Callable[..., Story], tmp_path: Path):
    story = make_story(unpublished)
    for where in (str(story.bare.path), story.bare.url):
        told = story.run("--registry", where, "publish", check=1, cwd=tmp_path)
        assert f"error: `{where}` has no work tree" in told.err
        assert "git clone" in told.err


def test_names_that_are_none_and_registries_without_environments_are_refused(story: Story):
    assert "no environments yet" in story.call("publish", check=1).err
    assert "has no environment `mlp/tz`" in story.call("publish", NAME, check=1).err
    assert "`mlp/tz:v1`" in story.call("publish", f"{NAME}:v1", check=1).err


def test_a_dry_run_says_what_would_be_done_and_does_nothing(make_story: Callable[..., Story]):
    story = make_story(unpublished)
    told = story.call("publish", "--dry-run")
    lines = told.out.splitlines()
    assert lines[0] == f"mlp/draft: would store 2 packages for {HERE} (0.0 MB)"
    assert f"{NAME}: would release {NAME}:v1 at commit {story.repo.git('rev-parse', 'HEAD')[:12]}" in told.out
    assert told.err == "nothing was changed; without `--dry-run` it is done\n"
    assert story.bare.git("tag", "--list") == story.repo.git("tag", "--list") == ""
    assert not story.config.directories.default_store.exists()
    assert story.call("publish", "--dry-run", "--json").json["dry_run"] is True
    story.call("publish")
    assert story.call("publish", "--dry-run").out == f"mlp/draft: nothing to do\n{NAME}: nothing to do\n"


def test_only_environments_that_changed_are_published(make_story: Callable[..., Story]):
    story = make_story(unpublished)
    story.commit("a note", {"envs/mlp/draft/notes.md": "news\n"})
    assert story.call("publish", "--changed-since", "HEAD~1", "--json").json["environments"] == ["mlp/draft"]
    assert story.call("publish", NAME, "--changed-since", "HEAD~1", "--json").json["environments"] == []
    nothing = story.call("publish", "--changed-since", "HEAD")
    assert (nothing.out, nothing.err) == ("", "no environment changed since HEAD: nothing to publish\n")
    assert story.bare.git("tag", "--list") == ""
    unknown = story.call("publish", "--changed-since", "nowhere", check=1)
    assert unknown.err.startswith(f"error: `{story.path}` has no revision `nowhere`\nhint: ")


def test_one_platform_is_stored_without_a_tag_and_that_is_said(make_story: Callable[..., Story]):
    story = make_story(unpublished)
    told = story.call("publish", "--platform", HERE, NAME)
    assert told.out == ""
    assert told.err.endswith(
        f"only what is for {HERE}, and no tag: `envtag publish` without `--platform` releases what is whole\n"
    )
    assert story.bare.git("tag", "--list") == ""
    later = story.call("publish", NAME)
    assert later.out == f"released {NAME}:v1\n"
    assert later.err.startswith("0 packages stored")
    assert "`linux-46` is not a platform" in story.call("publish", "--platform", "linux-46", check=1).err


def broken(story: Story, *names: str) -> None:
    for name in names:
        story.repo.write({f"envs/{name}/notes.md": "not committed\n"})


def test_an_environment_that_fails_does_not_stop_the_others(make_story: Callable[..., Story]):
    story = make_story(unpublished)
    broken(story, "mlp/draft")
    told = story.run("publish", check=1)
    assert told.out == f"released {NAME}:v1\n"
    assert "2 packages stored" in told.err
    assert told.err.endswith(
        "error: `mlp/draft` is not published: `envs/mlp/draft` has changes that are not committed\n"
        "hint: commit them: `git commit envs/mlp/draft`\n"
    )
    assert story.bare.git("tag", "--list") == f"{NAME}@v1"


def test_each_of_several_failures_is_told(make_story: Callable[..., Story]):
    story = make_story(unpublished)
    broken(story, "mlp/draft", NAME)
    told = story.call("publish", "--json", check=1)
    assert [item["environment"] for item in told.json["failed"]] == ["mlp/draft", NAME]
    assert told.err == (
        f"error: 2 of 2 environments not published: `mlp/draft`, `{NAME}`\n"
        "mlp/draft: `envs/mlp/draft` has changes that are not committed\n"
        "  hint: commit them: `git commit envs/mlp/draft`\n"
        f"{NAME}: `envs/{NAME}` has changes that are not committed\n"
        f"  hint: commit them: `git commit envs/{NAME}`\n"
    )


def test_a_release_that_waits_for_a_runner_is_told_and_ends_with_1(make_story: Callable[..., Story], monkeypatch: Any):
    story = make_story(unpublished)
    monkeypatch.setattr("envtag.publication.manifests.current_platform", lambda: "osx-64")
    monkeypatch.setattr(
        "envtag.publication.manifests.recorded_builds", lambda lock, **_: Builds(waiting=lock.packages[:1])
    )
    told = story.call("publish", NAME, check=1)
    assert told.out == ""
    assert (
        f"warning: `{NAME}` waits for a runner of {HERE} to build prefixed 1.0: "
        f"`envtag publish --platform {HERE} {NAME}` there\n"
    ) in told.err
    assert story.bare.git("tag", "--list") == ""


def test_what_the_store_has_lost_of_an_older_release_comes_back_with_repair(make_story: Callable[..., Story]):
    story = make_story(unpublished)
    story.call("publish")
    text = "channels: [conda-forge]\ndependencies: [prefixed]\n"
    story.resolve(f"{NAME}:v2", environment=text, options=("--platform", HERE))
    story.commit("another release, without tzish")
    story.repo.git("rm", "-rq", "envs/mlp/draft")
    story.commit("nothing else needs tzish")
    story.call("publish")
    objects = story.config.directories.default_store / "objects"
    with story.registry() as registry:
        old = registry.environment(NAME, f"refs/tags/{NAME}@v1").lock(HERE)
    sha256 = next(package.sha256 for package in old.packages if package.name == "tzish")
    (tzish,) = objects.rglob(f"{sha256}.*")
    tzish.unlink()
    story.call("publish")
    assert not tzish.exists()  # nobody asks for each package of each older release again and again
    told = story.call("publish", "--repair", "--dry-run")
    assert f"{NAME}: would store 1 package for {HERE}" in told.out
    assert not tzish.exists()
    assert "1 package stored" in story.call("publish", "--repair").err
    assert tzish.exists()
    assert "every link holds" in story.call("verify", "--all", "--deep").err
