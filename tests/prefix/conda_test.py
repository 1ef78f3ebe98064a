from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from envtag.errors import FatalError
from envtag.output import Output
from envtag.package import Package
from envtag.prefix import conda
from support.packages import CANONICAL, conda_package


class Fetcher:
    """Gives the archives of a channel, and keeps which were asked for."""

    def __init__(self, channel: Path) -> None:
        self.channel = channel
        self.asked: list[list[str]] = []

    def __call__(self, packages: Sequence[Package]) -> Mapping[str, Path]:
        self.asked.append([package.name for package in packages])
        return {package.sha256: self.channel / package.subdir / package.filename for package in packages}


class Counting(Output):
    """An output that seems to be a terminal, and counts what is told to it."""

    done = 0

    @property
    def interactive(self) -> bool:
        return True

    @contextmanager
    def task(self, what: str, total: float | None = None, *, unit: str = "") -> Iterator[Any]:
        yield self

    def advance(self, amount: float = 1) -> None:
        self.done += int(amount)


def install(
    packages: Sequence[Package], prefix: Path, cache: Path, fetch: Any, output: Output | None = None, **settings: Any
) -> None:
    conda.install(packages, prefix, prefix, cache=cache, fetch=fetch, output=output or Output(), **settings)


def test_only_what_the_cache_lacks_is_fetched(conda_channel: Path, tmp_path: Path):
    one, two = conda_package(conda_channel, "tzish"), conda_package(conda_channel, "prefixed")
    fetch = Fetcher(conda_channel)
    install([one], tmp_path / "one", tmp_path / "cache", fetch)
    install([one, two], tmp_path / "two", tmp_path / "cache", fetch)
    install([one, two], tmp_path / "three", tmp_path / "cache", fetch)
    assert fetch.asked == [["tzish"], ["prefixed"], []]
    assert (tmp_path / "three" / "share" / "zoneinfo" / "UTC").stat().st_nlink == 4


def test_both_formats_install(conda_channel: Path, tmp_path: Path):
    for extension in ("conda", "tar.bz2"):
        package = conda_package(conda_channel, "libarch", "2.0", extension=extension)
        install([package], tmp_path / extension, tmp_path / "cache", Fetcher(conda_channel))
        record = json.loads((tmp_path / extension / "conda-meta" / "libarch-2.0-h1234567_0.json").read_bytes())
        assert record["url"] == f"{CANONICAL}/{package.subdir}/libarch-2.0-h1234567_0.{extension}"
        assert record["sha256"] == package.sha256


def test_progress_is_told_for_each_package(conda_channel: Path, tmp_path: Path):
    packages = [conda_package(conda_channel, "tzish"), conda_package(conda_channel, "prefixed")]
    output = Counting()
    install(packages, tmp_path / "prefix", tmp_path / "cache", Fetcher(conda_channel), output)
    assert output.done == 2


def test_a_damaged_cache_is_told_and_filled_anew_from_verified_archives(conda_channel: Path, tmp_path: Path):
    package = conda_package(conda_channel, "tzish")
    fetch = Fetcher(conda_channel)
    install([package], tmp_path / "one", tmp_path / "cache", fetch)
    (cached,) = (tmp_path / "cache").rglob("share/zoneinfo/UTC")
    cached.unlink()
    cached.write_bytes(b"edited")
    with pytest.raises(conda.DamagedCacheError, match="tzish"):
        install([package], tmp_path / "two", tmp_path / "cache", fetch)
    install([package], tmp_path / "three", tmp_path / "cache", fetch, fetch_all=True)
    assert fetch.asked == [["tzish"], [], ["tzish"]]
    assert (tmp_path / "three" / "share" / "zoneinfo" / "UTC").read_bytes() == b"TZif\0UTC"


def test_an_archive_that_is_none_is_an_error_with_its_name(tmp_path: Path, conda_channel: Path):
    broken = tmp_path / "tzish-2024a-0.conda"
    broken.write_bytes(b"not an archive")
    package = conda_package(conda_channel, "tzish")
    with pytest.raises(FatalError, match=r"conda packages could not be installed: .*tzish"):
        install([package], tmp_path / "one", tmp_path / "cache", lambda _: {package.sha256: broken})


def test_a_noarch_package_without_its_python_is_an_error(conda_channel: Path, tmp_path: Path):
    with pytest.raises(FatalError, match="conda packages could not be installed"):
        install([conda_package(conda_channel, "beta")], tmp_path / "one", tmp_path / "cache", Fetcher(conda_channel))


def test_another_build_of_the_same_name_does_not_come_from_the_cache(conda_channel: Path, tmp_path: Path):
    first = conda_package(conda_channel, "libarch", "2.0", extension="conda")
    second = conda_package(conda_channel, "libarch", "2.0", extension="tar.bz2")
    assert first.sha256 != second.sha256
    fetch = Fetcher(conda_channel)
    install([first], tmp_path / "one", tmp_path / "cache", fetch)
    install([second], tmp_path / "two", tmp_path / "cache", fetch)
    assert fetch.asked == [["libarch"], ["libarch"]]


def test_a_license_and_a_missing_md5_do_no_harm(conda_channel: Path, tmp_path: Path):
    package = conda_package(conda_channel, "tzish")._replace(md5="", license="CC0-1.0")
    install([package], tmp_path / "one", tmp_path / "cache", Fetcher(conda_channel))
    record = json.loads((tmp_path / "one" / "conda-meta" / "tzish-2024a-0.json").read_bytes())
    assert record["license"] == "CC0-1.0"
