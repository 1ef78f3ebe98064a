from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from envtag.errors import FatalError
from envtag.output import Output
from envtag.platforms import current_platform
from envtag.pods import engines, runtime
from envtag.pods.runtime import Part, Runtime, parse, publish, read, stored
from envtag.store import Store, keys, open_store
from envtag.util.canonical import sha256_file, sha256_hex

HERE = current_platform()


def part(name: str, letter: str) -> Part:
    return Part(filename=name, sha256=letter * 64, size=1)


SAMPLE = Runtime(
    platform=HERE, bundle=part("b.zip", "a"), rest=part("r.zip", "b"), engines=(part("uv-1-py3-none-any.whl", "c"),)
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store((tmp_path / "store").as_uri())


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Engines that are quickly made; the platforms that they were asked for."""
    asked: list[str] = []

    def wheels(platform: str, directory: Path, *, config: Any, output: Any) -> list[Path]:
        asked.append(platform)
        found = [directory / f"{name}-1-py3-none-any.whl" for name in ("py_rattler", "uv")]
        for path in found:
            path.write_bytes(f"{path.name} of {platform}".encode())
        return found

    monkeypatch.setattr(engines, "engine_wheels", wheels)
    return asked


def test_a_document_is_read_back_and_named_by_its_bytes():
    assert parse(SAMPLE.to_bytes(), "x") == SAMPLE
    assert SAMPLE.digest == sha256_hex(SAMPLE.to_bytes())
    assert SAMPLE.bundle.key == f"objects/sha256/aa/{'a' * 64}.zip"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 2}, "not a runtime of version 1"),
        ({"more": 1}, "not a runtime: it has"),
        ({"engines": {}}, "not a runtime: it has"),
        ({"platform": "x"}, "not a platform that envtag knows"),
        ({"bundle": {}}, "a part has not exactly"),
        ({"bundle": {"filename": "../x.zip", "sha256": "a" * 64, "size": 1}}, "no proper file name"),
        ({"rest": {"filename": "x.zip", "sha256": "A" * 64, "size": 1}}, "no proper sha256 or size"),
        ({"rest": {"filename": "x.zip", "sha256": "a" * 64, "size": True}}, "no proper sha256 or size"),
    ],
)
def test_what_is_no_document_is_refused(change: dict[str, Any], said: str):
    document = json.loads(SAMPLE.to_bytes()) | change
    with pytest.raises(FatalError, match=said):
        parse(json.dumps(document).encode(), "x")
    with pytest.raises(FatalError, match="not JSON"):
        parse(b"{", "x")


def test_a_store_is_given_it_once(store: Store, small: list[str], client):
    first = publish([HERE, HERE], store, config=client.config, output=Output())
    assert publish([HERE], store, config=client.config, output=Output()) == first
    assert small == [HERE]
    (made,) = first.values()
    assert read(store, made.digest) == made
    assert stored(store) == [made]
    for item in made.parts:
        path = store.local_path(item.key)
        assert path is not None
        assert (sha256_file(path), path.stat().st_size) == (item.sha256, item.size)


def test_what_a_store_has_lost_is_brought_back(store: Store, small: list[str], client):
    made = publish([HERE], store, config=client.config, output=Output())[HERE]
    store.delete(keys.runtime_key(made.digest))
    store.delete(made.engines[0].key)
    assert publish([HERE], store, config=client.config, output=Output())[HERE] == made
    assert store.size(made.engines[0].key) == made.engines[0].size


def test_another_store_is_given_what_this_machine_made_before(
    store: Store, small: list[str], client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    made = publish([HERE], store, config=client.config, output=Output())
    asked: list[Any] = []
    monkeypatch.setattr("envtag.pods.bundle.bundles", lambda pure: asked.append(pure) or (b"bundle", b"rest"))
    other = open_store((tmp_path / "other").as_uri())
    assert publish([HERE], other, config=client.config, output=Output()) == made
    assert asked == []
    assert other.size(made[HERE].bundle.key) == made[HERE].bundle.size
    (client.config.directories.cache / "runtimes" / made[HERE].bundle.filename).write_bytes(b"damaged")
    third = open_store((tmp_path / "third").as_uri())
    assert publish([HERE], third, config=client.config, output=Output())[HERE].bundle.size == len(b"bundle")


def test_each_platform_has_its_own_engines_and_the_same_bundle(store: Store, small: list[str], client):
    made = publish(["linux-64", "linux-aarch64"], store, config=client.config, output=Output())
    assert small == ["linux-64", "linux-aarch64"]
    assert made["linux-64"].bundle == made["linux-aarch64"].bundle
    assert made["linux-64"].engines != made["linux-aarch64"].engines


def test_a_damaged_note_of_this_machine_is_made_anew(store: Store, small: list[str], client):
    made = publish([HERE], store, config=client.config, output=Output())
    (note,) = (client.config.directories.cache / "runtimes").glob("pod-*.json")
    note.write_text("{")
    assert publish([HERE], store, config=client.config, output=Output()) == made


def test_a_document_that_is_not_there_or_damaged_is_refused(store: Store):
    with pytest.raises(FatalError, match="is not there, and it says what pods need"):
        read(store, "a" * 64)
    store.create(keys.runtime_key("a" * 64), b"x", sha256_hex(b"x"))
    with pytest.raises(FatalError, match="has other bytes than its name promises"):
        read(store, "a" * 64)
    assert runtime.stored.__doc__
