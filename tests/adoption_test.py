from __future__ import annotations

import pytest

from envtag.adoption import adopt, content_of
from envtag.errors import AliasExistsError, FatalError
from envtag.lookup import find
from envtag.names import parse_alias
from envtag.output import Output
from envtag.store import open_store
from envtag.stored import find_stored
from support.story import HERE, MINOR, Story, mixed

BETA = f"channels: [conda-forge]\ndependencies:\n- python {MINOR}.*\n- beta\n"


@pytest.fixture
def story(make_story):
    return make_story(mixed)


def name(story: Story, source: str, target: str) -> bool:
    with story.registry() as registry:
        return adopt(
            content_of(find(source, registry, story.config, {}), source, registry, story.config),
            parse_alias(target),
            registry,
            Output(),
        )


def without_ledger(files: dict[str, str]) -> dict[str, str]:
    return {path: text for path, text in files.items() if path != "tags.yml"}


def test_another_name_has_the_same_files_and_ids(story):
    assert name(story, "mlp/mix:v1", "team/copy:v7")
    assert without_ledger(story.files("team/copy")) == without_ledger(story.files("mlp/mix"))
    shown = story.call("show", "mlp/mix:v1", "team/copy:v7", "--json").json
    assert shown[0]["lock"] == shown[1]["lock"]
    assert shown[0]["request"] == shown[1]["request"]
    assert story.call("lock", "--check", "team/copy").code == 0


def test_latest_has_no_release(story):
    assert name(story, "mlp/base:v1", "team/copy")
    assert "tags.yml" not in story.files("team/copy")


def test_the_same_again_changes_nothing(story):
    name(story, "mlp/base:v1", "team/copy:v1")
    before = story.files("team/copy")
    assert not name(story, "mlp/base:v1", "team/copy:v1")
    assert story.files("team/copy") == before


def test_an_immutable_tag_with_other_content_is_refused(story):
    name(story, "mlp/base:v1", "team/copy:v1")
    before = story.files("team/copy")
    with pytest.raises(AliasExistsError, match="Alias already exists: `team/copy:v1`"):
        name(story, "mlp/mix:v1", "team/copy:v1")
    assert story.files("team/copy") == before


def test_a_tag_that_is_published_with_other_content_is_refused(story):
    story.tag("mlp/base", "v1")
    with pytest.raises(AliasExistsError, match="Alias already exists: `mlp/base:v1`"):
        name(story, "mlp/mix:v1", "mlp/base:v1")


def test_a_new_tag_takes_the_place_of_what_latest_was(story):
    name(story, "mlp/base:v1", "team/copy:v1")
    name(story, "mlp/mix:v1", "team/copy:v2")
    assert without_ledger(story.files("team/copy")) == without_ledger(story.files("mlp/mix"))
    assert f"{HERE}-lock.yml" in story.files("team/copy")
    assert "osx-arm64-lock.yml" not in story.files("team/copy")


def test_a_further_tag_of_the_same_name_is_of_what_is_there(story):
    assert name(story, "mlp/base:v1", "mlp/base:prod")
    assert [line.split(",")[0] for line in story.files("mlp/base")["tags.yml"].splitlines()[2:4]] == [
        "- {tag: v1", "- {tag: prod",
    ]  # fmt: skip


def test_an_older_state_of_the_same_name_is_not_put_back_for_a_tag(story):
    story.tag("mlp/base", "v1")
    story.resolve("mlp/base:v2", environment=BETA, options=("--platform", HERE))
    before = story.files("mlp/base")
    with pytest.raises(FatalError, match="has other locks by now"):
        name(story, "mlp/base:v1", "mlp/base:prod")
    assert story.files("mlp/base") == before
    assert name(story, "mlp/base:v1", "mlp/base")  # `latest` may go back


def test_what_is_not_locked_cannot_be_named_again(story):
    for path in (story.path / "envs/mlp/pure").glob("*-lock.yml"):
        path.unlink()
    with pytest.raises(FatalError, match="is not locked yet"):
        name(story, "mlp/pure", "team/copy")


def test_what_the_store_alone_has_becomes_its_packages_pinned(story):
    item = story.call("show", "mlp/mix:v1", "--json").json[0]
    story.run("publish", "mlp/mix", "--no-push")
    full_id = f"{item['request']}:{item['lock']}"
    store = open_store(story.config.directories.default_store.as_uri())
    with story.registry() as registry:
        found = find_stored(full_id, store, story.config.directories.known_tags, {}, ())
        assert found is not None
        content = content_of(found, "step:MyFlow/123/train", registry, story.config)
        assert adopt(content, parse_alias("team/x:v1"), registry, Output())
    shown = story.call("show", "team/x:v1", "--json").json[0]
    assert shown["lock"] == item["lock"]
    assert shown["request"] != item["request"]
    assert "numpyish ==2.0 py" in story.files("team/x")["environment.yml"]
    assert story.call("lock", "--check", "team/x").code == 0
    assert "metaflow MyFlow/123/train lock:" in story.files("team/x")["envtag.yml"]
