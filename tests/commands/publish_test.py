from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

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
    assert told.err.startswith("2 packages stored (0.0 MB), 0 were there, in file:///")
    assert f", {NAME}:v1 pushed to `origin`\n" in told.err
    assert told.err.endswith(f"next: `envtag run {NAME}:v1 -- python`, from any clone\n")
    again = story.run("publish", NAME)
    assert again.out == f"already released {NAME}:v1, same content\n"
    assert "0 packages stored (0.0 MB), 2 were there" in again.err
    assert "pushed" not in again.err
    assert "next:" not in again.err


def test_all_environments_are_published_without_a_name_and_told_as_json(make_story: Callable[..., Story]):
    story = make_story(unpublished)
    told = story.call("publish", "--json").json
    assert told.pop("bytes") > 0
    assert told == {
        "environments": ["mlp/draft", NAME],
        "uploaded": 2,
        "reused": 0,
        "tags": [f"{NAME}:v1"],
        "kept": [],
        "pushed": [f"{NAME}:v1"],
    }
    assert story.call("publish", "--json").json == {
        "environments": ["mlp/draft", NAME],
        "uploaded": 0,
        "reused": 2,
        "bytes": 0,
        "tags": [],
        "kept": [f"{NAME}:v1"],
        "pushed": [],
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
