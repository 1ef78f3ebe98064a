from __future__ import annotations

import pytest

from envtag.errors import FatalError
from envtag.merging.model import Versions


def test_three_files_are_read_and_ours_is_written(tmp_path):
    files = [tmp_path / name for name in ("base", "ours", "theirs")]
    for file in files:
        file.write_text(file.name)
    versions = Versions(base=files[0], ours=files[1], theirs=files[2], marker=7, path="x")
    assert versions.read() == (b"base", b"ours", b"theirs")
    versions.write(b"merged")
    assert [file.read_text() for file in files] == ["base", "merged", "theirs"]
    assert sorted(tmp_path.iterdir()) == sorted(files)


def test_a_version_that_is_not_there_is_named(tmp_path):
    gone = tmp_path / "gone"
    with pytest.raises(FatalError, match="gone` cannot be read"):
        Versions(base=gone, ours=gone, theirs=gone, marker=7, path="x").read()
