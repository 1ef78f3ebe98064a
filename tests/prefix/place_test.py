from __future__ import annotations

from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.output import Output
from envtag.prefix import marker, place
from envtag.prefix.marker import Marker

LOCK = "a" * 40


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def mark(prefix: Path) -> None:
    prefix.mkdir()
    marker.write(prefix, Marker(lock=LOCK, request="b" * 40, platform="linux-64", interpreter="conda", python=""))


def test_a_path_loses_its_dots_and_keeps_its_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path)
    assert place.normal(Path("link/../link/env")) == tmp_path / "link" / "env"


def test_what_is_there_of_the_lock_is_not_made_again_unless_it_is_forced(tmp_path: Path):
    target = tmp_path / "env"
    with place.reserved(target, LOCK, output=Output()) as wanted:
        assert wanted
        mark(target)
    with place.reserved(target, LOCK, output=Output()) as wanted:
        assert not wanted
    with place.reserved(target, LOCK, output=Output(), force=True) as wanted:
        assert wanted


def test_another_lock_at_the_place_is_refused_and_an_empty_directory_is_not(tmp_path: Path):
    mark(tmp_path / "env")
    (tmp_path / "empty").mkdir()
    with (
        pytest.raises(FatalError, match=f"holds the environment of lock {LOCK}, not of {'c' * 40}"),
        place.reserved(tmp_path / "env", "c" * 40, output=Output()),
    ):
        pass
    with place.reserved(tmp_path / "empty", LOCK, output=Output()) as wanted:
        assert wanted
        assert not (tmp_path / "empty").exists()


def test_what_dead_processes_left_is_removed_and_what_one_set_aside_comes_back(tmp_path: Path):
    target = tmp_path / "env"
    aside, staging = (tmp_path / f".env.{'0' * 32}.{ending}" for ending in ("old", "tmp"))
    aside.mkdir()
    (aside / "file").touch()
    staging.mkdir()
    (tmp_path / ".env.mine.tmp").mkdir()
    with (
        pytest.raises(FatalError, match="did not make"),
        place.reserved(target, LOCK, output=Output()),
    ):
        pass
    assert (target / "file").exists()
    assert names_in(tmp_path) == [".env.lock", ".env.mine.tmp", "env"]


def test_a_finished_directory_takes_the_place_of_another(tmp_path: Path):
    target = tmp_path / "env"
    for word in ("one", "two"):
        staging = place.staging_of(target)
        staging.mkdir()
        (staging / word).touch()
        place.put_in_place(staging, target)
    assert names_in(target) == ["two"]
    assert names_in(tmp_path) == ["env"]


def test_an_error_of_the_disk_names_the_place_and_the_file(tmp_path: Path):
    with (
        pytest.raises(FatalError) as caught,
        place.reserved(tmp_path / "env", LOCK, output=Output()),
    ):
        raise OSError(28, "No space left on device", "/somewhere")
    assert caught.value.message == f"{tmp_path / 'env'} could not be created: No space left on device (/somewhere)"
