from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest

from envtag import resolutions
from envtag.errors import FatalError
from envtag.flows.sharing import Sharing, environment_name
from envtag.lock import Lock
from envtag.manifests import read_manifest
from envtag.names import parse_name
from envtag.output import Output
from envtag.store import Store, keys, open_store
from support.flows import named
from support.story import HERE, Story


@pytest.fixture
def story(make_story: Callable[..., Story]) -> Story:
    return make_story(named)


def lock_of(story: Story, name: str, platform: str = HERE) -> Lock:
    with story.registry() as registry:
        return registry.environment(name).lock(platform)


def sharing(story: Story, store: Store, user: str = "tester") -> Sharing:
    return Sharing(open_store=lambda: store, config=story.config, output=Output(quiet=True), user=user, name="flows/f")


def test_a_lock_is_shared_with_all_that_it_takes_and_once(story: Story, tmp_path: Path):
    store, lock = open_store((tmp_path / "store").as_uri()), lock_of(story, "mlp/bare")
    digest = sharing(story, store).share(lock, commit="c" * 40)
    manifest = read_manifest(store, digest, "it")
    assert manifest is not None
    assert manifest.lock.id == lock.id
    assert all(store.size(keys.object_key(item.sha256, item.extension)) for item in manifest.archives())
    (record,) = resolutions.find(store, lock.request)
    assert (record.lock, record.who, record.environment, record.commit) == (lock.id, "tester", "flows/f", "c" * 40)
    before = sorted(entry.key for entry in store.list(""))
    assert sharing(story, store, "another").share(lock) == digest
    assert sorted(entry.key for entry in store.list("")) == before


def test_what_flows_solved_long_ago_is_renewed_by_who_shares_it(story: Story, tmp_path: Path):
    store, lock = open_store((tmp_path / "store").as_uri()), lock_of(story, "mlp/bare")
    sharing(story, store).share(lock)
    key = keys.request_key(lock.request, lock.platform, lock.id)
    path = tmp_path / "store" / key
    os.utime(path, (1, 1))
    sharing(story, store).share(lock)
    assert path.stat().st_mtime == 1  # recorded just now, by its own word
    path.write_bytes(path.read_bytes().replace(f'"when":"{datetime.now(timezone.utc).year}'.encode(), b'"when":"2001'))
    os.utime(path, (1, 1))
    sharing(story, store).share(lock)
    assert path.stat().st_mtime > 1
    (record,) = resolutions.find(store, lock.request)
    assert record.when.startswith("2001")


def test_what_a_tag_names_and_the_store_has_is_not_shared_again(story: Story, tmp_path: Path):
    store, lock = open_store((tmp_path / "store").as_uri()), lock_of(story, "mlp/bare")
    data = b"{}"
    digest = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    store.create(keys.manifest_key(digest), data, digest)
    assert sharing(story, store).share(lock, released=digest) == digest
    assert resolutions.find(store, lock.request) == []


def test_a_package_that_cannot_be_had_leaves_no_record(story: Story, tmp_path: Path):
    store, lock = open_store((tmp_path / "store").as_uri()), lock_of(story, "mlp/bare")
    gone = lock.packages[0]._replace(url="file:///nowhere/gone-1.0-0.conda", sha256="0" * 64)
    with pytest.raises(FatalError):
        sharing(story, store).share(lock._replace(packages=(gone, *lock.packages[1:])))
    assert list(store.list(keys.REQUESTS)) == []
    assert list(store.list(keys.MANIFESTS)) == []


@pytest.mark.parametrize(
    ("flow", "name"),
    [("MyFlow", "flows/myflow"), ("My_Flow2", "flows/my-flow2"), ("_", "flows/flow"), ("", "flows/flow")],
)
def test_a_flows_environments_have_a_legal_name(flow: str, name: str):
    assert parse_name(environment_name(flow)) == name
