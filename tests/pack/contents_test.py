from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from envtag.errors import FatalError
from envtag.manifest import Manifest
from envtag.pack import contents
from envtag.pack.contents import Contents
from support.packs import ALIAS, sample

HASH = "a" * 64


@pytest.fixture
def page(tmp_path: Path) -> Contents:
    return Contents(alias=ALIAS, manifest=sample(tmp_path, "linux-64").manifest, files={"environment.yml": HASH})


def edited(page: Contents, **changes: Any) -> bytes:
    return json.dumps({**json.loads(page.to_bytes()), **changes}).encode()


def test_what_is_written_is_read(page: Contents):
    assert contents.parse(page.to_bytes(), "x") == page


def test_members_are_the_archives_in_pixi_packs_layout(page: Contents):
    assert list(page.archives) == [
        "channel/linux-64/tool-1.0-h123_0.tar.bz2",
        "channel/noarch/datum-1.0-h123_0.tar.bz2",
        "pypi/small_thing-1.0-py3-none-any.whl",
    ]


def test_the_environment_file_pins_everything_exactly(page: Contents):
    assert contents.environment_yml(ALIAS, page.manifest).decode() == (
        "name: mlp-small-v1\nchannels:\n- './channel'\n- nodefaults\ndependencies:\n"
        "- datum=1.0=h123_0\n- tool=1.0=h123_0\n"
        "- pip:\n  - '--no-index'\n  - '--find-links ./pypi'\n  - small-thing==1.0\n"
    )


def test_noarch_and_the_platform_are_always_in_the_channel(page: Contents):
    bare = Manifest(lock=page.manifest.lock._replace(packages=()))
    assert contents.subdirs(bare) == ("linux-64", "noarch")
    assert contents.environment_yml(ALIAS, bare).decode().endswith("dependencies: []\n")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 2}, "not a packed file of version 1"),
        ({"version": None}, "not a packed file of version 1"),
        ({"lock": "0" * 40}, "contradicts itself"),
        ({"request": "0" * 40}, "contradicts itself"),
        ({"platform": "win-64"}, "contradicts itself"),
        ({"manifest_sha256": HASH}, "contradicts itself"),
        ({"alias": 3}, "without proper hashes"),
        ({"files": {"environment.yml": "short"}}, "without proper hashes"),
        ({"files": {"environment.yml": 3}}, "without a proper"),
        ({"files": []}, "without a proper"),
        ({"manifest": {"version": 1}}, "without a proper"),
        ({"manifest": 1.5}, "without a proper"),
    ],
)
def test_an_edited_page_is_refused(page: Contents, changes: dict[str, Any], message: str):
    with pytest.raises(FatalError) as told:
        contents.parse(edited(page, **changes), "`x.tar`")
    assert message in told.value.message
    assert "x.tar" in told.value.message


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_what_is_no_json_object_is_refused(data: bytes):
    with pytest.raises(FatalError, match="JSON"):
        contents.parse(data, "x")


def test_a_page_without_a_key_is_refused(page: Contents):
    document = json.loads(page.to_bytes())
    del document["files"]
    with pytest.raises(FatalError, match="without a proper 'files'"):
        contents.parse(json.dumps(document).encode(), "x")


def test_the_metadata_is_what_pixi_pack_reads():
    data = contents.pixi_metadata("osx-arm64")
    assert json.loads(data) == {"version": "1", "platform": "osx-arm64"}
    assert contents.pixi_platform(data, "x") == "osx-arm64"
    with pytest.raises(FatalError, match="not version 1"):
        contents.pixi_platform(b'{"version": "2", "platform": "osx-arm64"}', "x")
    with pytest.raises(FatalError, match="names no platform"):
        contents.pixi_platform(b'{"version": "1"}', "x")


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "https://x.example.org/noarch/..%2Fup.conda"},
        {"url": "https://x.example.org/noarch/.hidden.conda"},
        {"url": "https://x.example.org/noarch/a%0Ab.conda"},
        {"url": "https://x.example.org/noarch/"},
        {"subdir": "../up"},
        {"subdir": ""},
    ],
)
def test_a_package_whose_name_is_no_file_name_is_refused(page: Contents, changes: dict[str, str]):
    odd = page.manifest.lock.packages[0]._replace(**changes)  # type: ignore[arg-type]
    with pytest.raises(FatalError, match="no name of a file"):
        contents.archive_members(Manifest(lock=page.manifest.lock._replace(packages=(odd,))))


def test_two_packages_of_one_file_name_are_refused(page: Contents):
    first = page.manifest.lock.packages[0]
    twin = first._replace(name="twin", sha256=HASH)
    with pytest.raises(FatalError, match="same file name"):
        contents.archive_members(Manifest(lock=page.manifest.lock._replace(packages=(first, twin))))
