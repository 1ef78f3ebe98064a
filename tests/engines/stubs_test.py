from __future__ import annotations

import zipfile
from pathlib import Path

from envtag.engines import Dist
from envtag.engines.stubs import stub_wheel


def test_a_stub_is_a_wheel_of_that_name_and_version_that_needs_nothing(tmp_path: Path):
    path = stub_wheel(Dist(name="scikit-learn", version="1.4.0+cpu", by="x"), tmp_path)
    assert path is not None
    assert path.name == "scikit_learn-1.4.0+cpu-py3-none-any.whl"
    with zipfile.ZipFile(path) as wheel:
        metadata = wheel.read("scikit_learn-1.4.0+cpu.dist-info/METADATA").decode()
    assert "Name: scikit-learn\nVersion: 1.4.0+cpu\n" in metadata
    assert "Requires-Dist" not in metadata


def test_the_same_dist_is_the_same_file_everywhere(tmp_path: Path):
    dist = Dist(name="a", version="1.0", by="x")
    one, two = stub_wheel(dist, tmp_path / "one"), stub_wheel(dist, tmp_path / "two")
    assert one is not None
    assert two is not None
    assert one.read_bytes() == two.read_bytes()
    before = one.stat().st_mtime_ns
    assert stub_wheel(dist, tmp_path / "one") == one
    assert one.stat().st_mtime_ns == before


def test_a_version_that_is_none_has_no_stub(tmp_path: Path):
    assert stub_wheel(Dist(name="pytz", version="2013b_x", by="pytz 2013b 0"), tmp_path) is None
    assert list(tmp_path.iterdir()) == []
