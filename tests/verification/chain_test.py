from __future__ import annotations

import pytest

from envtag.record import TagRecord
from support.story import HERE

NAME = "mlp/tz"
V1 = f"{NAME}:v1"
REF = f"refs/tags/{NAME}@v1"


def retag(published, record: TagRecord | None = None, commit: str = "", message: str = "") -> None:
    """Replace the tag `v1` here and on the remote, as who may force it could."""
    repo = published.story.repo
    with published.story.registry() as registry:
        tag = registry.git.tag(REF)
        assert tag is not None
        text = message or (record or TagRecord.parse(tag.message, REF)).message()
        sha = registry.git.make_tag(REF, commit or tag.commit, text)
    repo.git("update-ref", REF, sha)
    repo.git("push", "--quiet", "--force", "origin", f"{REF}:{REF}")


def record_of(published) -> TagRecord:
    with published.story.registry() as registry:
        tag = registry.git.tag(REF)
        assert tag is not None
        return TagRecord.parse(tag.message, REF)


def forget(published) -> None:
    """Forget what tags were here, so that only what git says is compared."""
    for path in published.story.config.directories.known_tags.rglob("*.json"):
        path.unlink()


def test_what_was_published_holds(published):
    assert published.verify() == []
    assert published.verify(V1, f"{NAME}:v2", f"{NAME}:stable", NAME) == []


def test_a_clone_by_url_that_has_nothing_yet_finds_the_same(published):
    story = published.story
    told = story.run("--registry", story.bare.url, "verify", "--all", cwd=story.place)
    assert "2 releases, 2 pointers, 2 manifests, 2 packages" in told.err
    (published.root / f"tags/{NAME}@v1.json").unlink()
    told = story.run("--registry", story.bare.url, "verify", "--all", cwd=story.place, check=1)
    assert told.out.startswith(f"{V1}: replica tags/{NAME}@v1.json: expected a replica in file:///")


def test_a_tag_that_is_nowhere(published):
    assert published.links(f"{NAME}:v9") == {(f"{NAME}:v9", "tag")}


def test_a_tag_that_moved_here_alone_and_one_that_is_lightweight(published):
    published.story.repo.git("tag", "--force", f"{NAME}@v1", "HEAD")
    (found,) = published.verify(V1)
    assert found["link"] == "tag"
    assert "as on `origin`" in found["expected"]
    published.story.repo.git("push", "--quiet", "--force", "origin", f"{REF}:{REF}")
    (found,) = published.verify(V1)
    assert "is not an annotated tag" in found["found"]


def test_a_tag_that_is_only_here_is_a_note(published):
    published.story.repo.git("push", "--quiet", "--delete", "origin", REF)
    told = published.story.call("verify", V1)
    assert "is tagged in this clone only" in told.err


def test_a_tag_without_a_record(published):
    retag(published, message="hello\n")
    (found,) = published.verify(V1)
    assert (found["link"], found["subject"]) == ("record", REF)
    assert "holds no record" in found["found"]


def test_a_record_with_other_ids_than_ledger_lock_and_memory(published):
    record = record_of(published)
    retag(published, record._replace(request="1" * 40, locks={HERE: "2" * 40}))
    found = published.verify(V1)
    assert {item["link"] for item in found} == {"ledger", "lock", "replica", "manifest"}
    lock = next(item for item in found if item["link"] == "lock")
    assert (lock["platform"], lock["expected"]) == (HERE, f"lock {'2' * 40}")
    assert record.locks[HERE] in lock["found"]


def test_a_tag_on_a_commit_without_the_environment(published):
    repo = published.story.repo
    retag(published, commit=repo.git("rev-list", "--max-parents=0", "HEAD"))
    assert (V1, "commit") in published.links(V1)


def test_a_consistent_release_of_other_content_is_what_the_memory_is_for(published):
    story = published.story
    assert published.verify(V1) == []
    other = story.repo.git("rev-parse", f"{NAME}@v2^{{commit}}")
    ledger = (story.path / "envs" / NAME / "tags.yml").read_text()
    with story.registry() as registry:
        v2 = registry.environment(NAME, other).ledger.release("v2")
    assert v2 is not None
    old = record_of(published)
    forged = ledger.replace(old.locks[HERE], v2.locks[HERE]).replace(old.request, v2.request)
    commit = story.commit("forged", {f"envs/{NAME}/tags.yml": forged})
    with story.registry() as registry:
        tag = registry.git.tag(f"refs/tags/{NAME}@v2")
        assert tag is not None
        manifests = TagRecord.parse(tag.message, REF).manifests
    retag(published, old._replace(request=v2.request, locks=v2.locks, manifests=manifests), commit)
    links = {item["link"] for item in published.verify(V1)}
    assert links == {"memory", "replica"}
    forget(published)
    assert {item["link"] for item in published.verify(V1)} == {"replica"}


@pytest.mark.parametrize("line", ["", "edited"])
def test_a_ledger_whose_line_is_gone_or_edited_later(published, line: str):
    story = published.story
    path = story.path / "envs" / NAME / "tags.yml"
    lines = [text for text in path.read_text().splitlines() if "tag: v2" not in text or line]
    record = next(text for text in path.read_text().splitlines() if "tag: v2" in text)
    if line:
        lines[lines.index(record)] = record.replace(record.split("request: ")[1][:40], "1" * 40)
    story.commit("history", {f"envs/{NAME}/tags.yml": "\n".join(lines) + "\n"})
    (found,) = published.verify(f"{NAME}:v2")
    assert (found["link"], found["subject"]) == ("ledger", "tags.yml of the default branch")


def test_a_line_that_is_not_published_is_a_note(published):
    story = published.story
    story.resolve(
        f"{NAME}:v3", environment="channels: [conda-forge]\ndependencies: [tzish]\n", options=("--platform", HERE)
    )
    story.commit("v3")
    told = story.call("verify", "--all")
    assert f"note: `{NAME}:v3` is in the ledger and not published yet: `envtag publish {NAME}`" in told.err


def test_a_digest_is_compared(published):
    assert published.verify(f"{V1}@{record_of(published).digest}") == []
    assert published.links(f"{V1}@sha256:{'a' * 64}") == {(V1, "record")}


def test_a_replica_that_is_gone_damaged_or_of_something_else(published):
    key = f"tags/{NAME}@v1.json"
    published.edit(key, commit="1" * 40, locks={HERE: "2" * 40})
    found = {(item["link"], item["found"]) for item in published.verify(V1)}
    assert found == {("replica", "1" * 40), ("replica", "2" * 40)}
    published.edit(key, name="mlp/other")
    (one,) = published.verify(V1)
    assert one["found"] == "one of `mlp/other:v1`"
    (published.root / key).write_bytes(b"{")
    (one,) = published.verify(V1)
    assert "not JSON" in one["found"]
    (published.root / key).unlink()
    (one,) = published.verify(V1)
    assert one["hint"] == f"`envtag publish {NAME}` writes it"
    published.story.call("publish")
    assert published.verify(V1) == []
