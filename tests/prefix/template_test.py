from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from envtag.config import Config
from envtag.output import Output
from envtag.prefix import template
from envtag.prefix.creation import hydrate
from envtag.urls import Mirrors
from support.packages import CANONICAL, conda_package, make_lock

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere environments are not cloned")


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    """A prefix with a shared file, one of its own, a link and an empty directory."""
    (tmp_path / "cache").write_text("shared")
    prefix = tmp_path / "prefix"
    (prefix / "bin").mkdir(parents=True)
    (prefix / "empty" / "deeper").mkdir(parents=True)
    os.link(tmp_path / "cache", prefix / "bin" / "shared")
    (prefix / "own").write_text("own")
    (prefix / "bin" / "link").symlink_to("shared")
    return prefix


def test_shared_files_are_known_by_what_a_change_would_change_and_others_by_their_hash(prefix: Path, tmp_path: Path):
    found = template.describe(prefix)
    assert found is not None
    status = (tmp_path / "cache").stat()
    assert found.directories == ["bin", "empty", "empty/deeper"]
    assert found.shared == {"bin": [("shared", status.st_ino, 6, status.st_mtime_ns, status.st_mode)]}
    assert [(path, mode, kind) for path, mode, _, kind in found.own] == [("own", 0o644, "")]
    assert found.links == [("bin/link", "shared", 0, 0)]


def test_files_that_are_made_anew_for_each_prefix_are_no_part_of_it(prefix: Path):
    (prefix / ".envtag.json").write_text("{}")
    (prefix / "conda-meta").mkdir()
    (prefix / "conda-meta" / "envtag.bash").write_text(f"PATH={prefix}")
    found = template.describe(prefix)
    assert found is not None
    assert [fact[0] for fact in found.own] == ["own"]


def test_there_is_none_of_a_prefix_that_a_file_or_link_names_in_an_unknown_way(prefix: Path):
    text = prefix / "settings.ini"
    text.write_text(f"home = {prefix}")
    assert template.describe(prefix) is None
    text.write_text("home = /")
    assert template.describe(prefix) is not None
    (prefix / "absolute").symlink_to(prefix / "own")
    assert template.describe(prefix) is None


def test_there_is_none_where_most_is_of_the_prefix_alone(prefix: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(template, "_OWN_BYTES", 2)
    assert template.describe(prefix) is None


def test_there_is_none_of_a_prefix_with_a_pipe(prefix: Path):
    os.mkfifo(prefix / "pipe")
    assert template.describe(prefix) is None


def test_an_absolute_link_is_known_by_what_it_leads_to(prefix: Path, tmp_path: Path):
    (prefix / "python").symlink_to(tmp_path / "cache")
    found = template.describe(prefix)
    assert found is not None
    status = (tmp_path / "cache").stat()
    assert found.links[-1] == ("python", str(tmp_path / "cache"), 6, status.st_mtime_ns)


def test_what_is_kept_is_read_again_and_can_be_forgotten(client: Any, conda_channel: Path, tmp_path: Path):
    mirrors = Mirrors.parse(f"{CANONICAL}={conda_channel.as_uri()}")
    config = Config(directories=client.config.directories, mirrors=mirrors)
    lock = make_lock([conda_package(conda_channel, "tzish")], python="")
    hydrate(lock, tmp_path / "env", store=None, config=config, offline=False, output=Output())
    found, described = template.read(config.directories, lock.id), template.describe(tmp_path / "env")
    assert found is not None
    assert described is not None
    assert [tuple(fact) for fact in found.own] == described.own
    assert {key: [tuple(fact) for fact in facts] for key, facts in found.shared.items()} == described.shared
    assert (found.prefix, found.directories, found.room) == (tmp_path / "env", described.directories, described.room)
    template.forget(config.directories, lock.id)
    assert template.read(config.directories, lock.id) is None
    template.keep(tmp_path / "env", lock._replace(platform="osx-arm64"), config.directories)
    assert template.read(config.directories, lock.id) is None, "macOS signs what is rewritten"


def test_a_cache_that_cannot_be_written_is_no_error(client: Any, conda_channel: Path, tmp_path: Path, prefix: Path):
    lock = make_lock([conda_package(conda_channel, "tzish")], python="")
    (client.config.directories.cache).mkdir(parents=True, exist_ok=True)
    (client.config.directories.cache / "templates").write_text("in the way")
    template.keep(prefix, lock, client.config.directories)
    assert template.read(client.config.directories, lock.id) is None
