from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from envtag.store import keys, open_store
from envtag.store.s3 import S3Store
from envtag.tombstones import Tombstones
from envtag.util import process
from support.s3 import S3Server
from support.story import HERE, Story

NAME = "mlp/tz"
OLD, NEW = "[prefixed, tzish]", "[tzish]"
#: envtag, killed before it deletes the n-th object or tombstone.
_KILLED = """
import os, signal, sys
from envtag.cli import main
from envtag.store.local import LocalStore

left = int(sys.argv[1])
real = LocalStore.delete

def delete(self, key):
    global left
    if not key.startswith("gc/"):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    real(self, key)

LocalStore.delete = delete
main(sys.argv[2:])
"""


def once(story: Story) -> None:
    """State: `mlp/tz` without a release, with `prefixed` and `tzish`; pushed."""
    resolve(story, OLD)


def resolve(story: Story, packages: str, alias: str = NAME) -> None:
    text = f"channels: [conda-forge]\ndependencies: {packages}\n"
    story.resolve(alias, environment=text, options=("--platform", HERE))
    story.commit(packages)


@pytest.fixture
def story(make_story: Callable[..., Story]) -> Story:
    """What `latest` was is in the store, and nothing leads to it any more."""
    story = make_story(once)
    story.call("publish")
    resolve(story, NEW, f"{NAME}:v1")
    story.call("publish")
    return story


def root(story: Story) -> Path:
    return story.config.directories.default_store


def files(story: Story, *prefixes: str) -> list[str]:
    store = open_store(root(story).as_uri())
    return [entry.key for prefix in (prefixes or ("",)) for entry in store.list(prefix)]


def age(story: Story, days: float) -> None:
    """Let time pass for all that is in the store."""
    for path in root(story).rglob("*"):
        if path.is_file():
            then = path.stat().st_mtime - days * 86400
            os.utime(path, (then, then))


def gc(story: Story, *arguments: str) -> Any:
    return story.call("gc", "--json", *arguments).json["totals"]


def counts(totals: Any) -> dict[str, int]:
    return {fate: item["objects"] for fate, item in totals.items() if item["objects"]}


def elsewhere(story: Story) -> dict[str, int]:
    """A collector that runs for another registry, which knows nothing of this one's ledgers."""
    path = story.place / "elsewhere"
    if not path.exists():
        story.repo.git("clone", "--quiet", "--no-tags", str(story.path), str(path))
        for command in (("remote", "remove", "origin"), ("reset", "--quiet", "--hard", "HEAD~2")):
            story.repo.git("-C", str(path), *command)
    return counts(story.run("--registry", str(path), "gc", "--json").json["totals"])


def test_what_nothing_reaches_is_marked_then_deleted_and_the_rest_stays(story: Story):
    before = files(story, "objects/", "manifests/")
    assert counts(gc(story)) == {"kept": 4}
    age(story, 31)
    assert counts(gc(story)) == {"kept": 2, "marked": 2}
    age(story, 6)
    assert counts(gc(story)) == {"kept": 2, "waiting": 2}
    assert files(story, "objects/", "manifests/") == before
    age(story, 1)
    done = story.call("gc", "--json").json
    assert counts(done["totals"]) == {"kept": 2, "deleted": 2}
    assert done["requests_deleted"] == 1
    assert len(files(story, "objects/", "manifests/", "requests/")) == 3
    assert files(story, keys.TOMBSTONES, keys.CLOCK) == []
    assert "every link holds" in story.call("verify", "--all", "--deep").err
    assert counts(gc(story)) == {"kept": 2}


def test_it_says_what_by_environment_and_what_is_next(story: Story):
    told = story.call("gc")
    assert told.out.splitlines()[0].split() == ["environment", "needed", "marked", "waiting", "deleted"]
    assert "nothing to free in file:///" in told.err
    age(story, 31)
    told = story.call("gc")
    assert [line.split()[0] for line in told.out.splitlines()] == ["environment", NAME]
    assert "2 objects (0.0 MB) marked\nnext: a gc in 7 days deletes" in told.err
    age(story, 8)
    assert "2 objects (0.0 MB) deleted" in story.call("gc").err


def test_a_dry_run_writes_nothing_at_all(story: Story):
    age(story, 31)
    there = {path: path.stat().st_mtime_ns for path in root(story).rglob("*")}
    told = story.call("gc", "--dry-run")
    assert "2 objects (0.0 MB) would be marked" in told.err
    assert {path: path.stat().st_mtime_ns for path in root(story).rglob("*")} == there


def test_a_clock_that_is_wrong_here_deletes_nothing_early(story: Story, monkeypatch):
    class Skewed(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(2099, 1, 1, tzinfo=timezone.utc)

    monkeypatch.setattr("envtag.commands.gc.datetime", Skewed)
    assert counts(gc(story)) == {"kept": 4}


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_killed_at_any_deletion_it_is_finished_by_a_later_run(story: Story, number: int):
    age(story, 31)
    gc(story)
    age(story, 8)
    command = [sys.executable, "-c", _KILLED, str(number), "gc"]
    done = process.run(command, cwd=story.path, env=story.environ, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert "every link holds" in story.call("verify", "--all", "--deep").err
    gc(story)
    age(story, 0.1)
    gc(story)
    age(story, 8)
    gc(story)
    assert len(files(story, "objects/", "manifests/")) == 2
    assert files(story, keys.TOMBSTONES) == []
    assert "every link holds" in story.call("verify", "--all", "--deep").err


def test_a_publisher_that_needs_what_is_about_to_be_deleted_is_first(story: Story, monkeypatch):
    age(story, 31)
    gc(story)
    age(story, 8)
    resolve(story, OLD, f"{NAME}:v2")
    ran = []
    real = Tombstones.confirm

    def confirm(self: Tombstones) -> None:
        if not ran:
            ran.append(elsewhere(story))
        real(self)

    monkeypatch.setattr(Tombstones, "confirm", confirm)
    story.call("publish")
    assert ran == [{"kept": 2, "waiting": 2}]
    age(story, 8)
    assert counts(gc(story)) == {"kept": 4}
    assert "every link holds" in story.call("verify", "--all", "--deep").err


def test_a_publisher_that_comes_too_late_uploads_anew(story: Story, monkeypatch):
    age(story, 31)
    gc(story)
    age(story, 8)
    resolve(story, OLD, f"{NAME}:v2")
    ran: list[dict[str, int]] = []
    real = Tombstones.revive
    first = threading.Lock()

    def revive(self: Tombstones, key: str) -> bool:
        with first:  # packages are looked for by several threads
            if not ran:
                ran.append(elsewhere(story))
        return real(self, key)

    monkeypatch.setattr(Tombstones, "revive", revive)
    story.call("publish")
    assert ran == [{"kept": 2, "deleted": 2}]
    assert "every link holds" in story.call("verify", "--all", "--deep").err


def test_two_at_once_are_one(story: Story):
    age(story, 31)
    gc(story)
    age(story, 8)
    command = [sys.executable, "-m", "envtag", "gc"]
    with tempfile.TemporaryFile() as talk:
        running = [process.start(command, cwd=story.path, env=dict(story.environ), stderr=talk) for _ in range(3)]
        for one in running:
            one.communicate(timeout=60)
    assert [one.returncode for one in running] == [0, 0, 0]
    age(story, 8)
    gc(story)
    assert len(files(story, "objects/", "manifests/")) == 2
    assert files(story, keys.TOMBSTONES) == []
    assert "every link holds" in story.call("verify", "--all", "--deep").err


@pytest.mark.parametrize("broken", ["manifest", "replica", "remote"])
def test_what_cannot_be_read_stops_it_with_nothing_deleted(story: Story, broken: str):
    age(story, 31)
    gc(story)
    age(story, 8)
    if broken == "remote":
        story.bare.path.rename(story.place / "away.git")
    else:
        place = "manifests" if broken == "manifest" else "tags"
        for path in (root(story) / place).rglob("*.json"):
            path.write_bytes(b"{")
    before = files(story)
    told = story.call("gc", check=1)
    assert told.err.startswith("error: ")
    assert files(story) == before


def test_another_registry_that_shares_the_store_loses_nothing(story: Story):
    resolve(story, OLD, "mlp/other:v1")
    story.call("publish", "mlp/other")
    age(story, 31)
    story.repo.git("tag", "--delete", "mlp/other@v1")
    story.repo.git("push", "--quiet", "--delete", "origin", "mlp/other@v1")
    story.repo.git("rm", "-r", "--quiet", "envs/mlp/other")
    story.commit("not of this registry")
    assert counts(gc(story)) == {"kept": 4}


def test_in_a_bucket(make_story: Callable[..., Story], s3: S3Server, monkeypatch):
    story = make_story(once)
    monkeypatch.setenv("ENVTAG_STORE", f"s3://{s3.bucket()}/x")
    story.call("publish")
    resolve(story, NEW, f"{NAME}:v1")
    story.call("publish")
    born: dict[tuple[str, datetime], timedelta] = {}
    passed = [timedelta()]
    real = S3Store.list

    def aged(self: S3Store, prefix: str) -> Any:
        for entry in real(self, prefix):
            since = passed[0] - born.setdefault((entry.key, entry.modified), passed[0])
            yield replace(entry, modified=entry.modified - since)

    monkeypatch.setattr(S3Store, "list", aged)
    assert counts(gc(story)) == {"kept": 4}
    list(open_store(os.environ["ENVTAG_STORE"]).list(""))
    passed[0] += timedelta(days=31)
    assert counts(gc(story)) == {"kept": 2, "marked": 2}
    list(open_store(os.environ["ENVTAG_STORE"]).list(""))
    passed[0] += timedelta(days=8)
    assert counts(gc(story)) == {"kept": 2, "deleted": 2}
    left = [entry.key.split("/")[0] for entry in open_store(os.environ["ENVTAG_STORE"]).list("")]
    assert set(left) == {"manifests", "objects", "pointers", "requests", "tags"}
    assert "every link holds" in story.call("verify", "--all", "--deep").err
