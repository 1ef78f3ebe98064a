"""Advisories from where people have them: a JSON file, a directory of them, or an archive."""

from __future__ import annotations

import json
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from envtag.advisories.osv import Advisory, parse
from envtag.errors import FatalError

if TYPE_CHECKING:
    from packaging.version import Version

_LARGEST = 20_000_000
_MOST = 1_000_000
_TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")


@dataclass(frozen=True, slots=True, kw_only=True)
class Advisories:
    """Advisories on PyPI packages.

    Attributes:
        by_package: Normalized name to what is said of it.
        count: How many documents were read.
    """

    by_package: Mapping[str, tuple[Advisory, ...]] = field(default_factory=dict)
    count: int = 0

    def of(self, package: str, version: Version) -> tuple[Advisory, ...]:
        """The advisories that a version of a package is affected by, in order of their ids."""
        found = (item for item in self.by_package.get(package, ()) if item.affects(version))
        return tuple(sorted(found, key=lambda item: item.id))

    def nearest_fix(self, package: str, version: Version) -> Version | None:
        """The lowest version above one that an advisory calls fixed, and that none is about; None where none is."""
        fixes = {fixed for item in self.by_package.get(package, ()) for fixed in item.fixes()}
        return next((fixed for fixed in sorted(fixes) if fixed > version and not self.of(package, fixed)), None)


def read_advisories(path: Path) -> Advisories:
    """Read advisories.

    Args:
        path: A JSON file with one of them or a list, a directory with JSON files at any depth, a zip archive, or a
            tar archive, compressed or not.

    Raises:
        FatalError: It is not there, holds no advisory, or something in it is malformed; names what.
    """
    found: dict[str, list[Advisory]] = {}
    count = 0
    for where, data in _files(path):
        try:
            document = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise FatalError(f"{where}: not JSON: {str(error)[:200]}") from error
        for item in document if isinstance(document, list) else [document]:
            count += 1
            for advisory in parse(item, where):
                found.setdefault(advisory.package, []).append(advisory)
    if not count:
        raise FatalError(f"`{path}` holds no advisories", "it is to hold JSON files in the OSV format")
    return Advisories(by_package={name: tuple(items) for name, items in found.items()}, count=count)


def _files(path: Path) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each JSON file."""
    try:
        if path.is_dir():
            for file in sorted(path.rglob("*.json")):
                yield str(file), _bounded(str(file), file.stat().st_size, file.read_bytes())
        elif path.name.endswith(_TARS):
            yield from _of_tar(path)
        elif path.suffix == ".zip":
            yield from _of_zip(path)
        else:
            yield str(path), _bounded(str(path), path.stat().st_size, path.read_bytes(), _LARGEST * 10)
    except _damaged() as error:
        raise FatalError(f"the advisories in `{path}` cannot be read: {error}") from error


def _of_zip(path: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        for info in _not_too_many(archive.infolist(), path):
            if info.filename.endswith(".json"):
                where = f"{path}: {info.filename}"
                yield where, _bounded(where, info.file_size, archive.read(info) if info.file_size <= _LARGEST else b"")


def _of_tar(path: Path) -> Iterator[tuple[str, bytes]]:
    with _opened(path) as stream, tarfile.open(fileobj=stream, mode="r|*") as archive:
        for member in _not_too_many(archive, path):
            content = archive.extractfile(member) if member.isfile() and member.name.endswith(".json") else None
            if content is not None:
                where = f"{path}: {member.name}"
                yield where, _bounded(where, member.size, content.read(_LARGEST + 1))


def _opened(path: Path) -> IO[bytes]:
    if not path.name.endswith(".zst"):
        return path.open("rb")
    zstd = _zstd()
    if zstd is None:
        raise FatalError(
            f"`{path}` is compressed with zstd, which this Python cannot read",
            "`pip install backports.zstd`, or unpack it and name the directory",
        )
    return cast("IO[bytes]", zstd.open(path))


def _zstd() -> Any:
    """The module that reads zstd: Python's own of 3.14 and later, or the one that brings it to older ones."""
    from importlib import import_module

    for name in ("compression.zstd", "backports.zstd"):
        with suppress(ImportError):
            return import_module(name)
    return None


def _damaged() -> tuple[type[Exception], ...]:
    """What reading raises for a file that is not what its name says, or that cannot be read."""
    zstd = _zstd()
    plain = (OSError, tarfile.TarError, zipfile.BadZipFile, EOFError)
    return (*plain, zstd.ZstdError) if zstd is not None else plain


def _bounded(where: str, size: int, data: bytes, largest: int = 0) -> bytes:
    largest = largest or _LARGEST
    if size > largest or len(data) > largest:
        raise FatalError(f"{where}: {size} bytes are too many for advisories", f"{largest} are allowed in one file")
    return data


def _not_too_many(items: Iterable[Any], path: Path) -> Iterator[Any]:
    for number, item in enumerate(items):
        if number >= _MOST:
            raise FatalError(f"`{path}` has more than {_MOST} files", "name a part of it")
        yield item
