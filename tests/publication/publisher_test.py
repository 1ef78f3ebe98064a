from __future__ import annotations

import itertools
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from envtag.builds import Builds
from envtag.errors import AliasExistsError, FatalError
from envtag.names import Alias
from envtag.output import Output
from envtag.publication import Publisher, Report, Waiting
from envtag.store import Store, keys, open_store
from support.faults import Fault
from support.publishing import (
    NAME,
    STEPS,
    V1,
    arrived,
    assert_nothing_is_half_visible,
    first,
    lock,
    publish,
    refused,
    remote_tags,
    second,
    stepped,
    steps,
)
from support.s3 import S3Server
from support.story import HERE, Story

PUBLISHERS = 8


@pytest.fixture
def bucket(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store in a bucket, which every publisher of the test uses; what boto waits for before it asks again is cut."""
    url = f"s3://{s3.bucket()}/envtag"
    monkeypatch.setenv("ENVTAG_STORE", url)
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    monkeypatch.setattr("envtag.store.attempts._FIRST_PAUSE_SECONDS", 0)
    return open_store(url)


def story_at(bucket: Store, s3: S3Server, story: Story) -> Story:
    """The same story, published to a bucket."""
    environ = {**story.environ, **s3.variables(), "ENVTAG_STORE": bucket.url}
    return Story(place=story.place, repo=story.repo, bare=story.bare, index_url=story.index_url, environ=environ)


def elsewhere(story: Story, place: Path) -> Story:
    """Another person: a clone and a machine of their own, and the same store."""
    place.mkdir()
    clone = story.bare.clone(place / "clone")
    environ = {**story.environ, "ENVTAG_HOME": str(place / "home")}
    return Story(place=place, repo=clone, bare=story.bare, index_url=story.index_url, environ=environ)


#: Those that differ from a store in a directory, where `publication_test` tries them all.
AT_A_BUCKET = [2, 3, 4, 7, 8, 10]


@pytest.mark.parametrize("number", AT_A_BUCKET, ids=lambda number: f"{number}-{STEPS[number - 1]}")
def test_after_a_kill_at_any_step_on_a_bucket_a_publisher_elsewhere_finishes(
    make_story: Callable[..., Story], s3: S3Server, bucket: Store, tmp_path: Path, number: int
):
    story = story_at(bucket, s3, make_story(first))
    dead = stepped(story, tmp_path / "log", stop=str(number))
    dead.communicate(timeout=60)
    assert dead.returncode == -signal.SIGKILL
    assert steps(tmp_path / "log") == STEPS[:number]
    seen = assert_nothing_is_half_visible(story, bucket, tmp_path / "reader")
    assert seen == ({f"{NAME}:v1"} if number > STEPS.index("push_create") + 1 else set())
    before = remote_tags(story)
    other = elsewhere(story, tmp_path / "other")
    report = publish(other)
    assert [*report.tags, *report.kept] == [f"{NAME}:v1"]
    assert before.items() <= remote_tags(story).items()
    assert assert_nothing_is_half_visible(story, bucket, tmp_path / "later reader") == {f"{NAME}:v1"}
    found = [entry.key for kind in (keys.TAGS, keys.POINTERS) for entry in bucket.list(kind)]
    assert found == [f"tags/{NAME}@v1.json", f"pointers/{NAME}@latest.json", f"pointers/{NAME}@stable.json"]
    assert publish(story).kept == [f"{NAME}:v1"]


def racers(stories: list[Story], tmp_path: Path, gate: Path) -> Iterator[Any]:
    for number, story in enumerate(stories):
        date = f"{2031 + number}-01-01T00:00:00+00:00"
        yield stepped(story, tmp_path / f"log {number}", stop="push_create", gate=gate, GIT_COMMITTER_DATE=date)


def test_of_many_publishers_of_the_same_content_all_succeed_with_one_tag(
    make_story: Callable[..., Story], s3: S3Server, bucket: Store, tmp_path: Path
):
    story = story_at(bucket, s3, make_story(first))
    gate = tmp_path / "gate"
    people = [elsewhere(story, tmp_path / f"person {number}") for number in range(PUBLISHERS)]
    started = list(racers(people, tmp_path, gate))
    arrived(gate, PUBLISHERS)
    gate.touch()
    told = [racer.communicate(timeout=120) for racer in started]
    assert [racer.returncode for racer in started] == [0] * PUBLISHERS, told
    said = sorted(out for out, _ in told)
    assert said == [f"already released {NAME}:v1, same content\n"] * (PUBLISHERS - 1) + [f"released {NAME}:v1\n"]
    assert list(remote_tags(story)) == [V1.ref]
    assert assert_nothing_is_half_visible(story, bucket, tmp_path / "reader") == {f"{NAME}:v1"}
    assert {person.repo.git("rev-parse", V1.ref) for person in people} == set(remote_tags(story).values())


def test_many_publishers_at_once_in_one_clone_all_succeed(
    make_story: Callable[..., Story], cold_client: Any, tmp_path: Path
):
    story = make_story(first)
    dates = [f"{2031 + number}-01-01T00:00:00+00:00" for number in range(PUBLISHERS)]
    started = [stepped(story, tmp_path / f"log {date}", GIT_COMMITTER_DATE=date) for date in dates]
    told = [racer.communicate(timeout=120) for racer in started]
    assert [racer.returncode for racer in started] == [0] * PUBLISHERS, told
    assert sum(out.startswith("released") for out, _ in told) == 1
    store = open_store(cold_client.config.directories.default_store.as_uri())
    assert assert_nothing_is_half_visible(story, store, tmp_path / "reader") == {f"{NAME}:v1"}


def test_of_many_publishers_of_other_content_one_wins_and_each_other_is_told(
    make_story: Callable[..., Story], s3: S3Server, bucket: Store, tmp_path: Path
):
    story = story_at(bucket, s3, make_story(first))
    start = story.repo.git("rev-parse", "HEAD~1")
    gate = tmp_path / "gate"
    choices = [more for count in range(4) for more in itertools.combinations(("activating", "libarch", "beta"), count)]
    started = []
    for number, more in enumerate(choices[:PUBLISHERS]):
        person = elsewhere(story, tmp_path / f"person {number}")
        person.repo.git("reset", "--quiet", "--hard", start)
        lock(person, "v1", *more)
        person.repo.commit(message=f"one of {PUBLISHERS} contents under the same tag")
        person.repo.git("push", "--quiet", "--force", "origin", "HEAD:main")
        started.append(stepped(person, tmp_path / f"log {number}", stop="push_create", gate=gate))
        arrived(gate, number + 1)
    gate.touch()
    told = [racer.communicate(timeout=120) for racer in started]
    assert sorted(racer.returncode for racer in started) == [0] + [1] * (PUBLISHERS - 1), told
    for racer, (out, err) in zip(started, told, strict=True):
        assert (out == f"released {NAME}:v1\n") is (racer.returncode == 0)
        assert err.startswith(f"error: Alias already exists: `{NAME}:v1`") is (racer.returncode == 1), err
    assert list(remote_tags(story)) == [V1.ref]
    assert assert_nothing_is_half_visible(story, bucket, tmp_path / "reader") == {f"{NAME}:v1"}
    story.bare.git("fsck", "--strict")


#: Each kind of request that a publication makes, by what its path holds.
REQUESTS = [
    ("GET", "list-type=2"), ("HEAD", "/objects/"), ("PUT", "/objects/"), ("GET", "/requests/"), ("PUT", "/requests/"),
    ("PUT", "/manifests/"), ("PUT", "/tags/"), ("GET", "/pointers/"), ("PUT", "/pointers/"),
]  # fmt: skip
FAULTS = {
    "reset": {}, "500": {"status": 500, "code": "InternalError"}, "503": {"status": 503, "code": "SlowDown"},
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_each_kind_of_request_may_fail_once(
    make_story: Callable[..., Story], s3: S3Server, bucket: Store, tmp_path: Path, fault: str
):
    story = story_at(bucket, s3, make_story(first))
    s3.faults += [Fault(method=method, contains=part, **FAULTS[fault]) for method, part in REQUESTS]
    assert publish(story).pushed == [f"{NAME}:v1"]
    assert [item for item in s3.faults if item.times] == []
    assert assert_nothing_is_half_visible(story, bucket, tmp_path / "reader") == {f"{NAME}:v1"}


def test_each_answer_to_a_write_may_be_lost(
    make_story: Callable[..., Story], s3: S3Server, bucket: Store, tmp_path: Path
):
    story = story_at(bucket, s3, make_story(first))
    s3.faults += [Fault(method=method, contains=part, done=True) for method, part in REQUESTS if method == "PUT"]
    report = publish(story)
    assert (report.pushed, report.uploaded) == ([f"{NAME}:v1"], 2)
    assert [item for item in s3.faults if item.times] == []
    assert assert_nothing_is_half_visible(story, bucket, tmp_path / "reader") == {f"{NAME}:v1"}


def test_an_answer_that_is_cut_short_is_asked_for_again(
    make_story: Callable[..., Story], s3: S3Server, bucket: Store, tmp_path: Path
):
    story = story_at(bucket, s3, make_story(first))
    publish(story)
    story.commit("something else", {f"envs/{NAME}/notes.md": "news\n"})
    cut = ("/requests/", "/manifests/", "/pointers/")
    s3.faults += [Fault(method="GET", contains=part, cut=True) for part in cut]
    assert publish(story).kept == [f"{NAME}:v1"]
    assert [item for item in s3.faults if item.times] == []
    assert assert_nothing_is_half_visible(story, bucket, tmp_path / "reader") == {f"{NAME}:v1"}


@pytest.mark.parametrize(("method", "part"), REQUESTS)
def test_a_request_that_fails_for_good_is_named_and_the_next_run_succeeds(
    make_story: Callable[..., Story], s3: S3Server, bucket: Store, tmp_path: Path, method: str, part: str
):
    story = story_at(bucket, s3, make_story(first))
    s3.faults.append(Fault(method=method, contains=part, status=503, code="SlowDown", times=99))
    error = refused(story)
    assert "the server is overloaded or failing" in error.message
    assert bucket.url in error.message
    assert error.hint == "try again"
    s3.faults.clear()
    tagged = part in {"/tags/", "/pointers/"}
    seen = assert_nothing_is_half_visible(story, bucket, tmp_path / "reader")
    assert seen == ({f"{NAME}:v1"} if tagged else set())
    report = publish(story)
    assert (report.kept if tagged else report.pushed) == [f"{NAME}:v1"]
    assert assert_nothing_is_half_visible(story, bucket, tmp_path / "later reader") == {f"{NAME}:v1"}


def test_a_store_that_may_only_be_read_is_named_and_nothing_is_tagged(
    make_story: Callable[..., Story], s3: S3Server, bucket: Store
):
    story = story_at(bucket, s3, make_story(first))
    s3.faults.append(Fault(method="PUT", status=403, code="AccessDenied", times=99))
    error = refused(story)
    assert error.message.startswith("access denied: these credentials may not write `objects/")
    assert remote_tags(story) == {}
    assert list(bucket.list("")) == []
    s3.faults.clear()
    assert publish(story).pushed == [f"{NAME}:v1"]


def platform(story: Story, *platforms: str) -> Report:
    """Publish what is for some platforms, in this process."""
    report = Report()
    with story.registry() as registry:
        store = open_store(story.config.store or story.config.directories.default_store.as_uri())
        publisher = Publisher(registry=registry, store=store, config=story.config, output=Output(), platforms=platforms)
        publisher.publish(NAME, report)
    return report


def both(story: Story) -> None:
    """State: `mlp/tz:v1` for this platform and macOS on ARM; pushed, not published."""
    text = "channels: [conda-forge]\ndependencies: [libarch, tzish]\n"
    story.resolve(f"{NAME}:v1", environment=text, options=("--platform", HERE, "--platform", "osx-arm64"))
    story.commit("v1")


def test_runners_of_each_platform_store_and_a_last_one_tags_without_storing(
    make_story: Callable[..., Story], cold_client: Any, tmp_path: Path
):
    story = make_story(both)
    store = open_store(cold_client.config.directories.default_store.as_uri())
    counts = []
    for name in (HERE, "osx-arm64"):
        report = platform(story, name)
        counts.append((report.uploaded, report.reused, report.tags, report.pushed))
    assert counts == [(2, 0, [], []), (1, 1, [], [])]
    assert remote_tags(story) == {}
    assert [*store.list(keys.TAGS), *store.list(keys.POINTERS)] == []
    assert len(list(store.list(keys.MANIFESTS))) == 2
    report = publish(story)
    assert (report.pushed, report.uploaded, report.reused) == ([f"{NAME}:v1"], 0, 3)
    assert assert_nothing_is_half_visible(story, store, tmp_path / "reader") == {f"{NAME}:v1"}


def test_a_platform_that_no_lock_is_for_has_nothing_to_store(make_story: Callable[..., Story]):
    report = platform(make_story(first), "win-64")
    assert (report.uploaded, report.reused, report.kept) == (0, 0, [])


def test_a_release_waits_for_a_build_elsewhere_while_the_rest_is_stored(
    make_story: Callable[..., Story], cold_client: Any, monkeypatch: pytest.MonkeyPatch
):
    story = make_story(both)
    store = open_store(cold_client.config.directories.default_store.as_uri())

    def recorded(lock: Any, **_: Any) -> Builds:
        return Builds(waiting=lock.packages[:1] if lock.platform == "osx-arm64" else ())

    with monkeypatch.context() as patch:
        patch.setattr("envtag.publication.manifests.recorded_builds", recorded)
        report = publish(story)
    assert [item[:3] for item in report.waiting] == [Waiting(NAME, "osx-arm64", "libarch", "2.0")[:3]]
    assert (report.tags, report.pushed, report.uploaded) == ([], [], 3)
    assert str(report.waiting[0]) == (
        f"`{NAME}` waits for a runner of osx-arm64 to build libarch {report.waiting[0].version}: "
        f"`envtag publish --platform osx-arm64 {NAME}` there"
    )
    assert remote_tags(story) == {}
    assert len(list(store.list(keys.MANIFESTS))) == 1
    assert list(store.list(keys.POINTERS)) == []
    assert publish(story).pushed == [f"{NAME}:v1"]


def test_a_tag_that_is_removed_while_it_is_made_is_told(make_story: Callable[..., Story], monkeypatch: Any):
    story = make_story(first)
    monkeypatch.setattr("envtag.git.Git.push_create", lambda *_: None)
    monkeypatch.setattr("envtag.git.Git.create_ref", lambda *_: None)
    assert refused(story).message == f"the tag of `{NAME}:v1` was removed while it was being published"


def test_releases_that_are_tagged_are_asked_for_all_at_once(make_story: Callable[..., Story], cold_client: Any):
    story = make_story(second)
    publish(story)
    store = open_store(cold_client.config.directories.default_store.as_uri())
    for alias in (V1, Alias(name=NAME, tag="v2")):
        store.delete(keys.tag_key(alias))
    assert publish(story).kept == [f"{NAME}:v1", f"{NAME}:v2"]
    assert len(list(store.list(keys.TAGS))) == 2


def test_a_manifest_of_another_machine_is_used_and_not_made_anew(
    make_story: Callable[..., Story], cold_client: Any, monkeypatch: pytest.MonkeyPatch
):
    story = make_story(first)
    store = open_store(cold_client.config.directories.default_store.as_uri())
    with monkeypatch.context() as patch:
        patch.setattr("envtag.publication.manifests.python_seen", lambda _: "3.99.1")
        platform(story, HERE)
    (there,) = store.list(keys.MANIFESTS)
    publish(story)
    assert [entry.key for entry in store.list(keys.MANIFESTS)] == [there.key]


def test_a_loser_is_told_by_the_class_that_is_caught(make_story: Callable[..., Story], cold_client: Any):
    story = make_story(first)
    store = open_store(cold_client.config.directories.default_store.as_uri())
    store.swap(keys.tag_key(V1), b"{}\n", None)
    with pytest.raises(AliasExistsError) as caught:
        publish(story)
    assert isinstance(caught.value, FatalError)
