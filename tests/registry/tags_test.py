from __future__ import annotations

from collections.abc import Callable

import pytest

from envtag.errors import FatalError
from envtag.names import Alias
from envtag.registry import open_registry
from envtag.registry.tags import tag_refs
from support.story import Story, released

V1 = Alias(name="mlp/base", tag="v1")
V2 = Alias(name="mlp/base", tag="v2")


@pytest.fixture
def story(make_story: Callable[..., Story]) -> Story:
    story = make_story(released)
    story.tag("mlp/base", "v1")
    return story


def test_what_the_remote_has_is_fetched_and_no_tag_here_is_made(story: Story):
    with story.registry() as registry:
        refs = tag_refs(registry)
        assert refs.aliases() == [V1]
        (sha,) = refs.objects(V1)
        tag = registry.git.tag(sha)
        assert tag is not None
        assert tag.name == "mlp/base@v1"
    assert story.repo.git("tag", "--list") == ""


def test_a_tag_that_differs_here_is_two_objects_and_both_can_be_read(story: Story):
    story.repo.git("tag", "-a", "-m", "other", "mlp/base@v1")
    with story.registry() as registry:
        refs = tag_refs(registry, V1)
        assert len(refs.objects(V1)) == 2
        assert refs.objects(V1)[0] == story.repo.git("rev-parse", "mlp/base@v1")
        assert all(registry.git.tag(sha) is not None for sha in refs.objects(V1))


def test_what_names_no_alias_is_left_out(story: Story):
    story.repo.git("tag", "v1.0")
    story.repo.git("tag", "A b@v1".replace(" ", "-"))
    with story.registry() as registry:
        assert tag_refs(registry).aliases() == [V1]
        assert tag_refs(registry, V2).aliases() == []


def test_offline_and_without_a_remote_only_what_is_here_is_known(story: Story):
    with open_registry(str(story.path), story.place, story.config, offline=True) as registry:
        assert tag_refs(registry).there is None
    story.repo.git("remote", "remove", "origin")
    with story.registry() as registry:
        assert tag_refs(registry).there is None
        assert tag_refs(registry).objects(V1) == ()


def test_a_registry_by_url_has_them_too(story: Story):
    with open_registry(story.bare.url, story.place, story.config) as registry:
        refs = tag_refs(registry)
        assert refs.here == {}
        assert registry.git.tag(refs.objects(V1)[0]) is not None


def test_a_tag_that_is_removed_meanwhile_is_told(story: Story, monkeypatch):
    with story.registry() as registry:
        monkeypatch.setattr(registry.git, "remote_refs", lambda *_: {V2.ref: "a" * 40})
        with pytest.raises(FatalError, match="a tag was removed from `origin`"):
            tag_refs(registry)
