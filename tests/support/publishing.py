"""Publications that are watched, killed, held up and looked at from outside."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.manifest import parse as parse_manifest
from envtag.names import Alias, alias_from_ref
from envtag.output import Output
from envtag.publication import Publisher, Report
from envtag.registry import open_registry
from envtag.store import Store, keys, open_store
from support.story import HERE, Story

NAME = "mlp/tz"
V1, V2 = Alias(name=NAME, tag="v1"), Alias(name=NAME, tag="v2")
#: Writes each step of a publication to a file, and dies (or waits) before one of them; then it is envtag.
_STEPPER = """
import os, signal, sys, threading, time
from pathlib import Path
from envtag.cli import main
from envtag.git import Git
from envtag.store import local, s3

log, stop, gate, *argv = sys.argv[1:]
count = 0
mutex = threading.Lock()

def step(what):
    global count
    with mutex:
        count += 1
        with open(log, "a") as stream:
            stream.write(what + "\\n")
        if stop not in (str(count), what):
            return
        if not gate:
            os.kill(os.getpid(), signal.SIGKILL)
    Path(gate + ".arrived", str(os.getpid())).touch()
    while not os.path.exists(gate):
        time.sleep(0.01)

def place(path):
    parts = str(path).split("/")
    return next(part for part in parts if part in ("objects", "manifests", "requests", "tags", "pointers"))

def before(owner, name, tell):
    real = getattr(owner, name)
    def call(*words, **settings):
        step(tell(words))
        return real(*words, **settings)
    setattr(owner, name, call)

before(local, "link_exclusive", lambda words: place(words[1]))
before(local, "create_exclusive", lambda words: place(words[0]))
before(s3.S3Store, "_put", lambda words: place(words[1]))
for name in ("make_tag", "push_create", "create_ref"):
    before(Git, name, lambda words, name=name: name)
main(argv)
"""
STEPS = [
    "objects", "objects", "manifests", "requests", "make_tag", "push_create", "create_ref", "tags", "pointers",
    "pointers",
]  # fmt: skip


def first(story: Story) -> None:
    """State: `mlp/tz:v1` with two small conda packages and no Python, `stable` at it; pushed, not published."""
    lock(story, "v1")
    story.call("alias", f"{NAME}:v1", f"{NAME}:stable")
    story.commit("v1")


def second(story: Story) -> None:
    """State: `first`, and `v2` with one more package; neither is published."""
    first(story)
    lock(story, "v2", "activating")
    story.commit("v2")


def lock(story: Story, tag: str, *more: str, name: str = NAME) -> None:
    text = f"channels: [conda-forge]\ndependencies: [{', '.join(('prefixed', 'tzish', *more))}]\n"
    story.resolve(f"{name}:{tag}", environment=text, options=("--platform", HERE))


def publish(story: Story, *names: str, push: bool = True) -> Report:
    """Publish in this process, so that errors can be looked at."""
    report = Report()
    with open_registry(str(story.path), story.place, story.config) as registry:
        store = open_store(story.config.store or story.config.directories.default_store.as_uri())
        publisher = Publisher(registry=registry, store=store, config=story.config, output=Output(), push=push)
        for name in names or (NAME,):
            publisher.publish(name, report)
    return report


def refused(story: Story, *names: str, push: bool = True) -> FatalError:
    with pytest.raises(FatalError) as caught:
        publish(story, *names, push=push)
    return caught.value


def stepped(
    story: Story, log: Path, *, stop: str = "", gate: Path | None = None, cwd: Path | None = None, **variables: str
) -> subprocess.Popen[str]:
    """Start `envtag publish`; it dies before the step `stop` (a number or a name), or waits there for `gate`."""
    if gate is not None:
        Path(f"{gate}.arrived").mkdir(exist_ok=True)
    command = [sys.executable, "-c", _STEPPER, str(log), stop, str(gate or ""), "publish"]
    return subprocess.Popen(
        command, cwd=cwd or story.path, env={**story.environ, **variables}, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip


def arrived(gate: Path, count: int) -> None:
    """Wait until so many processes wait at a gate."""
    deadline = time.monotonic() + 30
    while len(list(Path(f"{gate}.arrived").iterdir())) < count:
        assert time.monotonic() < deadline, "no process came to the gate"
        time.sleep(0.01)


def steps(log: Path) -> list[str]:
    return log.read_text().splitlines()


def remote_tags(story: Story) -> dict[str, str]:
    lines = story.bare.git("for-each-ref", "--format=%(refname) %(objectname)", "refs/tags").splitlines()
    return dict(line.split(" ") for line in lines)


def assert_nothing_is_half_visible(story: Story, store: Store, place: Path) -> set[str]:
    """What any reader sees is whole: tags have their manifests, these their packages, replicas their tags.

    Returns:
        The aliases that a new clone sees as released.
    """
    for entry in store.list(keys.OBJECTS):
        data = store.read(entry.key)
        assert data is not None
        assert hashlib.sha256(data).hexdigest() == entry.key.rpartition("/")[2].partition(".")[0]
    whole = set()
    for entry in store.list(keys.MANIFESTS):
        data = store.read(entry.key)
        assert data is not None
        digest = hashlib.sha256(data).hexdigest()
        assert entry.key == keys.manifest_key(digest)
        packages = parse_manifest(data, entry.key).lock.packages
        assert all(store.size(keys.object_key(item.sha256, item.extension)) == item.size for item in packages)
        whole.add(digest)
    clone = story.bare.clone(place)
    seen = {}
    with open_registry(str(clone.path), place, story.config) as registry:
        for ref in remote_tags(story):
            alias = alias_from_ref(ref)
            assert alias is not None
            released = registry.released(alias)
            assert released is not None
            assert set(released.record.manifests.values()) <= whole
            seen[str(alias)] = released
    for entry in store.list(keys.TAGS):
        replica = json.loads(store.read(entry.key) or b"")
        released = seen[f"{replica['name']}:{replica['tag']}"]
        assert replica["commit"] == released.tag.commit
        assert replica["manifests"] == released.record.manifests
    for entry in store.list(keys.POINTERS):
        assert set(json.loads(store.read(entry.key) or b"")["manifests"].values()) <= whole
    return set(seen)
