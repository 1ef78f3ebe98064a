from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from envtag import archives
from envtag.config import Directories
from envtag.package import Package

DAY = 24 * 60 * 60


@pytest.fixture
def directories(tmp_path: Path) -> Directories:
    return Directories(data=tmp_path / "data", cache=tmp_path / "cache")


def kept(directories: Directories, filename: str, age: float = 0.0) -> Path:
    """An archive in the cache that was last used some seconds ago."""
    path = archives.archive_path(directories, package(filename))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(filename.encode())
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def package(filename: str) -> Package:
    return Package(
        manager="conda",
        name="thing",
        version="1.0",
        url=f"https://conda.example.org/noarch/{filename}",
        sha256=hashlib.sha256(filename.encode()).hexdigest(),
    )


def test_conda_archives_go_a_day_after_their_last_use_and_wheels_stay(directories: Directories):
    old = [kept(directories, name, DAY + 60) for name in ("a-1-0.conda", "b-1-0.tar.bz2")]
    others = [kept(directories, "c-1-0.conda", DAY - 60), kept(directories, "d-1-py3-none-any.whl", DAY * 9)]
    left = others[0].with_name(".c-1-0.conda.x.tmp")
    left.touch()
    os.utime(left, (0, 0))
    archives.sweep(directories)
    assert [path.exists() for path in (*old, *others, left)] == [False, False, True, True, False]


def test_it_is_swept_once_a_day(directories: Directories):
    archives.sweep(directories)
    path = kept(directories, "a-1-0.conda", DAY * 2)
    archives.sweep(directories)
    assert not path.exists()
    kept(directories, "a-1-0.conda", DAY * 2)
    archives.sweep(directories)
    assert path.exists()
    archives.sweep(directories, time.time() + DAY + 1)
    assert not path.exists()


def test_an_archive_that_is_used_again_is_kept_for_another_day_and_a_wheel_keeps_its_time(directories: Directories):
    conda, wheel = (kept(directories, name, DAY * 2) for name in ("a-1-0.conda", "d-1-py3-none-any.whl"))
    before = wheel.stat().st_mtime
    assert archives.is_kept(conda, package("a-1-0.conda"))
    assert archives.is_kept(wheel, package("d-1-py3-none-any.whl"))
    archives.sweep(directories)
    assert conda.exists()
    assert wheel.stat().st_mtime == before


def test_what_is_not_whole_is_not_kept(directories: Directories):
    path = kept(directories, "a-1-0.conda")
    path.write_bytes(b"x")
    assert not archives.is_kept(path, package("a-1-0.conda"))
    assert not path.exists()
    assert not archives.is_kept(path, package("a-1-0.conda"))


def test_a_lock_is_held_by_one_and_others_are_told(directories: Directories):
    told: list[str] = []
    with archives.lock(directories, package("a-1-0.conda"), waiting=lambda: told.append("waiting")):
        left = archives.archive_path(directories, package("a-1-0.conda")).parent / ".a.x.tmp"
        left.parent.mkdir(parents=True)
        left.touch()
    with archives.lock(directories, package("a-1-0.conda"), waiting=lambda: told.append("waiting")):
        assert not left.exists()
    assert told == []
