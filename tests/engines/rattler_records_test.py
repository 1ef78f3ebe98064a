from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from envtag.engines import CondaProblem
from envtag.engines.rattler_records import canonical, cutoff, package_of, question, record_of
from envtag.errors import FatalError
from envtag.request import CondaRequirement, Origin
from envtag.urls import Mirrors
from support.locks import NUMPY

MIRRORS = Mirrors.parse("https://conda.example/main=file:///srv/main https://conda.example/other=http://127.0.0.1:1/o")


def _problem(*requirements: CondaRequirement, **fields: object) -> CondaProblem:
    return CondaProblem(
        platform="linux-64",
        channels=("https://conda.example/main",),
        requirements=requirements,
        **fields,  # type: ignore[arg-type]
    )


def test_a_bound_is_a_constraint_beside_a_root_without_one():
    asked = question(_problem(CondaRequirement(name="numpy", version=">=1.2", build="py311*")), MIRRORS)
    assert [str(root) for root in asked.roots] == ["numpy"]
    assert [str(bound) for bound in asked.constraints] == ["numpy >=1.2 py311*"]


def test_a_named_channel_is_mirrored_pinned_and_of_lowest_priority():
    requirement = CondaRequirement(name="numpy", version="2", channel="https://conda.example/other")
    asked = question(_problem(requirement, CondaRequirement(name="numpy", version="<3")), MIRRORS)
    assert asked.channels == {
        "file:///srv/main/": "https://conda.example/main",
        "http://127.0.0.1:1/o/": "https://conda.example/other",
    }
    [root] = asked.roots
    assert "127.0.0.1:1/o" in str(root)
    assert [str(bound) for bound in asked.constraints] == ["numpy <3"]


def test_pinned_packages_are_roots():
    asked = question(_problem(pinned=(NUMPY,)), MIRRORS)
    assert [str(root) for root in asked.roots] == ["numpy"]


def test_a_malformed_requirement_is_named_with_its_place():
    requirement = CondaRequirement(name="numpy", version=">=&", origin=Origin(file="environment.yml", line=4))
    with pytest.raises(FatalError, match=r"^environment.yml:4: `numpy >=&` is not a conda match spec: "):
        question(_problem(requirement), MIRRORS)


@pytest.mark.parametrize(("value", "shown"), [("2.28", "2.28=0"), ("1 x86_64", "1=x86_64")])
def test_a_virtual_package_has_a_version_and_maybe_a_build(value: str, shown: str):
    asked = question(_problem(virtual_packages={"__thing": value}), MIRRORS)
    [package] = asked.virtual_packages
    assert f"__thing={shown}" in str(package)


def test_a_malformed_virtual_package_is_named():
    with pytest.raises(FatalError, match="virtual package `__glibc: !` is malformed"):
        question(_problem(virtual_packages={"__glibc": "!"}), MIRRORS)


def test_a_cutoff_is_utc():
    moment = cutoff("2024-06-01T10:00:00Z")
    assert moment == datetime(2024, 6, 1, 10, tzinfo=timezone.utc)
    assert moment is not None
    assert moment.utcoffset() == timedelta(0)
    assert cutoff("") is None


@pytest.mark.parametrize("text", ["2024-06-01", "2024-06-01T10:00:00+02:00", "yesterday"])
def test_what_is_no_cutoff_is_refused(text: str):
    with pytest.raises(FatalError, match="is not a cutoff"):
        cutoff(text)


def test_a_locked_package_survives_the_way_to_a_record_and_back():
    record = record_of(NUMPY, Mirrors(), datetime(2024, 2, 6, 14, 10, 21, 156000, tzinfo=timezone.utc))
    channel = NUMPY.url.rpartition("/linux-64/")[0]
    found = package_of(record, {f"{channel}/": channel}, Mirrors())
    fields = ("name", "version", "build", "subdir", "url", "sha256", "md5", "depends", "size", "license")
    assert [getattr(found, name) for name in fields] == [getattr(NUMPY, name) for name in fields]
    assert found.timestamp == 1707228621156
    assert record.build_number == 0


def test_a_record_without_md5_is_refused():
    from rattler import BuildString, PackageRecord, RepoDataRecord

    record = PackageRecord("numpy", "1.0", BuildString("0"), 0, "noarch", sha256=bytes(32))
    with pytest.raises(FatalError, match=r"no md5 of `numpy-1.0-0.conda`"):
        package_of(RepoDataRecord(record, "numpy-1.0-0.conda", "https://c/noarch/n", "https://c"), {}, Mirrors())


def test_a_mirrored_file_has_its_channels_canonical_url():
    channels = {"file:///srv/main/": "https://conda.example/main"}
    assert (
        canonical("file:///srv/main/noarch/a.conda", channels, MIRRORS) == "https://conda.example/main/noarch/a.conda"
    )
    elsewhere = "http://127.0.0.1:1/o/noarch/a.conda"
    assert canonical(elsewhere, channels, MIRRORS) == "https://conda.example/other/noarch/a.conda"
