from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.pack.tar import TarWriter, members, read

LONG = "channel/noarch/" + "long-name-" * 20 + "1.0-0.conda"


def written(content: dict[str, bytes], prefix: bytes = b"") -> io.BytesIO:
    stream = io.BytesIO()
    tar = TarWriter(stream, lambda _: None, prefix)
    for name, data in content.items():
        tar.add_bytes(name, data)
    tar.finish()
    assert tar.size == len(stream.getvalue())
    return stream


def made(*entries: tarfile.TarInfo, data: bytes = b"") -> io.BytesIO:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for entry in entries:
            tar.addfile(entry, io.BytesIO(data))
    return stream


def entry(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0, target: str = "") -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.size, found.linkname = kind, size, target
    return found


def told(stream: io.BytesIO) -> str:
    with pytest.raises(FatalError) as error:
        members(stream, "`x.tar`")
    assert error.value.message.startswith("`x.tar`")
    assert "\n" not in error.value.message
    return error.value.message


def test_what_is_written_is_read_by_us_and_by_the_standard_library():
    content = {"a": b"", "b/c": b"x" * 512, LONG: b"y" * 1000}
    stream = written(content)
    assert {name: read(stream, member) for name, member in members(stream, "x").items()} == content
    stream.seek(0)
    with tarfile.open(fileobj=stream) as tar:
        assert {item.name: item.size for item in tar} == {name: len(data) for name, data in content.items()}


def test_gnu_tar_lists_it_without_a_warning(tmp_path: Path):
    (tmp_path / "x.tar").write_bytes(written({"a": b"1", LONG: b"2"}).getvalue())
    done = subprocess.run(["tar", "-tf", tmp_path / "x.tar"], capture_output=True, text=True, check=True)
    assert (done.stdout.splitlines(), done.stderr) == (["a", LONG], "")
    subprocess.run(["tar", "-xf", tmp_path / "x.tar", "-C", tmp_path], check=True)
    assert (tmp_path / LONG).read_bytes() == b"2"


def test_a_tar_may_begin_later_in_the_file():
    stream = written({"a": b"1"}, b"#" * 700)
    found = members(stream, "x", 700)
    assert read(stream, found["a"]) == b"1"
    assert (len(stream.getvalue()) - 700) % 10240 == 0


def test_what_other_programs_write_is_read():
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for item in (entry("channel", tarfile.DIRTYPE), entry("channel/x", size=3), entry(LONG, size=3)):
            tar.addfile(item, io.BytesIO(b"abc"))
    assert list(members(stream, "x")) == ["channel/x", LONG]


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (made(entry("a", tarfile.SYMTYPE, target="/etc/passwd")), "`a` is not a plain file"),
        (made(entry("a", tarfile.LNKTYPE, target="b")), "`a` is not a plain file"),
        (made(entry("a", tarfile.FIFOTYPE)), "`a` is not a plain file"),
        (made(entry("a", tarfile.CHRTYPE)), "`a` is not a plain file"),
        (made(entry("a", tarfile.GNUTYPE_SPARSE)), "`a` is not a plain file"),
        (made(entry("/etc/passwd")), "no name for a member"),
        (made(entry("../up")), "no name for a member"),
        (made(entry("a/../../up")), "no name for a member"),
        (made(entry("a//b")), "no name for a member"),
        (made(entry("./a")), "no name for a member"),
        (made(entry("c:/a")), "no name for a member"),
        (made(entry("a\\b")), "no name for a member"),
        (made(entry("a\nb")), "no name for a member"),
        (made(entry("x" * 200 + "/../../up")), "no name for a member"),
        (made(entry("a"), entry("a")), "`a` is in it twice"),
        (io.BytesIO(), "is not a tar file"),
        (io.BytesIO(b"no tar at all" * 100), "is not a tar file"),
        (io.BytesIO(b"\x1f\x8b" + bytes(600)), "is not a tar file"),
    ],
)
def test_a_hostile_or_foreign_file_is_refused(stream: io.BytesIO, message: str):
    assert message in told(stream)


@pytest.mark.parametrize("size", [100, 511, 512, 700, 1024, 1100, 1536])
def test_a_file_that_was_cut_off_is_refused_wherever_that_was(size: int):
    stream = io.BytesIO(written({"a": b"1" * 512}).getvalue()[:size])
    assert "is cut off" in told(stream) or size < 512


def test_a_damaged_header_is_refused():
    data = bytearray(written({"a": b"1", "b": b"2"}).getvalue())
    data[1024] ^= 1
    assert "is damaged at byte 1024" in told(io.BytesIO(data))


def test_bytes_after_the_end_are_refused():
    data = written({"a": b"1"}).getvalue()
    assert "after its end" in told(io.BytesIO(data + b"more"))
    assert "after its end" in told(io.BytesIO(data + bytes(100_000)))


def test_a_header_that_claims_gigabytes_reads_none_of_them():
    huge = entry("a", size=1 << 40).tobuf(tarfile.GNU_FORMAT)
    assert "is cut off" in told(io.BytesIO(huge + bytes(2048)))
    pax = entry("x", tarfile.XHDTYPE, size=1 << 20).tobuf(tarfile.GNU_FORMAT)
    assert "which no name needs" in told(io.BytesIO(pax + bytes(1 << 20) + bytes(2048)))


@pytest.mark.parametrize(
    "pax",
    [b"11 size=10\n", b"22 GNU.sparse.major=1\n", b"0 path=x\n", b"x path=x\n", b"99 path=x\n", b"9 path=xx"],
)
def test_pax_headers_that_say_more_than_a_name_are_refused(pax: bytes):
    head = entry("x", tarfile.XHDTYPE, size=len(pax)).tobuf()
    block = pax + bytes(512 - len(pax))
    assert "is damaged" in told(io.BytesIO(head + block + entry("a").tobuf() + bytes(1024)))


def test_a_file_that_shrinks_while_it_is_packed_is_noticed(tmp_path: Path, monkeypatch):
    path = tmp_path / "x"
    path.write_bytes(b"x" * 100)
    tar = TarWriter(io.BytesIO(), lambda _: None)
    header: Callable[[str, int], None] = tar._header
    monkeypatch.setattr(tar, "_header", lambda name, size: header(name, size + 1))
    real = Path.open

    def shrinking(self: Path, *words, **options):
        stream = real(self, *words, **options)
        return Longer(stream)

    monkeypatch.setattr(Path, "open", shrinking)
    with pytest.raises(FatalError, match="changed while it was packed"):
        tar.add_file("x", path)


class Longer:
    """A file that says that it is one byte longer than it is."""

    def __init__(self, stream):
        self.stream = stream

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.close()

    def seek(self, *words):
        return self.stream.seek(*words) + 1

    def readinto(self, view):
        return self.stream.readinto(view)
