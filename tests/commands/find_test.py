from __future__ import annotations

import json
from pathlib import Path

import pytest

from envtag.commands.find import find
from envtag.errors import FatalError
from envtag.manifest import Manifest
from envtag.output import Output
from envtag.resolutions import record
from envtag.store import Store, open_store
from support.locks import SAMPLE


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = open_store((tmp_path / "store").as_uri())
    manifests = [Manifest(lock=SAMPLE), Manifest(lock=SAMPLE._replace(platform="osx-arm64"))]
    for manifest, who in zip(manifests, ("Ada <ada@example.org>", "Bob <bob@example.org>"), strict=True):
        record(store, manifest=manifest, environment="mlp/base", commit="c" * 40, who=who, when="2026-01-01T00:00:00Z")
    return store


def run(store: Store, request: str = SAMPLE.request, platform: str = "", by: str = "", as_json: bool = False) -> int:
    return find(request, platform=platform, by=by, as_json=as_json, store=store, output=Output())


def test_each_resolution_is_a_line(store: Store, capsys):
    assert run(store) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["when", "platform", "lock", "environment", "who"]
    assert len(lines) == 3
    assert any("linux-64" in line and SAMPLE.id in line and "Ada <ada@example.org>" in line for line in lines)


def test_they_are_chosen_by_platform_and_by_person(store: Store, capsys):
    assert run(store, platform="osx-arm64") == 0
    assert "Ada" not in capsys.readouterr().out
    assert run(store, by="ADA@") == 0
    assert "Bob" not in capsys.readouterr().out
    assert run(store, platform="osx-arm64", by="ada") == 1


def test_json_has_the_full_id(store: Store, capsys):
    assert run(store, platform="linux-64", as_json=True) == 0
    (item,) = json.loads(capsys.readouterr().out)
    assert item["id"] == f"{SAMPLE.request}:{SAMPLE.id}"
    assert set(item) == {
        "id", "request", "platform", "lock", "manifest", "environment", "commit", "who", "when",
    }  # fmt: skip


def test_nothing_found_is_told_and_is_exit_code_1(store: Store, capsys):
    assert run(store, "f" * 40) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"no resolution of request {'f' * 40} is recorded in file:" in captured.err
    assert run(store, "f" * 40, as_json=True) == 1
    assert json.loads(capsys.readouterr().out) == []


def test_what_is_no_id_or_no_platform_is_refused(store: Store):
    with pytest.raises(FatalError, match="`mlp/base:v1` is no request id"):
        run(store, "mlp/base:v1")
    with pytest.raises(FatalError, match="windows"):
        run(store, platform="windows")
