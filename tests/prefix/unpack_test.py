from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.prefix import unpack
from envtag.prefix.unpack import unpack_tar


def tar_of(path: Path, members: Iterable[tuple[str, bytes | str | None]]) -> Path:
    """A tar archive: bytes make a file, text a symlink to it, None a directory."""
    with tarfile.open(path, "w") as archive:
        for name, content in members:
            entry = tarfile.TarInfo(name)
            if content is None:
                entry.type = tarfile.DIRTYPE
                archive.addfile(entry)
            elif isinstance(content, str):
                entry.type, entry.linkname = tarfile.SYMTYPE, content
                archive.addfile(entry)
            else:
                entry.size, entry.mode = len(content), 0o4755 if name.endswith(".sh") else 0o600
                archive.addfile(entry, io.BytesIO(content))
    return path


def test_files_directories_and_links_come_out(tmp_path: Path):
    members = [("d", None), ("d/run.sh", b"#!"), ("plain/deep/x", b"x"), ("link", "d/run.sh"), ("d/up", "../plain")]
    target = tmp_path / "out"
    unpack_tar(tar_of(tmp_path / "a.tar", members), target, "alpha 1.0")
    assert (target / "link").read_bytes() == b"#!"
    assert (target / "d" / "up" / "deep" / "x").read_bytes() == b"x"
    assert (target / "d" / "run.sh").stat().st_mode & 0o7777 == 0o755
    assert (target / "plain" / "deep" / "x").stat().st_mode & 0o7777 == 0o644


@pytest.mark.parametrize(
    "members",
    [
        [("../x", b"x")],
        [("a/../../x", b"x")],
        [("/x", b"x")],
        [("..", None)],
        [("a\\..\\..\\x", b"x")],
        [("C:/x", b"x")],
        [("link", "/etc/passwd")],
        [("link", "../x")],
        [("a/link", "../../x")],
        [("link", "")],
        [("d", ".."), ("d/x", b"x")],
        [("d", "e"), ("d/x", b"x")],
        [("d", "e"), ("d", b"x")],
        [("a/b/c/d", "../../../t"), ("t", None), ("link", "a/b/c/d/../../../x")],
        [("one", "two"), ("two", "one")],
    ],
)
def test_what_reaches_outside_is_refused(tmp_path: Path, members: list[tuple[str, bytes | str | None]]):
    (tmp_path / "in").mkdir()
    archive = tar_of(tmp_path / "a.tar", members)
    with pytest.raises(FatalError, match=r"the source of alpha 1\.0 has `.*`, which reaches outside of it"):
        unpack_tar(archive, tmp_path / "in" / "out", "alpha 1.0")
    assert not (tmp_path / "in" / "x").exists()
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("kind", [tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_other_kinds_of_members_are_refused(tmp_path: Path, kind: bytes):
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        entry = tarfile.TarInfo("odd")
        entry.type, entry.linkname = kind, "/etc/passwd"
        archive.addfile(entry)
    with pytest.raises(FatalError, match="has `odd`, which is no plain file"):
        unpack_tar(path, tmp_path / "out", "alpha 1.0")


@pytest.mark.parametrize(
    "members", [[("x", b"1"), ("x", b"2")], [("x", b"1"), ("x", "y")], [("d/x", b"1"), ("d", "e")]]
)
def test_what_is_there_twice_is_refused(tmp_path: Path, members: list[tuple[str, bytes | str | None]]):
    with pytest.raises(FatalError, match="twice"):
        unpack_tar(tar_of(tmp_path / "a.tar", members), tmp_path / "out", "alpha 1.0")


def test_what_is_no_tar_archive_is_refused(tmp_path: Path):
    (tmp_path / "a.tar").write_bytes(b"not a tar archive" * 100)
    with pytest.raises(FatalError, match=r"the source of alpha 1\.0 is no tar archive"):
        unpack_tar(tmp_path / "a.tar", tmp_path / "out", "alpha 1.0")


def test_what_is_too_big_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tar_of(tmp_path / "a.tar", [("x", b"12"), ("y", b"34")])
    monkeypatch.setattr(unpack, "_BYTES_LIMIT", 3)
    with pytest.raises(FatalError, match="too big"):
        unpack_tar(path, tmp_path / "out", "alpha 1.0")
