from __future__ import annotations

import hashlib
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.manifest import Manifest
from envtag.output import Output
from envtag.pack.contents import METADATA
from envtag.pack.reading import HEADER_MARK, HEADER_SIZE, open_pack
from envtag.pack.writing import Executable
from envtag.util.canonical import sha256_file
from support.packages import make_lock
from support.packs import ALIAS, Sample, contents_of, rewrite, sample

Change = Callable[[dict[str, bytes]], None]
TOOL = "channel/linux-64/tool-1.0-h123_0.tar.bz2"
WHEEL = "pypi/small_thing-1.0-py3-none-any.whl"


@pytest.fixture
def found(tmp_path: Path) -> Sample:
    return sample(tmp_path / "archives", "linux-64")


@pytest.fixture
def file(tmp_path: Path, found: Sample) -> Path:
    found.pack(tmp_path / "x.tar")
    return tmp_path / "x.tar"


def told(file: Path) -> str:
    with pytest.raises(FatalError) as error:
        open_pack(file).verify(Output())
    assert str(file) in error.value.message
    assert "\n" not in error.value.message
    return error.value.message


def flipped(name: str) -> Change:
    def change(content: dict[str, bytes]) -> None:
        data = bytearray(content[name])
        data[-1] ^= 1
        content[name] = bytes(data)

    return change


def test_what_was_packed_is_read(file: Path, found: Sample):
    pack = open_pack(file)
    assert (pack.alias, pack.manifest) == (ALIAS, found.manifest)
    pack.verify(Output())
    assert b"".join(bytes(block) for block in pack.blocks(TOOL)) == contents_of(file)[TOOL]


def test_a_self_extracting_file_is_read_as_well(tmp_path: Path, found: Sample):
    tool = tmp_path / "tool.zip"
    tool.write_bytes(b"zip")
    header = HEADER_MARK + b"#" * (HEADER_SIZE - len(HEADER_MARK))
    found.pack(tmp_path / "x.sh", Executable(header=header, files={"runtime/tool.zip": tool}))
    pack = open_pack(tmp_path / "x.sh")
    pack.verify(Output())
    assert pack.manifest == found.manifest


@pytest.mark.parametrize("name", [TOOL, WHEEL, "environment.yml", "channel/noarch/repodata.json"])
def test_an_edited_member_is_named(file: Path, name: str):
    rewrite(file, flipped(name))
    assert f"`{name}` has other bytes" in told(file)


def test_a_bit_that_flipped_in_place_is_noticed(file: Path):
    data = bytearray(file.read_bytes())
    data[open_pack(file).members[WHEEL].offset + 10] ^= 1
    file.write_bytes(data)
    assert f"`{WHEEL}` has other bytes" in told(file)


def test_members_are_copied_while_they_are_hashed(file: Path, tmp_path: Path):
    copies = {TOOL: tmp_path / "kept" / "ab" / "tool.tar.bz2", WHEEL: tmp_path / "kept" / "small.whl"}
    assert open_pack(file).verify(Output(), copies) == copies
    for name, path in copies.items():
        assert path.read_bytes() == contents_of(file)[name]
        assert path.stat().st_mode & 0o777 == 0o644
    assert sorted(path.name for path in (tmp_path / "kept").rglob("*")) == ["ab", "small.whl", "tool.tar.bz2"]


def test_a_member_that_is_wrong_is_not_copied(file: Path, tmp_path: Path):
    rewrite(file, flipped(TOOL))
    with pytest.raises(FatalError, match=f"`{TOOL}` has other bytes"):
        open_pack(file).verify(Output(), {TOOL: tmp_path / "kept" / "tool.tar.bz2"})
    assert list((tmp_path / "kept").iterdir()) == []


def test_a_copy_that_cannot_be_written_is_left_out_and_the_member_hashed(file: Path, tmp_path: Path):
    (tmp_path / "kept").write_text("no directory")
    copies = {TOOL: tmp_path / "kept" / "tool.tar.bz2", WHEEL: tmp_path / "small.whl"}
    assert open_pack(file).verify(Output(), copies) == {WHEEL: tmp_path / "small.whl"}
    rewrite(file, flipped(TOOL))
    with pytest.raises(FatalError, match=f"`{TOOL}` has other bytes"):
        open_pack(file).verify(Output(), copies)


@pytest.mark.parametrize("name", [TOOL, WHEEL, "environment.yml", "pixi-pack.json"])
def test_a_member_that_is_missing_is_named(file: Path, name: str):
    rewrite(file, lambda content: content.pop(name) and None)
    assert name in told(file)


@pytest.mark.parametrize("name", ["extra", "channel/linux-64/extra-1.0-0.conda", "runtime/extra.whl"])
def test_a_member_that_nobody_named_is_refused(file: Path, name: str):
    rewrite(file, lambda content: content.update({name: b"x"}))
    assert f"holds `{name}`" in told(file)


def test_a_member_of_another_size_is_refused_before_anything_is_read(file: Path):
    rewrite(file, lambda content: content.update({TOOL: b"x" * 3}))
    with pytest.raises(FatalError, match=r"has 3 bytes, and tool 1\.0 h123_0 has"):
        open_pack(file)


def test_a_page_that_vouches_for_more_than_it_may_is_refused(file: Path):
    def change(content: dict[str, bytes]) -> None:
        page = json.loads(content[METADATA])
        page["files"]["bin/evil"] = hashlib.sha256(b"x").hexdigest()
        content[METADATA] = json.dumps(page).encode()
        content["bin/evil"] = b"x"

    rewrite(file, change)
    assert "holds `bin/evil`" in told(file)


def test_a_page_that_does_not_vouch_for_what_it_must_is_refused(file: Path):
    def change(content: dict[str, bytes]) -> None:
        page = json.loads(content[METADATA])
        del page["files"]["environment.yml"]
        content[METADATA] = json.dumps(page).encode()

    rewrite(file, change)
    assert "`environment.yml`" in told(file)


def test_pages_that_name_different_platforms_are_refused(file: Path):
    def change(content: dict[str, bytes]) -> None:
        page = json.loads(content[METADATA])
        content["pixi-pack.json"] = b'{"version": "1", "platform": "win-64"}'
        page["files"]["pixi-pack.json"] = hashlib.sha256(content["pixi-pack.json"]).hexdigest()
        content[METADATA] = json.dumps(page).encode()

    rewrite(file, change)
    assert "its pages name different platforms" in told(file)
    rewrite(file, lambda content: content.update({"pixi-pack.json": b"{}"}))
    assert "`pixi-pack.json` was edited" in told(file)


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_off_is_refused(file: Path, part: float):
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * part)])
    assert "is cut off" in told(file) or part == 0


def test_what_pixi_pack_made_is_refused_with_a_way_out(file: Path):
    rewrite(file, lambda content: content.pop(METADATA) and None)
    with pytest.raises(FatalError, match="was packed by pixi-pack") as error:
        open_pack(file)
    assert "`pixi-unpack`" in error.value.hint


@pytest.mark.parametrize("content", [b"", b"text", b"\x1f\x8b\x08\x00" + bytes(1000)])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: bytes):
    (tmp_path / "x.tar").write_bytes(content)
    assert "is not a tar file" in told(tmp_path / "x.tar")


def test_a_tar_of_something_else_is_refused(file: Path):
    rewrite(file, lambda content: [content.pop(name) for name in list(content) if name != TOOL] and None)
    assert "is not a packed environment" in told(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    assert "No such file" in told(tmp_path / "absent.tar")


def test_a_page_of_an_absurd_size_is_not_read(file: Path, monkeypatch):
    monkeypatch.setattr("envtag.pack.reading._LARGEST_PAGE", 100)
    assert "which is too many" in told(file)


def test_the_digest_of_the_file_or_of_its_manifest_is_expected(file: Path, found: Sample):
    pack = open_pack(file)
    pack.expect(f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}")
    pack.expect(f"sha256:{found.manifest.digest}")
    with pytest.raises(FatalError, match=f"is not sha256:{'0' * 64}"):
        pack.expect(f"sha256:{'0' * 64}")
    with pytest.raises(FatalError, match="`abc` is not a digest"):
        pack.expect("abc")


def test_memory_stays_flat_whatever_the_size(tmp_path: Path, found: Sample):
    big = tmp_path / "big-1.0-py3-none-any.whl"
    with big.open("wb") as stream:
        stream.truncate(64 << 20)
    package = found.manifest.archives()[-1]._replace(url=big.as_uri(), sha256=sha256_file(big), size=64 << 20)
    manifest = Manifest(lock=make_lock([package], python="", platform="linux-64"))
    tracemalloc.start()
    try:
        Sample(manifest=manifest, archives={package.sha256: big}).pack(tmp_path / "big.tar")
        open_pack(tmp_path / "big.tar").verify(Output())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20
