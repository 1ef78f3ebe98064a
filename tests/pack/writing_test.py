from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import resource
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.pack.writing import Executable, new_file, write
from envtag.platforms import current_platform
from support.packs import ALIAS, Sample, contents_of, sample
from support.source import ROOT

GOLDEN = ROOT / "tests" / "golden" / "packs.json"
#: Writes a file through `new_file`, and is killed where it would take its name.
_KILLED = """
import os, signal, sys
from pathlib import Path
from envtag.pack import writing
writing._put_in_place = lambda *words, **options: os.kill(os.getpid(), signal.SIGKILL)
with writing.new_file(Path(sys.argv[1]), force=False) as temporary:
    temporary.write_bytes(b"new")
"""


def packed(found: Sample, place: Path) -> bytes:
    found.pack(place / "x.tar")
    return (place / "x.tar").read_bytes()


@pytest.mark.parametrize("platform", ["linux-64", "osx-arm64", "win-64"])
def test_the_bytes_are_these_on_every_machine(tmp_path: Path, platform: str, *, update_golden: bool):
    golden = json.loads(GOLDEN.read_text("utf-8")) if GOLDEN.exists() else {}
    found = sample(tmp_path, platform).pack(tmp_path / "x.tar").sha256
    if update_golden:
        GOLDEN.write_text(json.dumps({**golden, platform: found}, indent=1, sort_keys=True) + "\n", "utf-8")
    else:
        assert found == golden[platform]


def test_the_bytes_do_not_depend_on_times_modes_places_and_order(tmp_path: Path):
    first, second = sample(tmp_path / "a", "linux-64"), sample(tmp_path / "other" / "b", "linux-64")
    for path in second.archives.values():
        path.chmod(0o700)
        os.utime(path, (1, 1))
    assert first.manifest == second.manifest
    second = replace(second, archives=dict(reversed(second.archives.items())))
    assert packed(first, tmp_path / "a") == packed(second, tmp_path / "other")


def test_the_digest_and_size_are_those_of_the_file(tmp_path: Path):
    written = sample(tmp_path, "linux-64").pack(tmp_path / "x.tar")
    data = (tmp_path / "x.tar").read_bytes()
    assert (written.sha256, written.size, written.packages) == (hashlib.sha256(data).hexdigest(), len(data), 3)


def test_its_own_pages_come_first_and_then_the_archives_as_they_are(tmp_path: Path):
    found = sample(tmp_path, "linux-64")
    found.pack(tmp_path / "x.tar")
    content = contents_of(tmp_path / "x.tar")
    assert list(content) == [
        "envtag-pack.json", "pixi-pack.json", "environment.yml", "channel/linux-64/repodata.json",
        "channel/noarch/repodata.json", "channel/linux-64/tool-1.0-h123_0.tar.bz2",
        "channel/noarch/datum-1.0-h123_0.tar.bz2", "pypi/small_thing-1.0-py3-none-any.whl",
    ]  # fmt: skip
    kept = {hashlib.sha256(data).hexdigest() for data in content.values()}
    assert set(found.archives) <= kept


def test_a_solver_finds_the_pins_in_the_channel_and_installs_them(tmp_path: Path):
    from rattler import (
        BuildString,
        Channel,
        Gateway,
        GenericVirtualPackage,
        MatchSpec,
        PackageName,
        Version,
        install,
        solve,
    )

    sample(tmp_path, current_platform()).pack(tmp_path / "x.tar")
    there = tmp_path / "there"
    there.mkdir()
    subprocess.run(["tar", "-xf", tmp_path / "x.tar", "-C", there], check=True)
    lines = (there / "environment.yml").read_text("utf-8").partition("dependencies:\n")[2].splitlines()
    pins = [line[2:] for line in lines if line.startswith("- ") and not line.endswith(":")]

    async def solved() -> None:
        records = await solve(
            [Channel((there / "channel").as_uri())],
            [MatchSpec(pin, strict=False) for pin in pins],
            gateway=Gateway(cache_dir=tmp_path / "cache"),
            platforms=[current_platform(), "noarch"],
            virtual_packages=[GenericVirtualPackage(PackageName("__unix"), Version("0"), BuildString("0"))],
        )
        assert sorted(record.name.normalized for record in records) == ["datum", "tool"]
        await install(records, tmp_path / "prefix", cache_dir=tmp_path / "packages", show_progress=False)

    asyncio.run(solved())
    assert subprocess.run([tmp_path / "prefix" / "bin" / "tool"], capture_output=True, check=True).stdout == b"tool\n"


def test_uv_finds_the_wheels_without_an_index(tmp_path: Path):
    import uv

    sample(tmp_path, current_platform()).pack(tmp_path / "x.tar")
    subprocess.run(["tar", "-xf", tmp_path / "x.tar", "-C", tmp_path], check=True)
    subprocess.run(
        [uv.find_uv_bin(), "pip", "install", "-q", "--no-config", "--no-index", "--find-links", "./pypi",
         "--target", "there", "--cache-dir", "cache", "small-thing==1.0"],
        cwd=tmp_path, check=True,
    )  # fmt: skip
    assert (tmp_path / "there" / "small_thing.py").is_file()


def test_what_makes_it_extract_itself_is_before_and_in_it(tmp_path: Path):
    tool = tmp_path / "tool.zip"
    tool.write_bytes(b"zip")
    executable = Executable(header=b"#" * 8192, files={"runtime/tool.zip": tool})
    sample(tmp_path, "linux-64").pack(tmp_path / "x.sh", executable)
    assert (tmp_path / "x.sh").read_bytes().startswith(b"#" * 8192 + b"envtag-pack.json\0")
    assert contents_of(tmp_path / "x.sh", 8192)["runtime/tool.zip"] == b"zip"


def test_progress_counts_the_bytes_of_the_archives(tmp_path: Path):
    found = sample(tmp_path, "linux-64")
    counted: list[int] = []
    write(io.BytesIO(), ALIAS, found.manifest, found.archives, progress=counted.append)
    assert sum(counted) == sum(path.stat().st_size for path in found.archives.values())


def test_a_new_file_appears_whole(tmp_path: Path):
    with new_file(tmp_path / "sub" / "x", force=False, mode=0o755) as temporary:
        temporary.write_bytes(b"new")
        assert not (tmp_path / "sub" / "x").exists()
    assert (tmp_path / "sub" / "x").read_bytes() == b"new"
    assert (tmp_path / "sub" / "x").stat().st_mode & 0o777 == 0o755
    assert [path.name for path in (tmp_path / "sub").iterdir()] == ["x"]


def test_the_same_content_may_be_there_already(tmp_path: Path):
    target = tmp_path / "x"
    for _ in range(2):
        with new_file(target, force=False) as temporary:
            temporary.write_bytes(b"new")
    assert target.read_bytes() == b"new"


def test_other_content_is_kept_unless_it_is_forced(tmp_path: Path):
    target = tmp_path / "x"
    target.write_bytes(b"old")
    with pytest.raises(FatalError, match="is there already, with other"), new_file(target, force=False) as temporary:
        temporary.write_bytes(b"new")
    assert target.read_bytes() == b"old"
    with new_file(target, force=True) as temporary:
        temporary.write_bytes(b"new")
    assert target.read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_directory_is_not_written_to(tmp_path: Path):
    with pytest.raises(FatalError, match="is a directory"), new_file(tmp_path, force=True):
        raise AssertionError


def test_a_broken_link_in_the_way_is_kept(tmp_path: Path):
    (tmp_path / "x").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FatalError, match="is there already"), new_file(tmp_path / "x", force=False) as temporary:
        temporary.write_bytes(b"new")
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("taken", [False, True])
def test_a_file_system_without_hard_links_will_do(tmp_path: Path, monkeypatch, *, taken: bool):
    def refused(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", refused)
    if taken:
        (tmp_path / "x").write_bytes(b"new")
    with new_file(tmp_path / "x", force=False) as temporary:
        temporary.write_bytes(b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("x", b"new")]


def test_a_full_disk_leaves_nothing(tmp_path: Path):
    found = sample(tmp_path / "archives", "linux-64")

    def too_much() -> None:
        with new_file(tmp_path / "out" / "x.tar", force=False) as temporary, temporary.open("wb", buffering=0) as out:
            resource.setrlimit(resource.RLIMIT_FSIZE, (6000, limits[1]))
            write(out, ALIAS, found.manifest, found.archives)  # type: ignore[arg-type]  # raw files are like that

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with pytest.raises(FatalError, match="could not be written: File too large"):
            too_much()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert list((tmp_path / "out").iterdir()) == []


def test_one_that_is_killed_leaves_no_file_of_that_name(tmp_path: Path):
    done = subprocess.run([sys.executable, "-c", _KILLED, tmp_path / "x.tar"], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not (tmp_path / "x.tar").exists()
    with new_file(tmp_path / "x.tar", force=False) as temporary:
        temporary.write_bytes(b"new")
    assert (tmp_path / "x.tar").read_bytes() == b"new"
