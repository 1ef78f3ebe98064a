from __future__ import annotations

from support.story import HERE

NAME = "mlp/tz"
STABLE = f"pointers/{NAME}@stable.json"


def test_a_pointer_is_checked_with_what_it_points_at(published):
    assert published.verify(f"{NAME}:stable") == []
    (published.root / f"tags/{NAME}@v1.json").unlink()
    assert published.links(f"{NAME}:stable") == {(f"{NAME}:v1", "replica")}


def test_a_replica_that_points_at_another_environment(published):
    published.edit(STABLE, name="mlp/other")
    (found,) = published.verify(f"{NAME}:stable")
    assert (found["link"], found["subject"], found["found"]) == ("pointer", STABLE, "one of `mlp/other:stable`")


def test_a_replica_with_the_locks_of_another(published):
    published.edit(STABLE, locks={HERE: "1" * 40})
    (found,) = published.verify(f"{NAME}:stable")
    assert (found["link"], found["platform"], found["found"]) == ("pointer", HERE, "1" * 40)


def test_a_replica_with_the_manifest_of_another(published):
    with published.story.registry() as registry:
        tag = registry.git.tag(f"refs/tags/{NAME}@v2")
    assert tag is not None
    from envtag.record import TagRecord

    published.edit(STABLE, manifests=dict(TagRecord.parse(tag.message, NAME).manifests))
    assert published.links(f"{NAME}:stable") == {(f"{NAME}:stable", "manifest")}
    published.edit(STABLE, manifests={})
    assert published.links(f"{NAME}:stable") == {(f"{NAME}:stable", "pointer")}


def test_a_replica_at_a_commit_that_the_default_branch_does_not_have(published):
    repo = published.story.repo
    tree = repo.git("rev-parse", "HEAD^{tree}")
    stray = repo.git("commit-tree", "-m", "stray", tree)
    for commit in (stray, "1" * 40):
        published.edit(STABLE, commit=commit)
        (found,) = published.verify(f"{NAME}:stable")
        assert (found["link"], found["found"]) == ("pointer", commit[:12])


def test_a_replica_that_is_behind_is_right(published):
    story = published.story
    story.call("alias", f"{NAME}:v2", f"{NAME}:stable")
    story.commit("promote")
    assert published.verify() == []


def test_a_pointer_without_a_replica_is_a_note_and_one_that_does_not_exist_is_broken(published):
    (published.root / STABLE).unlink()
    told = published.story.call("verify", f"{NAME}:stable")
    assert f"note: `{NAME}:stable` has no replica" in told.err
    assert published.links(f"{NAME}:candidate") == {(f"{NAME}:candidate", "pointer")}
    assert published.links("mlp/absent") == {("mlp/absent:latest", "pointer")}


def test_a_lock_that_was_edited_by_hand_breaks_latest(published):
    story = published.story
    path = f"envs/{NAME}/{HERE}-lock.yml"
    text = (story.path / path).read_text()
    story.commit("edited", {path: text.replace("version: ", "version: 9", 1)})
    assert (f"{NAME}:latest", "lock") in published.links(NAME)
    story.commit("edited", {path: text.replace("tzish", "tzoid")})
    assert (f"{NAME}:latest", "lock") in published.links(NAME)
