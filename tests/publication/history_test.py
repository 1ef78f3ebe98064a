from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from envtag.errors import AliasExistsError, FatalError
from envtag.ledger import Release
from envtag.names import Alias
from envtag.publication.history import History, check_content, is_of
from envtag.record import TagRecord
from support.publishing import NAME, V1, first, publish, second
from support.story import HERE, Story

RELEASE = Release(tag="v1", request="a" * 40, locks={HERE: "b" * 40})


def record(**changes: object) -> TagRecord:
    fields = {"request": "a" * 40, "locks": {HERE: "b" * 40}, "manifests": {HERE: "c" * 64}, **changes}
    return TagRecord(name=NAME, tag="v1", **fields)


def test_a_tag_is_of_a_release_if_request_and_locks_are():
    assert is_of(record(), RELEASE)
    for other in (record(request="d" * 40), record(locks={HERE: "d" * 40})):
        assert not is_of(other, RELEASE)
        with pytest.raises(AliasExistsError, match="`mlp/tz:v1` was released with other content"):
            check_content(V1, other, RELEASE)
    check_content(V1, record(), RELEASE)


def test_the_remote_is_asked_once_and_without_push_not_for_what_was_merged(make_story: Callable[..., Story]):
    story = make_story(first)
    with story.registry() as registry:
        assert History(registry=registry, push=False).remote is None
        assert not History(registry=registry, push=False).replicated
        history = History(registry=registry)
        assert (history.remote, history.replicated) == ("origin", True)
        environment = history.environment(NAME)
        assert environment.revision == story.repo.git("rev-parse", "HEAD")
        story.bare.path.rename(story.place / "gone.git")
        assert history.environment(NAME).revision == environment.revision


def test_a_release_is_found_at_the_newest_commit_that_holds_its_locks(make_story: Callable[..., Story]):
    story = make_story(second)
    newest, before = story.repo.git("rev-parse", "HEAD", "HEAD~1").split()
    with story.registry() as registry:
        history = History(registry=registry)
        current = history.environment(NAME)
        found = [history.commit_of(Alias(name=NAME, tag=item.tag), item, current) for item in current.ledger.releases]
        assert [environment.revision for environment in found] == [before, newest]
        assert found[0].lock_ids() == dict(current.ledger.releases[0].locks)
        with pytest.raises(FatalError, match="no commit of this branch holds the locks that it releases"):
            history.commit_of(V1, RELEASE, current)


def test_a_dry_run_sees_a_tag_of_the_remote_and_keeps_no_ref(make_story: Callable[..., Story], tmp_path: Path):
    story = make_story(first)
    clone = story.bare.clone(tmp_path / "clone")
    other = Story(place=tmp_path, repo=clone, bare=story.bare, index_url="", environ=story.environ)
    with other.registry() as registry:
        assert History(registry=registry, dry_run=True).released(V1) is None
    publish(story)
    refs = clone.git("for-each-ref")
    with other.registry() as registry:
        history = History(registry=registry, dry_run=True)
        seen = history.released(V1)
        history.environment(NAME)
    assert clone.git("for-each-ref") == refs
    with story.registry() as registry:
        assert seen is not None
        there = History(registry=registry).released(V1)
        assert there is not None
        assert (seen.tag, seen.record) == (there.tag, there.record)
