"""Extras of PyPI dists that conda packages bring: what their METADATA says that each extra needs."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from email.parser import BytesHeaderParser
from typing import TYPE_CHECKING

from envtag.dists import dists_of_paths
from envtag.engines import Dist, ExtrasWantedError
from envtag.errors import FatalError
from envtag.fetch import fetch_archives
from envtag.util import aio

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from packaging.requirements import Requirement

    from envtag.config import Directories
    from envtag.engines import PypiProblem
    from envtag.output import Output
    from envtag.package import Package
    from envtag.store import Store
    from envtag.urls import Mirrors

_PATHS = "info/paths.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extras:
    """Where what extras need is read: packages whose extras are asked for, each as a whole, for `METADATA` lies in it.

    Attributes:
        conda: The conda packages that bring dists.
        mirrors: Where packages are really fetched from.
        directories: For the caches.
        store: The registry's store, if there is one.
        output: For progress.
    """

    conda: Sequence[Package]
    mirrors: Mirrors
    directories: Directories
    store: Store | None
    output: Output

    def solved(self, engine: Callable[[PypiProblem], tuple[Package, ...]], problem: PypiProblem) -> tuple[Package, ...]:
        """Solve a problem; where an extra of what conda brings is asked for, again with what that extra needs.

        Args:
            engine: Solves one problem.
            problem: Whose extras are not known yet.

        Raises:
            FatalError: A requirement asks for an extra that the dist does not have, or a package cannot be read.
        """
        try:
            return engine(problem)
        except ExtrasWantedError as error:
            known = self._known(problem.provided, error.names)
        return self.solved(engine, replace(problem, provided=known))

    def _known(self, provided: Sequence[Dist], names: Collection[str]) -> tuple[Dist, ...]:
        wanted = {dist.by for dist in provided if dist.name in names}
        packages = [package for package in self.conda if str(package) in wanted]
        archives = fetch_archives(
            packages,
            store=self.store,
            mirrors=self.mirrors,
            directories=self.directories,
            offline=False,
            output=self.output,
        )
        paths = {str(package): archives[package.sha256] for package in packages}
        return tuple(_with_extras(dist, paths[dist.by]) if dist.name in names else dist for dist in provided)


def _with_extras(dist: Dist, archive: Path) -> Dist:
    try:
        extras, requires = extras_of(aio.run(_metadata(dist, archive)))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FatalError(
            f"cannot tell what the extras of `{dist.name}` need, which conda package `{dist.by}` brings",
            "ask for what they need by name, and for the package without them",
            str(error),
        ) from error
    return replace(dist, extras=extras, requires=requires)


async def _metadata(dist: Dist, archive: Path) -> bytes:
    from rattler.package_streaming import PackageArchive

    opened = await PackageArchive.from_path(archive)
    listing = (await opened.read_files([_PATHS])).get(_PATHS)
    paths = [str(entry["_path"]) for entry in json.loads(listing or b"")["paths"]]
    found = [
        path
        for path in paths
        if path.endswith((".dist-info/METADATA", ".egg-info/PKG-INFO")) and dist.name in dict(dists_of_paths([path]))
    ]
    content = (await opened.read_files(found[:1])).get(found[0]) if found else None
    if content is None:
        raise KeyError("METADATA")
    return content


def extras_of(metadata: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Normalized names of a dist's extras, and its requirements that are of one; other requirements are conda's.

    Args:
        metadata: Content of `METADATA`.
    """
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    headers = BytesHeaderParser().parsebytes(metadata)
    extras = {canonicalize_name(name) for name in headers.get_all("Provides-Extra", [])}
    requires = [str(line) for line in headers.get_all("Requires-Dist", [])]
    return tuple(sorted(extras)), tuple(line for line in requires if _of_an_extra(Requirement(line)))


def _of_an_extra(requirement: Requirement) -> bool:
    return requirement.marker is not None and "extra" in str(requirement.marker)
