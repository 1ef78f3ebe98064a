from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from envtag.prefix.integrity import damaged
from support.wheels import make_wheel


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    return tmp_path / "prefix"


@pytest.fixture
def site(prefix: Path) -> Path:
    return prefix / "lib" / "python3.11" / "site-packages"


def unpack(wheel: Path, site: Path, prefix: Path) -> None:
    """Install a wheel by the book: `.data` apart, `RECORD` rewritten."""
    places = {"purelib": site, "platlib": site, "data": prefix, "scripts": prefix / "bin"}
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            top, _, rest = name.partition("/")
            kind, _, inner = rest.partition("/")
            path = places[kind] / inner if top.endswith(".data") else site / name
            path.parent.mkdir(parents=True, exist_ok=True)
            data = archive.read(name)
            if data.startswith(b"#!python"):
                data = data.replace(b"#!python", b"#!/prefix/bin/python")
            path.write_bytes(b"rewritten" if name.endswith("RECORD") else data)


@pytest.fixture
def wheel(tmp_path: Path, site: Path, prefix: Path) -> Path:
    made = make_wheel(
        tmp_path,
        "omicron",
        "1.0",
        files={
            "omicron-1.0.data/purelib/pure.py": "pure",
            "omicron-1.0.data/data/share/omicron.txt": "data",
            "omicron-1.0.data/scripts/tool": b"\x7fELF",
            "omicron-1.0.data/scripts/script": "#!python\nprint()\n",
        },
    )
    unpack(made, site, prefix)
    return made


def test_what_was_installed_by_the_book_is_intact(wheel: Path, site: Path, prefix: Path):
    assert (prefix / "bin" / "script").read_bytes().startswith(b"#!/prefix")
    assert damaged({"omicron": wheel}, site, prefix) == []


@pytest.mark.parametrize(
    "path",
    [
        "lib/python3.11/site-packages/omicron.py",
        "lib/python3.11/site-packages/pure.py",
        "share/omicron.txt",
        "bin/tool",
    ],
)
@pytest.mark.parametrize("how", ["same length", "other length", "gone", "in the way"])
def test_a_file_that_differs_is_found(wheel: Path, site: Path, prefix: Path, path, how):
    target = prefix / path
    data = target.read_bytes()
    if how == "same length":
        target.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    elif how == "other length":
        target.write_bytes(data + b"x")
    else:
        target.unlink()
    if how == "in the way":
        target.mkdir()
    assert damaged({"omicron": wheel}, site, prefix) == ["omicron"]


def test_a_file_of_two_wheels_is_right_as_either_and_wrong_as_neither(
    wheel: Path, tmp_path: Path, site: Path, prefix: Path
):
    other = make_wheel(tmp_path, "rho", "1.0", files={"omicron.py": "of rho\n"})
    unpack(other, site, prefix)
    both = {"omicron": wheel, "rho": other}
    assert (site / "omicron.py").read_text() == "of rho\n"
    assert damaged(both, site, prefix) == []
    (site / "omicron.py").write_text("of none")
    assert damaged(both, site, prefix) == ["omicron", "rho"]
