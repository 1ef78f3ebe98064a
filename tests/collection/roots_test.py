from __future__ import annotations

from collections.abc import Callable

import pytest

from envtag.collection import Roots, git_roots, store_roots
from envtag.errors import FatalError
from envtag.registry import open_registry
from envtag.store import keys, open_store
from envtag.util.canonical import canonical_json
from support import opened
from support.story import HERE, Story

NAME = "mlp/tz"
TEXT = "channels: [conda-forge]\ndependencies: [prefixed, tzish]\n"


def published(story: Story) -> None:
    """State: `mlp/tz:v1` with two small conda packages is published."""
    story.resolve(f"{NAME}:v1", environment=TEXT, options=("--platform", HERE))
    story.commit("one environment")
    story.run("publish")


def git(story: Story) -> Roots:
    roots = Roots()
    with story.registry() as registry:
        git_roots(registry, roots)
    return roots


def manifests(story: Story) -> set[str]:
    with story.registry() as registry:
        tag = registry.git.tag(f"refs/tags/{NAME}@v1")
        assert tag is not None
        from envtag.record import TagRecord

        return set(TagRecord.parse(tag.message, NAME).manifests.values())


@pytest.fixture
def story(make_story: Callable[..., Story]) -> Story:
    return make_story(published)


def test_tags_here_and_on_the_remote_are_roots(story: Story):
    wanted = manifests(story)
    assert dict(git(story).manifests) == {digest: {NAME} for digest in wanted}
    story.repo.git("tag", "--delete", f"{NAME}@v1")
    assert set(git(story).manifests) == wanted
    assert story.repo.git("tag", "--list") == ""


def test_tags_of_a_registry_by_url_and_of_removed_environments_are_roots(story: Story):
    wanted = manifests(story)
    story.repo.git("rm", "-r", "--quiet", f"envs/{NAME}")
    story.commit("remove it")
    story.repo.git("tag", "--delete", f"{NAME}@v1")
    roots = Roots()
    with open_registry(story.bare.url, story.place, story.config) as registry:
        git_roots(registry, roots)
    assert set(roots.manifests) == wanted
    assert set(git(story).manifests) == wanted


def test_lines_of_ledgers_without_a_tag_are_roots_by_their_locks(story: Story):
    assert git(story).locks == {}
    story.resolve("mlp/new:v1", environment=TEXT, options=("--platform", HERE))
    assert set().union(*git(story).locks.values()) == {"mlp/new"}  # in the work tree
    story.commit("new")
    story.repo.git("reset", "--quiet", "--hard", "HEAD~1")
    assert set().union(*git(story).locks.values()) == {"mlp/new"}  # on the default branch alone


def test_tags_of_the_repositorys_own_are_let_be(story: Story):
    story.repo.git("tag", "some/package@1.0.0")
    story.repo.git("push", "--quiet", "origin", "some/package@1.0.0")
    assert set(git(story).manifests) == manifests(story)


def test_a_broken_tag_of_an_environment_stops_it(story: Story):
    story.repo.git("tag", f"{NAME}@v2")
    with pytest.raises(FatalError, match=f"`{NAME}:v2`: .* is not an annotated tag") as error:
        git(story)
    assert "nothing was deleted" in error.value.hint


def test_a_remote_that_cannot_be_reached_stops_it(story: Story):
    story.bare.path.rename(story.place / "away.git")
    with pytest.raises(FatalError, match="origin"):
        git(story)


def test_a_damaged_ledger_stops_it(story: Story):
    (story.path / "envs" / NAME / "tags.yml").write_text("version: 7\n")
    with pytest.raises(FatalError, match=r"tags\.yml"):
        git(story)


def test_replicas_of_other_registries_are_roots(story: Story):
    store = open_store((story.place / "store").as_uri())
    replica = {
        "version": 1, "name": "other/x", "tag": "v1", "commit": "c" * 40, "request": "a" * 40,
        "locks": {HERE: "b" * 40}, "manifests": {HERE: "d" * 64},
    }  # fmt: skip
    store.swap("tags/other/x@v1.json", canonical_json(replica) + b"\n", None)
    roots = Roots()
    store_roots(store, roots)
    assert roots.manifests["d" * 64] == {"other/x"}
    assert set(roots.manifests) == {"d" * 64}
    assert roots.here["d" * 64] == "`tags/other/x@v1.json`"


@pytest.mark.parametrize("prefix", [keys.TAGS, keys.POINTERS])
def test_a_damaged_replica_stops_it(story: Story, prefix: str):
    store = open_store((story.place / "store").as_uri())
    store.swap(f"{prefix}x@v1.json", b"{", None)
    with pytest.raises(FatalError, match=f"{prefix}x@v1.json.*not JSON"):
        store_roots(store, Roots())


def test_what_a_branch_claims_is_needed_also_after_its_namespace_was_closed(make_story: Callable[..., Story]):
    story = make_story(opened.published)
    opened.there(story, "resolve", *opened.request(story, "prefixed"), "--alias", f"{opened.NAME}:v2")
    text = (story.path / "pyproject.toml").read_text("utf-8")
    story.commit("close", {"pyproject.toml": text.replace("open = true", "open = false")})
    roots = git(story)
    assert [alias for alias, _ in roots.releases] == [f"{opened.NAME}:v1"]
    assert list(roots.locks.values()) == [{opened.NAME}]
