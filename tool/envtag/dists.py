"""Which PyPI dists a conda package brings: read from the package itself, so that no name mapping is needed."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

from envtag import credentials
from envtag.conda_client import conda_client
from envtag.engines import Dist
from envtag.errors import FatalError, UnsolvableError
from envtag.output import Output
from envtag.util import aio
from envtag.util.canonical import canonical_json
from envtag.util.files import write_atomic
from envtag.util.text import number_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from envtag.config import Directories
    from envtag.engines import PypiProblem
    from envtag.package import Package
    from envtag.store import Store
    from envtag.urls import Mirrors

_FORMAT = 1
_PARALLEL = 16
_PYTHON = re.compile(r"(?:python|python_abi)(?![\w.-])")
_DIST_INFO = re.compile(r"(?:^|/)site-packages/([^/]+)-([^/-]+)\.dist-info/METADATA$")
_EGG_INFO = re.compile(r"(?:^|/)site-packages/([^/]+?)-([^/-]+)(?:-py\d[^/]*)?\.egg-info(?:/PKG-INFO)?$")
_PATHS, _FILES = "info/paths.json", "info/files"
_Listings: TypeAlias = "tuple[bytes | None, bytes | None]"


def provided_dists(
    packages: Iterable[Package],
    *,
    mirrors: Mirrors,
    directories: Directories,
    store: Store | None,
    output: Output | None = None,
) -> tuple[Dist, ...]:
    """The PyPI dists that conda packages bring, as their `info/paths.json` lists them.

    What a package brings is cached under its hash. A package that is not is read from the local archive cache, the
    store, a mirror that is a directory, or over HTTP: by range requests where the server has them, else as a whole.

    Args:
        packages: Locked packages; only conda packages that need Python are looked into.
        mirrors: Where packages are really fetched from.
        directories: For the caches.
        store: The registry's store, if there is one.
        output: For progress.

    Returns:
        Sorted by name; each with the package that brings it.

    Raises:
        FatalError: A package cannot be read; names it.
    """
    wanted = {package.sha256: package for package in packages if _may_bring(package)}
    known = {sha256: _cached(directories, sha256) for sha256 in wanted}
    missing = [wanted[sha256] for sha256, dists in known.items() if dists is None]
    if missing:
        reader = _Reader(mirrors=mirrors, directories=directories, store=store, output=output or Output(quiet=True))
        for package, dists in reader.read(missing):
            _keep(directories, package.sha256, dists)
            known[package.sha256] = dists
    found = {(name, version, str(wanted[sha256])) for sha256, dists in known.items() for name, version in (dists or ())}
    return tuple(Dist(name=name, version=version, by=by) for name, version, by in sorted(found))


def known_dists(package: Package, directories: Directories) -> list[tuple[str, str]] | None:
    """Name (PEP 503) and version of the PyPI dists that a conda package brings; None where it was not looked into."""
    return _cached(directories, package.sha256) if _may_bring(package) else []


def dists_of_paths(paths: Iterable[str]) -> list[tuple[str, str]]:
    """Name (PEP 503) and version of each dist that is installed directly into `site-packages`, sorted.

    Args:
        paths: Paths within a prefix or a noarch package, with `/` between their parts.
    """
    from packaging.utils import canonicalize_name

    found: dict[str, str] = {}
    for path in paths:
        match = _DIST_INFO.search(path) or _EGG_INFO.search(path)
        if match:
            found.setdefault(canonicalize_name(match.group(1)), match.group(2))
    return sorted(found.items())


def refuse_twice(problem: PypiProblem) -> None:
    """A conda package that is added to a base must not bring what the base has from PyPI."""
    provided = {dist.name: dist for dist in problem.provided}
    for locked in problem.pinned:
        if locked.name in provided:
            dist = provided[locked.name]
            raise UnsolvableError(
                f"conda package `{dist.by}` brings `{dist.name} {dist.version}` on `{problem.platform}`, "
                f"and the base has `{locked}` from PyPI",
                "leave the conda package out: the base's packages are kept exactly",
            )


def _may_bring(package: Package) -> bool:
    return package.manager == "conda" and any(_PYTHON.match(spec) for spec in package.depends)


class _Reader:
    """Reads packages; one that is at hand or cannot be read in parts is taken whole, and verified."""

    def __init__(self, *, mirrors: Mirrors, directories: Directories, store: Store | None, output: Output) -> None:
        self._mirrors = mirrors
        self._directories = directories
        self._store = store
        self._output = output

    def read(self, packages: Sequence[Package]) -> list[tuple[Package, list[tuple[str, str]]]]:
        """Each package with its dists."""
        with self._output.task(f"looking into {number_of(len(packages), 'conda package')}", len(packages)) as task:
            remote = [package for package in packages if self._by_parts(package)]
            listings = aio.run(self._ranges(remote)) if remote else {}
            task.advance(len(listings))
            whole = [package for package in packages if package.sha256 not in listings]
            listings.update(aio.run(self._archives(whole)) if whole else {})
        return [(package, _parse(package, *listings[package.sha256])) for package in packages]

    def _by_parts(self, package: Package) -> bool:
        """Whether a package can be read by range requests only: nothing of it is on this machine."""
        from envtag.fetch import archive_path
        from envtag.store.keys import object_key

        if package.extension != "conda" or archive_path(self._directories, package).is_file():
            return False
        if self._store is not None and self._store.size(object_key(package.sha256, package.extension)) is not None:
            return False
        return urlsplit(self._mirrors.fetch_url(package.url)).scheme in ("http", "https")

    async def _ranges(self, packages: Sequence[Package]) -> dict[str, _Listings]:
        """Hash to the listings of those packages whose server answers range requests."""
        from rattler.package_streaming import PackageArchive

        client = conda_client([self._mirrors.fetch_url(item.url) for item in packages], credentials.load())
        gate = asyncio.Semaphore(_PARALLEL)

        async def one(package: Package) -> _Listings | None:
            async with gate:
                try:
                    archive = await PackageArchive.from_url(
                        client, self._mirrors.fetch_url(package.url), sparse="require"
                    )
                    return _listings(await archive.read_files([_PATHS, _FILES]))
                except OSError:  # no ranges there, or no answer: then as a whole, with that way's own errors
                    return None

        answers = await asyncio.gather(*(one(package) for package in packages))
        return {package.sha256: answer for package, answer in zip(packages, answers, strict=True) if answer is not None}

    async def _archives(self, packages: Sequence[Package]) -> dict[str, _Listings]:
        """Hash to the listings of packages, each read from a whole archive whose hash was checked."""
        from envtag.fetch import fetch_archives

        try:
            paths: Mapping[str, Path] = fetch_archives(
                packages,
                store=self._store,
                mirrors=self._mirrors,
                directories=self._directories,
                offline=False,
                output=self._output,
            )
        except FatalError as error:
            raise FatalError(
                f"cannot tell which PyPI packages conda brings: {error.message}",
                error.hint or "an environment of conda and PyPI packages needs the archives of its conda packages",
                error.detail,
            ) from error
        return {package.sha256: await self._opened(package, paths[package.sha256]) for package in packages}

    @staticmethod
    async def _opened(package: Package, path: Path) -> _Listings:
        from rattler.package_streaming import PackageArchive

        try:
            archive = await PackageArchive.from_path(path)
            return _listings(await archive.read_files([_PATHS, _FILES]))
        except OSError as error:
            raise _unreadable(package, " ".join(str(error).split())) from error


def _listings(files: Mapping[str, bytes | None]) -> _Listings:
    return files.get(_PATHS), files.get(_FILES)


def _parse(package: Package, paths: bytes | None, files: bytes | None) -> list[tuple[str, str]]:
    if paths is None and files is None:
        raise _unreadable(package, f"it has neither `{_PATHS}` nor `{_FILES}`")
    try:
        if paths is not None:
            return dists_of_paths([str(entry["_path"]) for entry in json.loads(paths)["paths"]])
        return dists_of_paths((files or b"").decode("utf-8").splitlines())
    except (ValueError, KeyError, TypeError) as error:
        raise _unreadable(package, f"`{_PATHS}` is malformed ({error})") from error


def _unreadable(package: Package, why: str) -> FatalError:
    return FatalError(
        f"cannot tell which PyPI packages conda package `{package}` brings: {why}",
        f"it is from {package.url}; take another build of it",
    )


def _path(directories: Directories, sha256: str) -> Path:
    return directories.dists / sha256[:2] / f"{sha256}.json"


def _cached(directories: Directories, sha256: str) -> list[tuple[str, str]] | None:
    """What is known of a package; an entry of another format, or a damaged one, is as good as none."""
    try:
        document: Any = json.loads(_path(directories, sha256).read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    if not isinstance(document, dict) or document.get("version") != _FORMAT:
        return None
    return [(str(name), str(version)) for name, version in document["dists"]]


def _keep(directories: Directories, sha256: str, dists: Sequence[tuple[str, str]]) -> None:
    document = {"version": _FORMAT, "dists": [list(item) for item in dists]}
    write_atomic(_path(directories, sha256), canonical_json(document))
