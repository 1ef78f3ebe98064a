"""Whether what lies in a prefix is what its wheels hold, file by file."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from zipfile import ZipFile, ZipInfo

from envtag.prefix import layout

_BLOCK = 1 << 20
_REWRITTEN = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"})


def damaged(wheels: Mapping[str, Path], site: Path, prefix: Path) -> list[str]:
    """The packages with an installed file that is missing or is not the one in the (verified) wheel.

    Compared are length and CRC-32, which the wheel's directory states: they find what was edited through a hard
    link or half written. A file that several wheels bring is right if it is that of one of them. Left out is what
    installing rewrites: `RECORD` and its like, scripts that start with `#!python`, and headers.

    Args:
        wheels: Package name to wheel.
        site: The prefix's site-packages.
        prefix: The prefix.
    """
    claims: dict[Path, list[tuple[str, ZipInfo]]] = {}
    for name, wheel in wheels.items():
        with ZipFile(wheel) as archive:
            for path, member in _installed(archive, site, prefix):
                claims.setdefault(path, []).append((name, member))
    bad = {name for path, claimed in claims.items() if not _is_one_of(path, claimed) for name, _ in claimed}
    return sorted(bad)


def _installed(archive: ZipFile, site: Path, prefix: Path) -> Iterator[tuple[Path, ZipInfo]]:
    for member in archive.infolist():
        parts = PurePosixPath(member.filename).parts
        if member.is_dir() or (parts[0].endswith(".dist-info") and parts[-1] in _REWRITTEN):
            continue
        if not parts[0].endswith(".data"):
            yield site.joinpath(*parts), member
            continue
        kind, rest = parts[1], parts[2:]
        if kind in ("purelib", "platlib"):
            yield site.joinpath(*rest), member
        elif kind == "data":
            yield prefix.joinpath(*rest), member
        elif kind == "scripts" and not _is_python_script(archive, member):
            yield layout.scripts(prefix).joinpath(*rest), member


def _is_python_script(archive: ZipFile, member: ZipInfo) -> bool:
    with archive.open(member) as stream:
        return stream.read(8) == b"#!python"


def _is_one_of(path: Path, claimed: list[tuple[str, ZipInfo]]) -> bool:
    try:
        size = path.stat().st_size
        if all(member.file_size != size for _, member in claimed):
            return False
        found = _crc32(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return any((member.file_size, member.CRC) == (size, found) for _, member in claimed)


def _crc32(path: Path) -> int:
    value = 0
    with path.open("rb", buffering=0) as stream:
        while block := stream.read(_BLOCK):
            value = zlib.crc32(block, value)
    return value
