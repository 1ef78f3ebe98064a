from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from envtag.errors import FatalError
from envtag.found import Found, InRegistry, no_platform, person
from envtag.lookup import find
from envtag.names import Alias
from envtag.store import keys, open_store
from support.story import CONDA_FORGE, HERE, MINOR, Story, released


def published(story: Story) -> None:
    """State: `released`, with the git tag of `mlp/base:v1`."""
    released(story)
    story.tag("mlp/base", "v1")


@pytest.fixture
def found(make_story: Callable[..., Story]) -> Iterator[InRegistry]:
    story = make_story(published)
    with story.registry() as registry:
        yield find("mlp/base:v1", registry, story.config, {})


def test_it_says_where_and_what_it_is(found: InRegistry):
    seen: Found = found
    assert seen.platforms == (HERE, "osx-arm64")
    assert seen.location == found.registry.location
    assert seen.commit == found.environment.revision
    assert seen.requested() == [f"conda::python {MINOR}.*", "conda::alpha ==1.0"]
    assert seen.aliases(HERE) == ["mlp/base:v1"]
    assert seen.resolved() == ("2024-12-01T12:00:00Z", "A Tester")
    assert seen.lock(HERE).channels == (CONDA_FORGE,)
    seen.close()


def test_what_is_asked_for_on_one_platform_leaves_out_what_selectors_keep_for_others(make_story: Callable[..., Story]):
    story = make_story()
    text = "channels: [conda-forge]\ndependencies:\n- tzish\n- prefixed  # [linux]\n- beta  # [osx]\n"
    story.resolve("mlp/sel:v1", environment=text, options=("--platform", HERE, "--platform", "osx-arm64"))
    with story.registry() as registry:
        seen = find("mlp/sel", registry, story.config, {})
        assert seen.requested(HERE) == ["conda::tzish", "conda::prefixed"]
        assert seen.requested("osx-arm64") == ["conda::tzish", "conda::beta"]
        assert len(seen.requested()) == 3


def test_without_a_store_there_is_the_lock_alone(found: InRegistry):
    manifest = found.manifest(HERE, None)
    assert (manifest.lock.id, dict(manifest.builds)) == (found.lock_id(HERE), {})


def test_a_store_without_replica_and_manifest_adds_nothing(found: InRegistry, tmp_path):
    store = open_store((tmp_path / "store").as_uri())
    assert found.manifest(HERE, store).lock.id == found.lock_id(HERE)
    store.swap(keys.tag_key(Alias(name="mlp/base", tag="v1")), b"{}", None)
    with pytest.raises(FatalError, match="not a replica"):
        found.manifest(HERE, store)


def test_the_error_for_a_platform_names_those_that_there_are():
    error = no_platform(Alias(name="mlp/base"), "win-64", ("linux-64", "osx-arm64"))
    assert error.message == "`mlp/base:latest` is not locked for `win-64`"
    assert "`linux-64`, `osx-arm64`" in error.hint
    assert "none" in no_platform(Alias(name="mlp/base"), "win-64", ()).hint


def test_a_person_is_a_name_without_the_mail():
    assert person("A Tester <tester@example.org>") == "A Tester"
    assert person("A Tester") == "A Tester"
