from __future__ import annotations

import json

import pytest

from envtag import lookup
from envtag.errors import FatalError
from envtag.ledger import Ledger
from envtag.names import Alias
from envtag.record import TagRecord
from envtag.trust import known_tag_path
from support.story import HERE, MINOR, Story, released

BETA = f"channels: [conda-forge]\ndependencies:\n- python {MINOR}.*\n- beta\n"
PLATFORMS = ("--platform", HERE, "--platform", "osx-arm64")


def published(story: Story) -> None:
    """State: `mlp/base:v1` with its git tag, `stable` on it, and `mlp/base:v2` in the ledger alone."""
    released(story)
    story.tag("mlp/base", "v1")
    story.call("alias", "mlp/base:v1", "mlp/base:stable")
    story.resolve("mlp/base:v2", environment=BETA, options=PLATFORMS)
    story.commit("mlp/base:v2, stable")


@pytest.fixture
def story(make_story):
    return make_story(published)


@pytest.fixture
def find(story):
    """Look something up in the registry, each time anew."""

    def call(text: str, **environ: str) -> lookup.Found:
        with story.registry() as registry:
            found = lookup.find(text, registry, story.config, environ)
            for platform in found.environment.platforms:
                found.lock(platform)
            return found

    return call


def refusal(find, text: str, **environ: str) -> FatalError:
    with pytest.raises(FatalError) as raised:
        find(text, **environ)
    return raised.value


def ledger(story: Story) -> Ledger:
    return Ledger.parse(story.files("mlp/base")["tags.yml"].encode(), "tags.yml")


def record(story: Story, tag: str) -> TagRecord:
    with story.registry() as registry:
        found = registry.released(Alias(name="mlp/base", tag=tag))
        assert found is not None
        return found.record


def packages(found: lookup.Found) -> set[str]:
    with found.registry:
        return {package.name for package in found.lock(HERE).packages}


def test_latest_is_the_work_tree(story, find):
    assert find("mlp/base").alias == Alias(name="mlp/base", tag="latest")
    assert find("mlp/base").environment.revision == ""
    assert packages(find("mlp/base:latest")) == {"python", "beta"}
    story.resolve("mlp/base", environment=BETA + "- click-like\n", options=PLATFORMS)
    assert packages(find("mlp/base")) == {"python", "beta", "click-like"}


def test_a_published_tag_is_read_from_its_commit(story, find):
    found = find("mlp/base:v1")
    assert packages(found) == {"python", "alpha", "beta"}
    assert found.environment.revision == story.repo.git("rev-parse", "HEAD~1")
    assert found.released is not None
    assert found.record == found.released.record
    with found.registry:
        assert found.resolved() == ("2024-12-01T12:00:00Z", "A Tester")


def test_a_pointer_is_the_release_that_it_points_at_and_keeps_its_name(find):
    found = find("mlp/base:stable")
    assert found.alias == Alias(name="mlp/base", tag="stable")
    assert packages(found) == {"python", "alpha", "beta"}
    assert found.record is not None
    assert found.record.tag == "v1"
    assert "`mlp/base` has no `candidate`" in refusal(find, "mlp/base:candidate").message


def test_a_tag_that_is_not_published_yet_is_the_work_tree_while_its_locks_are_there(story, find):
    found = find("mlp/base:v2")
    assert found.released is None
    assert found.environment.revision == ""
    assert packages(found) == {"python", "beta"}
    story.resolve("mlp/base:v3", environment=BETA + "- click-like\n", options=PLATFORMS)
    error = refusal(find, "mlp/base:v2")
    assert "never published, and its locks have changed since" in error.message
    assert "envtag publish mlp/base" in error.hint


def test_variables_are_substituted(find):
    found = find("mlp/@{WHICH}:@{TAG}", WHICH="base", TAG="v1")
    assert found.alias == Alias(name="mlp/base", tag="v1")
    assert "`UNSET`" in refusal(find, "mlp/base:@{UNSET}").message
    refusal(find, "mlp/base:@{TAG", TAG="v1")


@pytest.mark.parametrize("tag", ["v1", "v2"])
def test_a_full_id_is_found(story, find, tag):
    release = ledger(story).release(tag)
    assert release is not None
    for platform in (HERE, "osx-arm64"):
        found = find(f"{release.request}:{release.locks[platform]}")
        assert found.alias == Alias(name="mlp/base", tag=tag)


def test_a_full_id_of_what_has_no_tag_is_found_also_before_it_is_committed(story, find):
    story.resolve("mlp/new", environment=BETA + "- click-like\n")
    with story.registry() as registry:
        lock = registry.environment("mlp/new").lock(HERE)
    found = find(f"{lock.request}:{lock.id}")
    assert found.alias == Alias(name="mlp/new", tag="latest")


def test_an_unknown_id_is_refused(story, find):
    release = ledger(story).release("v1")
    assert release is not None
    assert "no environment of" in refusal(find, f"{'a' * 40}:{'b' * 40}").message
    assert "no environment of" in refusal(find, f"{'a' * 40}:{release.locks[HERE]}").message


def test_a_digest_must_be_one_of_the_release(story, find):
    said = record(story, "v1")
    digests = [said.digest, *(f"sha256:{item}" for item in said.manifests.values())]
    for digest in digests:
        assert find(f"mlp/base:v1@{digest}").alias.digest == digest
    wrong = "sha256:" + "0" * 64
    error = refusal(find, f"mlp/base:v1@{wrong}")
    assert f"`mlp/base:v1` is not {wrong}" in error.message
    assert said.digest in error.hint
    assert "a digest goes with an immutable tag" in refusal(find, f"mlp/base:latest@{wrong}").message


def test_a_digest_of_a_tag_that_is_not_published_is_refused(find):
    error = refusal(find, "mlp/base:v2@sha256:" + "0" * 64)
    assert "mlp/base:v2" in error.message
    assert "not published" in error.message


def test_a_pathspec_is_refused(find):
    error = refusal(find, "step:Flow/12/start")
    assert "pathspec of a Metaflow step" in error.message
    assert "name an alias" in error.hint


def test_unknown_names_are_told_what_is_close(story, find):
    assert refusal(find, "mlp/bas:v1").hint == "did you mean `mlp/base`?"
    assert refusal(find, "entirely/else").hint == "`envtag list` shows what there is"
    error = refusal(find, "mlp/base:v9")
    assert "`mlp/base` has no tag `v9`" in error.message
    assert error.hint == "it has `v1`, `v2`, `latest`"


def test_malformed_references_are_refused(find):
    for text in ("Mlp/base", "mlp/base:", "", "mlp//base", "mlp/base@sha256:12", "mlp/base:v1@md5:ab"):
        assert refusal(find, text).message


def test_a_platform_that_is_not_locked_is_refused_with_those_that_are(story, find):
    for name in ("mlp/base:v1", "mlp/base"):
        found = find(name)
        with found.registry:
            for asked in (found.lock, found.lock_id):
                with pytest.raises(FatalError, match="is not locked for `win-64`") as raised:
                    asked("win-64")
                assert f"`{HERE}`, `osx-arm64`" in raised.value.hint


def test_lock_ids_are_those_of_the_record_and_of_the_lock(story, find):
    for name in ("mlp/base:v1", "mlp/base"):
        found = find(name)
        with found.registry:
            assert found.lock_id(HERE) == found.lock(HERE).id


def test_a_lock_that_was_edited_by_hand_is_refused(story, find):
    path = story.path / "envs" / "mlp" / "base" / f"{HERE}-lock.yml"
    path.write_text(path.read_text().replace("version: '2.0'", "version: '2.1'"))
    for text in ("mlp/base", "mlp/base:v2"):
        assert "it was changed by hand" in refusal(find, text).message
    assert packages(find("mlp/base:v1")) == {"python", "alpha", "beta"}


def forge(story: Story, tag: str, said: TagRecord, *, name: str = "v1") -> None:
    """Put another tag object at a ref of the remote, by force, and forget the ref here."""
    story.repo.git("update-ref", "-d", f"refs/tags/mlp/base@{name}")
    story.bare.git("update-ref", "-d", f"refs/tags/mlp/base@{name}")
    story.tag("mlp/base", tag, said)


def test_a_tag_that_was_moved_after_its_first_use_is_refused(story, find):
    before = find("mlp/base:v1")
    assert known_tag_path(story.config.directories.known_tags, before.registry.identity, before.alias).is_file()
    said = record(story, "v1")
    lines = ledger(story)
    second = lines.release("v2")
    assert second is not None
    moved = Ledger(releases=(second._replace(tag="v1"),), pointers={"stable": "v1"})
    story.commit("move it", {"envs/mlp/base/tags.yml": moved.to_bytes()})
    forge(story, "v1", said._replace(request=second.request, locks=second.locks))
    error = refusal(find, "mlp/base:v1")
    assert f"mlp/base:v1 changed on {HERE}" in error.message
    assert "an immutable tag never changes" in error.hint
    assert "changed on" in refusal(find, "mlp/base:stable").message


def test_the_same_move_before_the_first_use_cannot_be_seen_and_is_taken(story, find):
    said = record(story, "v1")
    second = ledger(story).release("v2")
    assert second is not None
    moved = Ledger(releases=(second._replace(tag="v1"),), pointers={"stable": "v1"})
    story.commit("move it", {"envs/mlp/base/tags.yml": moved.to_bytes()})
    forge(story, "v1", said._replace(request=second.request, locks=second.locks))
    assert packages(find("mlp/base:v1")) == {"python", "beta"}


def test_a_tag_whose_record_is_not_what_the_ledger_says_is_refused(story, find):
    said = record(story, "v1")
    forge(story, "v1", said._replace(locks=dict.fromkeys(said.locks, "d" * 40)))
    error = refusal(find, "mlp/base:v1")
    assert "the tag's record says " + "d" * 40 in error.message


def test_a_tag_whose_commit_has_other_locks_than_its_record_is_refused(story, find):
    said = record(story, "v1")  # the commit that the tag is moved to has the line of v1, and the locks of v2
    forge(story, "v1", said)
    error = refusal(find, "mlp/base:v1")
    assert f"the lock for {HERE} has id " in error.message
    assert f"but the tag released {said.locks[HERE]}" in error.message
    assert "tampered" in error.hint


def test_a_tag_of_another_environment_at_this_ref_is_refused(story, find):
    said = record(story, "v1")
    forge(story, "v1", said._replace(name="mlp/other"))
    assert "is of `mlp/other:v1`" in refusal(find, "mlp/base:v1").message


def test_what_was_used_is_remembered_with_its_locks(story, find):
    found = find("mlp/base:v1")
    path = known_tag_path(story.config.directories.known_tags, found.registry.identity, found.alias)
    assert json.loads(path.read_text())["locks"] == dict(record(story, "v1").locks)
