from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from envtag import lock as locks
from envtag.config import Config, Directories
from envtag.errors import FatalError
from envtag.hydration import checked_manifest, present, provide
from envtag.lookup import Found, find
from envtag.output import Output
from envtag.prefix.marker import is_whole
from envtag.store import Store, keys, open_store
from envtag.util.canonical import sha256_hex
from support.packages import conda_package
from support.s3 import Fault, S3Server
from support.story import HERE, Story

NAME = "mlp/tz"


def published(story: Story) -> None:
    """State: `mlp/tz:v1` with two small conda packages; pushed, not published."""
    text = "channels: [conda-forge]\ndependencies: [prefixed, tzish]\n"
    story.resolve(f"{NAME}:v1", environment=text, options=("--platform", HERE))
    story.commit("v1")


@pytest.fixture
def tz(make_story: Callable[..., Story]) -> Story:
    story = make_story(published)
    story.call("publish")
    return story


@pytest.fixture
def store(tz: Story) -> Store:
    return open_store(tz.config.directories.default_store.as_uri())


@contextmanager
def finding(story: Story, reference: str = f"{NAME}:v1") -> Iterator[Found]:
    with story.registry() as registry:
        yield find(reference, registry, story.config, {})


def made(story: Story, found: Found, store: Store | None, *, offline: bool = True) -> Path:
    return provide(found, config=story.config, open_store=lambda: store, offline=offline, output=Output())


def without_caches(story: Story, place: Path) -> Config:
    """The settings of a machine that has nothing yet."""
    return story.config._replace(directories=Directories(data=place / "data", cache=place / "cache"))


def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The locks that are parsed from now on."""
    seen: list[str] = []
    real = locks.read

    def read(data: bytes, where: str) -> locks.Lock:
        seen.append(where)
        return real(data, where)

    monkeypatch.setattr(locks, "read", read)
    return seen


def overwrite(store: Store, key: str, data: bytes) -> None:
    path = store.local_path(key)
    assert path is not None
    path.write_bytes(data)


def test_it_is_not_there_until_it_was_provided_and_then_no_lock_is_read(
    tz: Story, store: Store, monkeypatch: pytest.MonkeyPatch
):
    with finding(tz) as found:
        assert present(found, HERE, tz.config) is None
        path = made(tz, found, store)
        assert path.parent == tz.config.directories.environments
        assert is_whole(path, found.lock_id(HERE))
    seen = parsed(monkeypatch)
    with finding(tz) as found:
        assert present(found, HERE, tz.config) == path
        assert made(tz, found, None) == path
    assert seen == []


def test_a_lock_without_a_tag_is_parsed_once_for_its_bytes(tz: Story, store: Store, monkeypatch: pytest.MonkeyPatch):
    seen = parsed(monkeypatch)
    with finding(tz, NAME) as found:
        path = made(tz, found, store)
    assert len(seen) == 1
    for _ in range(2):
        with finding(tz, NAME) as found:
            assert made(tz, found, None) == path
    assert len(seen) == 1
    file = tz.path / "envs" / NAME / f"{HERE}-lock.yml"
    file.write_bytes(file.read_bytes() + b"# a comment\n")
    with finding(tz, NAME) as found:
        assert made(tz, found, None) == path
    assert len(seen) == 2


@pytest.mark.parametrize("reference", [f"{NAME}:v1", NAME])
def test_a_platform_that_it_is_not_locked_for_is_named_with_those_that_it_is(
    story: Story, reference: str, monkeypatch: pytest.MonkeyPatch
):
    other = "osx-arm64" if HERE != "osx-arm64" else "linux-64"
    text = "channels: [conda-forge]\ndependencies: [tzish]\n"
    story.resolve(f"{NAME}:v1", environment=text, options=("--platform", other))
    story.commit("for another platform")
    story.call("publish")
    with finding(story, reference) as found, pytest.raises(FatalError) as caught:
        made(story, found, None)
    assert caught.value.message == f"`{found.alias}` is not locked for `{HERE}`"
    assert f"platforms available: `{other}`" in caught.value.hint


def test_a_stored_package_with_other_bytes_is_named_and_nothing_is_made(tz: Story, store: Store, conda_channel: Path):
    package = conda_package(conda_channel, "tzish")
    key = keys.object_key(package.sha256, package.extension)
    whole = store.read(key)
    assert whole is not None
    overwrite(store, key, whole[:-1] + bytes([whole[-1] ^ 1]))
    cold = without_caches(tz, tz.place)
    with finding(tz) as found:
        with pytest.raises(FatalError) as caught:
            provide(found, config=cold, open_store=lambda: store, offline=True, output=Output())
        assert "tzish" in caught.value.message
        assert f"`{key}` in {store.url} has other bytes than promised" in caught.value.message
        assert [path for path in cold.directories.environments.iterdir() if path.is_dir()] == []
        overwrite(store, key, whole)
        assert provide(found, config=cold, open_store=lambda: store, offline=True, output=Output()).is_dir()


def test_a_manifest_with_other_bytes_is_refused_and_named(tz: Story, store: Store):
    with finding(tz) as found:
        assert found.record is not None
        key = keys.manifest_key(found.record.manifests[HERE])
        document = json.loads(store.read(key) or b"")
        document["packages"].pop()
        overwrite(store, key, json.dumps(document).encode())
        with pytest.raises(FatalError) as caught:
            made(tz, found, store)
    assert f"{store.url}/{key}: the manifest of `{NAME}:v1` was tampered with" in caught.value.message


def test_a_manifest_of_another_lock_is_refused(tz: Story, store: Store):
    text = "channels: [conda-forge]\ndependencies: [tzish]\n"
    tz.resolve("mlp/other:v1", environment=text, options=("--platform", HERE))
    tz.commit("another")
    tz.call("publish")
    with tz.registry() as registry:
        found, other = (find(name, registry, tz.config, {}) for name in (f"{NAME}:v1", "mlp/other:v1"))
        assert found.released is not None
        assert other.record is not None
        record = found.released.record._replace(manifests=other.record.manifests)
        false = found._replace(released=found.released._replace(record=record))
        store.delete(f"tags/{NAME}@v1.json")
        with pytest.raises(FatalError) as caught:
            checked_manifest(false, HERE, store)
    assert f"is of lock {other.lock_id(HERE)}, not of {found.lock_id(HERE)}" in caught.value.message


def test_a_lock_whose_manifest_cannot_be_had_is_the_one_in_git(tz: Story, store: Store):
    with finding(tz) as found:
        lock = found.lock(HERE)
        assert checked_manifest(found, HERE, None).lock.id == lock.id
        assert found.record is not None
        store.delete(keys.manifest_key(found.record.manifests[HERE]))
        assert checked_manifest(found, HERE, store).lock.id == lock.id


def test_a_tag_that_moved_is_refused_in_every_clone_of_this_client(tz: Story, store: Store, tmp_path: Path):
    with finding(tz) as found:
        was = found.lock_id(HERE)
    tz.repo.git("reset", "--quiet", "--hard", "HEAD~1")
    for repo in (tz.repo, tz.bare):
        repo.git("tag", "--delete", f"{NAME}@v1")
    text = "channels: [conda-forge]\ndependencies: [tzish]\n"
    tz.resolve(f"{NAME}:v1", environment=text, options=("--platform", HERE))
    tz.repo.commit(message="another v1")
    tz.repo.git("push", "--quiet", "--force", "origin", "main")
    store.delete(f"tags/{NAME}@v1.json")
    tz.call("publish")
    clone = tz.bare.clone(tmp_path / "clone")
    told = tz.run("run", f"{NAME}:v1", "--", "prefixed", check=1, cwd=clone.path)
    assert f"error: {NAME}:v1 changed on {HERE}: it was lock {was} here, now it is " in told.err
    assert "an immutable tag never changes" in told.err
    told = tz.run("--registry", tz.bare.url, "run", f"{NAME}:v1", "--", "prefixed", check=1, cwd=tmp_path)
    assert f"{NAME}:v1 changed on {HERE}" in told.err
    fresh = tz.run(
        "run", f"{NAME}:v1", "--", "true", cwd=clone.path, ENVTAG_HOME=str(tmp_path / "other"), ENVTAG_STORE=store.url
    )
    assert fresh.code == 0


def test_a_lock_that_the_tag_did_not_release_is_refused(tz: Story, store: Store):
    file = f"envs/{NAME}/{HERE}-lock.yml"
    text = "channels: [conda-forge]\ndependencies: [tzish]\n"
    tz.resolve("mlp/other", environment=text, options=("--platform", HERE))
    other = (tz.path / "envs" / "mlp" / "other" / f"{HERE}-lock.yml").read_bytes()
    tz.repo.git("tag", "--delete", f"{NAME}@v1")
    forged = tz.repo.commit({file: other}, "another lock under the same ledger")
    message = tz.bare.git("for-each-ref", "--format=%(contents)", f"refs/tags/{NAME}@v1")
    tz.repo.git("tag", "--annotate", "--file=-", "--cleanup=verbatim", f"{NAME}@v1", forged, stdin=message.encode())
    with finding(tz) as found, pytest.raises(FatalError) as caught:
        made(tz, found, store)
    assert f"`{NAME}:v1`: the lock for {HERE} has id" in caught.value.message
    assert "do not use it" in caught.value.hint


def test_offline_without_the_packages_says_which_and_where(tz: Story, tmp_path: Path):
    cold = without_caches(tz, tmp_path)
    empty = open_store((tmp_path / "empty").as_uri())
    with finding(tz) as found, pytest.raises(FatalError) as caught:
        provide(found, config=cold, open_store=lambda: empty, offline=True, output=Output())
    assert "tzish" in caught.value.message
    assert f"not in the store {empty.url}, and this is offline" in caught.value.message
    assert [path.name for path in cold.directories.environments.iterdir()] == [f".{found.lock_id(HERE)}.lock"]


@pytest.fixture
def bucket(tz: Story, store: Store, s3: S3Server) -> Store:
    """A bucket that holds what `store` holds."""
    found = open_store(f"s3://{s3.bucket()}/envs")
    for entry in store.list(""):
        data = store.read(entry.key) or b""
        found.create(entry.key, data, sha256_hex(data))
    s3.requests.clear()
    return found


FAULTS: dict[str, dict[str, Any]] = {
    "reset": {},
    "error": {"status": 500, "code": "InternalError"},
    "slow down": {"status": 503, "code": "SlowDown"},
    "cut short": {"cut": True},
}


@pytest.mark.parametrize("what", ["objects/", "manifests/", "tags/"])
def test_a_read_that_fails_for_a_moment_is_made_again(
    tz: Story, bucket: Store, s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
):
    monkeypatch.setattr("time.sleep", lambda _: None)
    with finding(tz) as found:
        for kind, fault in FAULTS.items():
            s3.faults[:] = [Fault(method="GET", contains=what, times=1, **fault)]
            cold = without_caches(tz, tmp_path / kind)
            path = provide(found, config=cold, open_store=lambda: bucket, offline=True, output=Output())
            assert is_whole(path, path.name)
            assert s3.faults[0].times == 0, kind


def test_a_store_that_stays_away_is_an_error_that_names_it_and_the_next_run_succeeds(
    tz: Story, bucket: Store, s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("time.sleep", lambda _: None)
    cold = without_caches(tz, tmp_path)
    s3.faults.append(Fault(method="GET", contains="objects/", status=503, code="SlowDown", times=1000))
    with finding(tz) as found:
        with pytest.raises(FatalError) as caught:
            provide(found, config=cold, open_store=lambda: bucket, offline=False, output=Output())
        assert f"in {bucket.url}: the server is overloaded or failing (SlowDown)" in caught.value.message
        assert [path for path in cold.directories.environments.iterdir() if path.is_dir()] == []
        s3.faults.clear()
        assert provide(found, config=cold, open_store=lambda: bucket, offline=True, output=Output()).is_dir()
    assert list(cold.directories.archives.glob("??/*/.*")) == []


@pytest.mark.parametrize("kind", ["other bytes", "shorter", "gone"])
def test_a_damaged_object_of_a_bucket_is_named_offline_and_taken_from_its_origin_otherwise(
    tz: Story, bucket: Store, tmp_path: Path, conda_channel: Path, kind: str, capsys: pytest.CaptureFixture[str]
):
    package = conda_package(conda_channel, "tzish")
    key = keys.object_key(package.sha256, package.extension)
    whole = bucket.read(key) or b""
    bucket.delete(key)
    if kind != "gone":
        bad = whole[:-1] + (b"" if kind == "shorter" else bytes([whole[-1] ^ 1]))
        bucket.create(key, bad, sha256_hex(bad))
    cold = without_caches(tz, tmp_path)
    with finding(tz) as found:
        with pytest.raises(FatalError) as caught:
            provide(found, config=cold, open_store=lambda: bucket, offline=True, output=Output())
        assert "tzish" in caught.value.message
        assert bucket.url in caught.value.message
        assert (f"`{key}`" in caught.value.message) == (kind != "gone")
        assert capsys.readouterr().err == ""
        path = provide(found, config=cold, open_store=lambda: bucket, offline=False, output=Output())
    assert is_whole(path, path.name)
    assert (f"warning: {package} is taken from its origin, since `{key}`" in capsys.readouterr().err) == (
        kind != "gone"
    )


#: Many machines at once, each with a home of its own: a thread each, since two hundred processes would cost a minute.
_CROWD = """
import json, sys, threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from envtag.config import Config, Directories
from envtag.manifest import parse
from envtag.output import Output
from envtag.prefix.creation import hydrate
from envtag.prefix.marker import is_whole
from envtag.store import keys, open_store

url, digest, place, first, count = sys.argv[1:]
store = open_store(url)

def create(number):
    home = Path(place) / str(number)
    lock = parse(store.read(keys.manifest_key(digest)), url).lock
    config = Config(directories=Directories(data=home / "data", cache=home / "cache"))
    hydrate(lock, home / "env", store=store, config=config, offline=True, output=Output())
    return is_whole(home / "env", lock.id)

with ThreadPoolExecutor(int(count)) as threads:
    whole = list(threads.map(create, range(int(first), int(first) + int(count))))
print(sum(whole), flush=True)
import os
os._exit(0)
"""


def test_two_hundred_machines_create_it_from_one_store_at_once(tz: Story, bucket: Store, s3: S3Server, tmp_path: Path):
    with finding(tz) as found:
        assert found.record is not None
        digest = found.record.manifests[HERE]
    running = [
        subprocess.Popen(
            [sys.executable, "-c", _CROWD, bucket.url, digest, str(tmp_path / "crowd"), str(first), "50"],
            stdout=subprocess.PIPE,
            env={**os.environ},
        )
        for first in range(0, 200, 50)
    ]
    told = [process.communicate(timeout=100)[0] for process in running]
    assert told == [b"50\n"] * 4
    assert s3.seen("GET", "objects/") >= 400
    assert list((tmp_path / "crowd").glob("*/.*.tmp")) == []
    assert list((tmp_path / "crowd").glob("*/cache/archives/??/*/.*")) == []


#: Dies in the middle of the first download.
_DEADLY = """
import os, signal, sys
from envtag.cli import main
from envtag.store.s3 import S3Store

real = S3Store._receive

def receive(self, key, receive):
    def last(block):
        receive(block[: len(block) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
    return real(self, key, last if key.startswith("objects/") else receive)

S3Store._receive = receive
main(sys.argv[1:])
"""


def test_a_process_that_is_killed_while_it_downloads_leaves_nothing_that_the_next_one_keeps(
    tz: Story, bucket: Store, tmp_path: Path
):
    home = tmp_path / "cold"
    environ = {**tz.environ, **os.environ, "ENVTAG_HOME": str(home), "ENVTAG_STORE": bucket.url, "ENVTAG_MIRRORS": ""}
    command = ["create", f"{NAME}:v1", "--offline"]
    dead = subprocess.run([sys.executable, "-c", _DEADLY, *command], cwd=tz.path, env=environ, check=False, timeout=60)
    assert dead.returncode == -signal.SIGKILL
    assert list(home.glob("cache/archives/??/*/.*.tmp")) != []
    done = subprocess.run(
        [sys.executable, "-m", "envtag", *command],
        cwd=tz.path,
        env=environ,
        check=True,
        capture_output=True,
        timeout=60,
    )
    assert Path(done.stdout.decode().strip()).is_dir()
    assert list(home.glob("cache/archives/??/*/.*.tmp")) == []
    assert [path.name for path in home.glob("envs/.*.tmp")] == []
