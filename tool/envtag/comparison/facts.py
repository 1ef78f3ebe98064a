"""What is in the archives of packages, beyond what locks say: scripts, hooks, sizes on disk.

Only archives that are on this machine are looked into: in the cache, or in a mirror that is a directory. What is not
at hand is left out, and shown as not known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envtag.diff import Facts
from envtag.errors import FatalError

if TYPE_CHECKING:
    from envtag.config import Directories
    from envtag.package import Package
    from envtag.urls import Mirrors

_PATHS, _FILES = "info/paths.json", "info/files"
_ACTIVATION = re.compile(r"etc/conda/(?:de)?activate\.d/[^/]+|etc/conda/env_vars\.d/[^/]+\.json")
_HOOK = re.compile(r"(?:bin|Scripts)/\.?[^/]*-(?:pre-link|post-link|pre-unlink|post-unlink)\.(?:sh|bat)")
_FILENAME = re.compile(r"[A-Za-z0-9_.!+=-]+")
_STARTUP = re.compile(r"(?:(?:.*/)?site-packages/)?[^/]+\.pth")


def find(packages: Sequence[Package], *, mirrors: Mirrors, directories: Directories) -> dict[str, Facts]:
    """Hash to what is in a package, for those whose archives are at hand.

    Args:
        packages: What changed.
        mirrors: Where packages are really fetched from.
        directories: For the cache.

    Raises:
        FatalError: An archive is at hand and cannot be read.
    """
    at_hand = {package.sha256: (package, _path(package, mirrors, directories)) for package in packages}
    found: dict[str, Facts] = {}
    conda: list[tuple[Package, Path]] = []
    for sha256, (package, path) in at_hand.items():
        if path is None:
            continue
        if package.extension in ("conda", "tar.bz2"):
            conda.append((package, path))
        elif package.extension == "whl":
            found[sha256] = _wheel(package, path)
    if conda:
        from envtag.util import aio

        found.update(aio.run(_archives(conda)))
    return found


def facts_of(files: Iterable[tuple[str, int | None]]) -> Facts:
    """What files say, by their paths in a prefix (noarch: in `site-packages`) and their sizes in bytes."""
    listed = list(files)
    sizes = [size for _, size in listed]
    return Facts(
        activation=tuple(sorted(path for path, _ in listed if _ACTIVATION.fullmatch(path))),
        hooks=tuple(sorted(path for path, _ in listed if _HOOK.fullmatch(path) or _STARTUP.fullmatch(path))),
        installed=None if None in sizes else sum(size or 0 for size in sizes),
    )


def _path(package: Package, mirrors: Mirrors, directories: Directories) -> Path | None:
    """Where an archive is on this machine, with exactly the bytes that the lock names."""
    from envtag.fetch import archive_path
    from envtag.urls import file_path
    from envtag.util.canonical import sha256_file

    url = mirrors.fetch_url(package.url)
    if not (url.startswith("file:") or (directories.archives / package.sha256[:2]).is_dir()):
        return None  # the usual case, and there may be thousands
    if not _FILENAME.fullmatch(package.filename):  # it becomes a part of a path
        return None
    for path in (archive_path(directories, package), file_path(url)):
        if path is not None and path.is_file() and sha256_file(path) == package.sha256:
            return path
    return None


def _wheel(package: Package, path: Path) -> Facts:
    from zipfile import BadZipFile, ZipFile

    try:
        with ZipFile(path) as archive:
            return facts_of((item.filename, item.file_size) for item in archive.infolist() if not item.is_dir())
    except (BadZipFile, OSError) as error:
        raise _unreadable(package, error) from error


async def _archives(conda: Sequence[tuple[Package, Path]]) -> Mapping[str, Facts]:
    return {package.sha256: await _archive(package, path) for package, path in conda}


async def _archive(package: Package, path: Path) -> Facts:
    from rattler.package_streaming import PackageArchive

    try:
        archive = await PackageArchive.from_path(path)
        return facts_of(_listed(await archive.read_files([_PATHS, _FILES])))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unreadable(package, error) from error


def _listed(files: Mapping[str, bytes | None]) -> list[tuple[str, int | None]]:
    paths: bytes | None = files.get(_PATHS)
    if paths is not None:
        entries: list[dict[str, Any]] = json.loads(paths)["paths"]
        return [(str(entry["_path"]), entry.get("size_in_bytes")) for entry in entries]
    names = (files.get(_FILES) or b"").decode("utf-8").splitlines()
    return [(name, None) for name in names]


def _unreadable(package: Package, error: Exception) -> FatalError:
    return FatalError(
        f"the archive of `{package}` cannot be looked into: {' '.join(str(error).split())}",
        f"it is from {package.url}; remove it from the cache, or take another build of it",
    )
