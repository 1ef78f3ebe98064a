from __future__ import annotations

from collections.abc import Callable

import pytest

from envtag.ledger import Ledger
from envtag.record import TagRecord
from support.checks import edit_ledger, edit_packages, edit_text, found, only, rules
from support.story import HERE, MINOR, Story

NAMES = ("one", "two/base", "three/team/base")


def deep(story: Story) -> None:
    """State: an environment at depth 1, 2 and 3, each with a published `v1`, and later commits."""
    text = f"channels: [conda-forge]\ndependencies:\n- python {MINOR}.*\n- alpha 1.0\n"
    for name in NAMES:
        story.resolve(f"{name}:v1", environment=text, options=("--platform", HERE))
    story.commit("v1")
    for name in NAMES:
        story.tag(name, "v1")
        edit_packages(story, "alpha", name, sha256="0" * 64)
    story.commit("another alpha")


@pytest.fixture
def registry(make_story: Callable[..., Story]) -> Story:
    """`deep`, on a branch; each environment is about to change."""
    story = make_story(deep)
    story.repo.git("checkout", "--quiet", "-b", "topic")
    for name in NAMES:
        (story.path / "envs" / name / "notes.md").write_text("x")
    return story


def moved(story: Story, name: str, commit: str, record: TagRecord | None = None) -> None:
    """Move a published tag on the remote, as somebody can who may."""
    tag = f"{name}@v1"
    message = record.message() if record is not None else story.bare.git("tag", "--list", "--format=%(contents)", tag)
    story.repo.git("push", "--quiet", "origin", f"{commit}:refs/heads/aside")
    story.bare.git("tag", "--force", "--annotate", "--message", message, "--cleanup=verbatim", tag, commit)


def tag_rules(story: Story, name: str) -> set[str]:
    return {item.rule for item in found(story) if item.environment == name and item.rule.startswith("tag-")}


def test_tags_that_are_as_they_were_are_fine(registry: Story):
    assert all(tag_rules(registry, name) == set() for name in NAMES)
    registry.repo.git("fetch", "--quiet", "--tags")
    assert all(tag_rules(registry, name) == set() for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("fetched", [False, True])
def test_a_tag_that_was_moved_forward_is_seen(registry: Story, name: str, fetched: bool):
    if fetched:
        registry.repo.git("fetch", "--quiet", "--tags")
    moved(registry, name, registry.repo.git("rev-parse", "origin/main"))
    assert tag_rules(registry, name) == {"tag-moved"}
    findings = [item for item in found(registry) if item.rule == "tag-moved"]
    assert {item.environment for item in findings} == {name}
    assert len(findings) == 2 if fetched else 1
    assert {(item.path, item.line, item.severity) for item in findings} == {(f"envs/{name}/tags.yml", 3, "error")}


@pytest.mark.parametrize("name", NAMES)
def test_a_tag_that_was_moved_backward_is_seen(registry: Story, name: str):
    moved(registry, name, registry.repo.git("rev-list", "--max-parents=0", "HEAD"))
    assert tag_rules(registry, name) == {"tag-moved"}


@pytest.mark.parametrize("name", NAMES)
def test_a_tag_that_was_moved_sideways_is_seen(registry: Story, name: str):
    registry.repo.git("stash", "--quiet", "--include-untracked")
    registry.repo.git("checkout", "--quiet", "-b", "side", "origin/main~1")
    commit = registry.repo.commit({"envs/side.md": "x"}, "side")
    registry.repo.git("checkout", "--quiet", "topic")
    registry.repo.git("stash", "pop", "--quiet")
    moved(registry, name, commit)
    assert tag_rules(registry, name) == {"tag-moved"}


def test_a_tag_that_was_deleted_and_made_anew_is_seen(registry: Story):
    registry.repo.git("fetch", "--quiet", "--tags")
    commit = registry.repo.git("rev-parse", "two/base@v1^{commit}")
    message = registry.bare.git("tag", "--list", "--format=%(contents)", "two/base@v1")
    registry.bare.git("tag", "--delete", "two/base@v1")
    registry.bare.git(
        "tag", "--annotate", "--message", f"{message}\nagain", "--cleanup=verbatim", "two/base@v1", commit
    )
    assert "tag-moved" in tag_rules(registry, "two/base")


def test_a_line_that_says_something_else_than_its_tag_is_seen(registry: Story):
    edit_ledger(
        registry, lambda ledger: ledger._replace(releases=(ledger.releases[0]._replace(request="b" * 40),)), "one"
    )
    assert tag_rules(registry, "one") == {"tag-matches-ledger"}
    assert {"ledger-append-only", "tag-matches-ledger"} <= set(rules(found(registry)))


@pytest.mark.parametrize("kind", ["lightweight", "foreign"])
def test_a_tag_without_a_record_is_an_error(registry: Story, kind: str):
    options = () if kind == "lightweight" else ("--annotate", "--message", "mine")
    registry.bare.git("tag", "--force", *options, "one@v1", "main~1")
    assert tag_rules(registry, "one") == {"tag-matches-ledger"}


@pytest.mark.parametrize("tag", ["v2", "latest", "V-Bad", "stable"])
def test_a_tag_without_a_release_line_is_a_warning(registry: Story, tag: str):
    record = TagRecord(name="one", tag=tag if tag == "v2" else "v3", request="a" * 40, locks={HERE: "a" * 40},
                       manifests={HERE: "a" * 64})  # fmt: skip
    registry.bare.git("tag", "--annotate", "--message", record.message(), "--cleanup=verbatim", f"one@{tag}", "main~1")
    finding = only(found(registry), "tag-unreleased")
    assert finding.severity == "warning"
    assert tag in finding.message


def test_a_tag_of_another_environment_is_no_concern(registry: Story):
    registry.bare.git("tag", "one/other@v1", "main")
    registry.bare.git("tag", "onemore@v1", "main")
    assert tag_rules(registry, "one") == set()


def test_an_unreadable_ledger_makes_no_tag_an_unreleased_one(registry: Story):
    edit_text(registry, "envs/one/tags.yml", "version: 1", "version: 9")
    assert "tag-unreleased" not in tag_rules(registry, "one")
    assert Ledger.parse(b"version: 1\nreleases: []\npointers: {}\n", "x") == Ledger()
