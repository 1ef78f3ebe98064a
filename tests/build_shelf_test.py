from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from envtag import build_record
from envtag.build_record import BuildRecord, Provenance
from envtag.build_shelf import Shelf
from envtag.errors import FatalError
from envtag.lock import Lock
from envtag.manifest import Build
from envtag.package import Package
from envtag.store import Store, keys, open_store
from envtag.util.canonical import sha256_hex
from support.packages import make_lock

WHEEL = b"the bytes of a wheel"
PURE = Build(sha256=sha256_hex(WHEEL), filename="delta-1.0-py3-none-any.whl", size=len(WHEEL))
NATIVE = replace(PURE, filename="delta-1.0-cp311-cp311-linux_x86_64.whl")
SOURCE = Package(
    manager="pypi",
    name="delta",
    version="1.0",
    url="https://files.example.org/delta-1.0.tar.gz",
    sha256="a" * 64,
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = open_store((tmp_path / "store").as_uri())
    made.create(keys.object_key(PURE.sha256, "whl"), WHEEL, PURE.sha256)
    return made


def lock_for(platform: str, python: str = "3.11") -> Lock:
    return make_lock([SOURCE], python=python, interpreter="uv", platform=platform)


def record_for(platform: str, wheel: Build = PURE, python: str = "3.11") -> BuildRecord:
    return BuildRecord(
        name=SOURCE.name,
        version=SOURCE.version,
        sha256=SOURCE.sha256,
        url=SOURCE.url,
        wheel=wheel,
        platform=platform,
        python=python,
        made=Provenance(platform=platform, python=f"{python}.7"),
    )


def put(store: Store, record: BuildRecord) -> Build:
    return Shelf(lock=lock_for(record.platform, record.python), store=store).put(SOURCE, record)


def look(store: Store, platform: str, python: str = "3.11") -> Build | None:
    return Shelf(lock=lock_for(platform, python), store=store).wheel(SOURCE)


def key(platform: str) -> str:
    return keys.build_key(SOURCE.sha256, platform, "3.11")


def test_an_empty_shelf_has_no_wheel(store: Store):
    assert look(store, "linux-64") is None


def test_what_was_put_is_found_for_its_platform_and_python(store: Store):
    assert put(store, record_for("linux-64", NATIVE)) == NATIVE
    assert look(store, "linux-64") == NATIVE
    assert look(store, "osx-64") is None
    assert look(store, "linux-64", "3.12") is None


def test_the_first_record_stays(store: Store):
    put(store, record_for("linux-64", NATIVE))
    assert put(store, record_for("linux-64", PURE)) == NATIVE
    assert look(store, "linux-64") == NATIVE


def test_a_wheel_for_all_platforms_is_recorded_for_another_with_where_it_was_built(store: Store):
    put(store, record_for("linux-64"))
    assert look(store, "osx-arm64") == PURE
    data = store.read(key("osx-arm64"))
    assert data is not None
    record = build_record.parse(data, "r")
    assert (record.platform, record.made.platform) == ("osx-arm64", "linux-64")
    assert look(store, "osx-arm64", "3.12") is None


def test_who_only_looks_records_nothing(store: Store):
    put(store, record_for("linux-64"))
    assert Shelf(lock=lock_for("osx-arm64"), store=store, adopt=False).wheel(SOURCE) == PURE
    assert store.read(key("osx-arm64")) is None


def test_a_wheel_for_all_platforms_of_a_python_that_is_not_the_locks_does_not_fit(store: Store):
    put(store, record_for("linux-64", replace(PURE, filename="delta-1.0-py2-none-any.whl")))
    assert look(store, "osx-arm64") is None


def test_a_record_whose_wheel_is_gone_is_an_error_that_names_both(store: Store):
    put(store, record_for("linux-64"))
    wheel = keys.object_key(PURE.sha256, "whl")
    store.delete(wheel)
    with pytest.raises(FatalError, match=f"{key('linux-64')} names the wheel `{wheel}`, which is not in") as caught:
        look(store, "linux-64")
    assert "remove the record" in caught.value.hint
    store.delete(key("linux-64"))
    assert look(store, "linux-64") is None


@pytest.mark.parametrize("data", [b"x" * len(WHEEL), b"short"])
def test_a_record_whose_wheel_has_other_bytes_is_an_error_that_names_it(store: Store, data: bytes):
    put(store, record_for("linux-64"))
    path = store.local_path(keys.object_key(PURE.sha256, "whl"))
    assert path is not None
    path.chmod(0o644)
    path.write_bytes(data)
    with pytest.raises(FatalError, match=PURE.sha256):
        look(store, "linux-64")


@pytest.mark.parametrize(
    "change", [{"version": "9.9"}, {"sha256": "b" * 64}, {"platform": "osx-64"}, {"python": "3.12"}]
)
def test_a_record_of_something_else_is_an_error(store: Store, change: dict[str, str]):
    other = replace(record_for("linux-64"), **change)  # type: ignore[arg-type]  # all of them text
    store.swap(key("linux-64"), other.to_bytes(), None)
    with pytest.raises(FatalError, match=r"and not of delta 1\.0") as caught:
        look(store, "linux-64")
    assert "remove it" in caught.value.hint


def test_a_record_that_is_none_is_an_error_that_names_it(store: Store):
    store.swap(key("linux-64"), b"{}", None)
    with pytest.raises(FatalError, match=f"{key('linux-64')}: not a record"):
        look(store, "linux-64")


def test_a_record_that_goes_away_while_one_is_put_is_told(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(type(store), "swap", lambda *_: False)
    with pytest.raises(FatalError, match="was removed while it was made"):
        put(store, record_for("linux-64"))
