from __future__ import annotations

import json
from pathlib import Path

import pytest

from envtag.prefix import naming
from envtag.prefix.naming import namings, rewritten
from envtag.util.canonical import sha256_hex
from support.conda_package import PLACEHOLDER

PREFIX = Path("/home/me/env")
NAME = str(PREFIX).encode()
HOLDER = PLACEHOLDER.encode()


def record(path: str, original: bytes, data: bytes, mode: str) -> bytes:
    """What conda's installers write of a package with one file that names its prefix."""
    entry = {
        "_path": path,
        "path_type": "hardlink",
        "sha256": sha256_hex(original),
        "sha256_in_prefix": sha256_hex(data),
        "size_in_bytes": len(data),
        "file_mode": mode,
        "prefix_placeholder": PLACEHOLDER,
    }
    return json.dumps({"paths_data": {"paths": [entry]}}, indent=2).encode()


def padded(text: bytes, length: int) -> bytes:
    return text.ljust(length, b"\0")


def test_text_is_replaced_wherever_it_is():
    assert rewritten(b"a=/old/x\nb=/old", b"/old", b"/newer", "text") == b"a=/newer/x\nb=/newer"


@pytest.mark.parametrize("new", [b"/n", b"/new", b"/newer"])
def test_a_binary_keeps_its_length_and_everything_else_its_place(new: bytes):
    data = b"\x7fELF\0" + padded(b"/old/lib:/old/lib64", 60) + b"tail\0" + padded(b"/old", 30) + b"end"
    wanted = b"\x7fELF\0" + padded(new + b"/lib:" + new + b"/lib64", 60) + b"tail\0" + padded(new, 30) + b"end"
    assert rewritten(data, b"/old", new, "binary") == wanted
    assert rewritten(wanted, new, b"/old", "binary") == data


def test_a_file_is_understood_where_the_placeholder_in_it_gives_the_packages_own_bytes():
    original = b"prefix=" + HOLDER + b"/share"
    data = original.replace(HOLDER, NAME)
    told = record("share/a.txt", original, data, "text")
    found = namings(PREFIX, {"share/a.txt": data, "conda-meta/a-1-0.json": told})
    assert found is not None
    assert dict(found.kinds) == {"share/a.txt": "text", "conda-meta/a-1-0.json": "record"}
    assert found.room == len(PLACEHOLDER)
    assert namings(PREFIX, {"share/a.txt": data + b"!", "conda-meta/a-1-0.json": told}) is None


def test_a_file_that_holds_the_name_by_chance_as_well_is_not_understood():
    original = b"prefix=" + HOLDER + b"\nand=" + NAME
    data = original.replace(HOLDER, NAME)
    told = record("share/a.txt", original, data, "text")
    assert namings(PREFIX, {"share/a.txt": data, "conda-meta/a-1-0.json": told}) is None


def test_a_script_that_no_record_tells_of_is_not_understood():
    script = b"#!" + NAME + b"/bin/python\nimport x\n"
    assert namings(PREFIX, {"bin/x": script}) is None
    told = naming.changes(script, script)[1].before
    found = namings(PREFIX, {"bin/x": script, "lib/x-1.dist-info/RECORD": b"../bin/x" + told + b"\n"})
    assert found is not None
    assert dict(found.kinds) == {"bin/x": "text", "lib/x-1.dist-info/RECORD": "record"}


@pytest.mark.parametrize("text", ["echo {0}", "#!/bin/sh\nexec {0}/bin/python", "#!{0}/bin/python\n# {0}"])
def test_what_names_the_prefix_elsewhere_than_in_its_first_line_is_not_understood(text: str):
    assert namings(PREFIX, {"bin/x": text.format(PREFIX).encode()}) is None


def test_two_files_of_the_same_bytes_are_both_told_of():
    script = b"#!" + NAME + b"/bin/python\n"
    told = naming.changes(script, script)[1].before
    lines = b"../bin/x" + told + b"\n../bin/y" + told + b"\n"
    found = namings(PREFIX, {"bin/x": script, "bin/y": script, "lib/x-1.dist-info/RECORD": lines})
    assert found is not None
    assert len(found.kinds) == 3


def test_what_does_not_name_it_is_the_same_everywhere():
    assert namings(PREFIX, {"a": b"b", "conda-meta/a-1-0.json": b"{}"}) == naming.Naming(kinds={}, room=1000)


def test_only_a_path_without_blanks_that_is_short_enough_fits():
    assert naming.fits(b"/a/b", 255)
    assert not naming.fits(b"/a b", 255)
    assert not naming.fits(b"/" + b"a" * 255, 255)


def test_a_first_line_that_some_kernel_would_cut_is_not_run():
    assert naming.runs(b"#!/bin/sh\n" + b"x" * 500)
    assert not naming.runs(b"#!/" + b"a" * 120 + b"\n")
    assert naming.runs(b"\x7fELF" + b"a" * 500)
