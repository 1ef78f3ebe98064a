from __future__ import annotations

import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest
from packaging.version import Version

from envtag.advisories import read_advisories
from envtag.errors import FatalError


def advisory(number: int, name: str, fixed: str, introduced: str = "0") -> dict[str, object]:
    events = [{"introduced": introduced}, {"fixed": fixed}]
    affected = {"package": {"ecosystem": "PyPI", "name": name}, "ranges": [{"type": "ECOSYSTEM", "events": events}]}
    return {"id": f"X-{number}", "affected": [affected]}


TWO = {"a/X-1.json": advisory(1, "alpha", "2.0"), "b/X-2.json": advisory(2, "alpha", "3.0", "2.0"), "README": None}


def write(place: Path, kind: str) -> Path:
    texts = {name: json.dumps(item).encode() for name, item in TWO.items()}
    if kind == "directory":
        for name, data in texts.items():
            (place / "osv" / name).parent.mkdir(parents=True, exist_ok=True)
            (place / "osv" / name).write_bytes(data)
        return place / "osv"
    path = place / f"osv.{kind}"
    if kind == "json":
        path.write_text(json.dumps([item for item in TWO.values() if item]))
    elif kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in texts.items():
                archive.writestr(name, data)
    else:
        with tarfile.open(path, f"w:{kind.rpartition('.')[2]}" if kind != "tar" else "w") as archive:
            for name, data in texts.items():
                member = tarfile.TarInfo(name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    return path


@pytest.mark.parametrize("kind", ["directory", "json", "zip", "tar", "tar.gz"])
def test_advisories_are_read_from_where_people_have_them(tmp_path: Path, kind: str):
    found = read_advisories(write(tmp_path, kind))
    assert found.count == 2
    assert [item.id for item in found.of("alpha", Version("1.0"))] == ["X-1"]
    assert found.of("alpha", Version("3.0")) == ()
    assert found.of("other", Version("1")) == ()


def test_the_nearest_fix_is_one_that_no_other_advisory_is_about(tmp_path: Path):
    found = read_advisories(write(tmp_path, "json"))
    assert found.nearest_fix("alpha", Version("1.0")) == Version("3.0")
    assert found.nearest_fix("alpha", Version("4.0")) is None


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("x.json", b"{", "not JSON"),
        ("x.json", b"[" * 100_000, "not JSON"),
        ("x.json", b"[]", "holds no advisories"),
        ("x.json", b'{"no": 1}', "not an advisory in the OSV format"),
        ("x.zip", b"no zip", "cannot be read"),
        ("x.tar.gz", b"no tar", "cannot be read"),
        ("x.tar.zst", b"no zstd", "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, name: str, data: bytes, words: str):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(FatalError, match=words):
        read_advisories(path)


def test_a_place_without_advisories_is_told(tmp_path: Path):
    with pytest.raises(FatalError, match="holds no advisories"):
        read_advisories(tmp_path)
    with pytest.raises(FatalError, match="cannot be read"):
        read_advisories(tmp_path / "none.json")


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("envtag.advisories.reading._LARGEST", 10)
    for kind in ("zip", "tar", "directory"):
        with pytest.raises(FatalError, match="too many"):
            read_advisories(write(tmp_path, kind))


@pytest.mark.shared_data
def test_real_advisories_are_read():
    data = Path(__file__).parents[3] / "shared/data/pypa-advisories-2024-10.tar.zst"
    if not data.is_file():
        pytest.skip("the advisories do not lie beside the checkout")
    found = read_advisories(data)
    assert found.count == 2661
    assert "PYSEC-2023-74" in {item.id for item in found.of("requests", Version("2.28.0"))}
    assert found.nearest_fix("requests", Version("2.28.0")) == Version("2.31.0")
