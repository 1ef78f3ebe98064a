from __future__ import annotations

import json
from pathlib import Path

import pytest

from envtag.prefix import marker
from envtag.prefix.marker import Marker

MADE = Marker(lock="a" * 40, request="b" * 40, platform="linux-64", interpreter="uv", python="3.11.7")


def test_what_is_written_is_read(tmp_path: Path):
    marker.write(tmp_path, MADE)
    assert marker.read(tmp_path) == MADE
    assert marker.is_whole(tmp_path, MADE.lock)
    assert not marker.is_whole(tmp_path, "c" * 40)


def test_a_prefix_without_a_marker_is_not_whole(tmp_path: Path):
    assert marker.read(tmp_path) is None
    assert marker.read(tmp_path / "nothing") is None
    (tmp_path / "file").write_bytes(b"")
    assert not marker.is_whole(tmp_path / "file", MADE.lock)


@pytest.mark.parametrize("change", [{"version": 2}, {"version": None}, {"more": 1}, {"lock": None}])
def test_a_marker_of_another_format_is_none(tmp_path: Path, change):
    marker.write(tmp_path, MADE)
    path = tmp_path / marker.MARKER
    document = {**json.loads(path.read_bytes()), **change}
    path.write_text(json.dumps({key: value for key, value in document.items() if value is not None}))
    assert marker.read(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '"text"'])
def test_a_damaged_marker_is_none(tmp_path: Path, text):
    marker.write(tmp_path, MADE)
    (tmp_path / marker.MARKER).write_text(text)
    assert marker.read(tmp_path) is None
