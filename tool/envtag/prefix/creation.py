"""Make the environment of a lock at a path: whole or not at all, by any number of processes at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.fetch import fetch_archives
from envtag.manifest import with_builds
from envtag.platforms import base_platform, current_platform
from envtag.prefix import activation, conda, layout, marker, place, pypi, scripts, template
from envtag.prefix.marker import Marker
from envtag.util.canonical import canonical_json

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.lock.model import Lock
    from envtag.manifest import Build
    from envtag.output import Output
    from envtag.package import Package
    from envtag.store import Store


def hydrate(
    lock: Lock,
    target: Path,
    *,
    store: Store | None,
    config: Config,
    offline: bool,
    output: Output,
    force: bool = False,
    once: bool = False,
    builds: Mapping[str, Build] = MappingProxyType({}),
    verified: Mapping[str, Path] = MappingProxyType({}),
) -> bool:
    """Make the environment of a lock at `target`, unless it is there already.

    It is built in a sibling directory and renamed when it is finished, under a lock per target that the kernel
    frees if its holder dies; what a dead process left behind is cleaned up by the next one.

    Args:
        lock: What to install; its platform must be this machine's.
        target: The prefix.
        store: The registry's store, if it has one.
        config: The client's directories and mirrors.
        offline: Use only what this machine and the store hold.
        output: For progress.
        force: Replace whatever is at `target`.
        once: No further environment will be made here of the same lock, so nothing is remembered for it.
        builds: SHA-256 of a source of the lock to the wheel, in the store, that is installed in its place; a source
            without one is built.
        verified: SHA-256 to an archive that the caller has just found to be right.

    Returns:
        True if this call made it; False if it was there, whole, and from the same lock.

    Raises:
        FatalError: Another platform's lock, something else at `target`, or a package that cannot be had or is not
            what the lock says.
    """
    target = place.normal(target)
    _refuse_other_platform(lock)
    if not force and marker.is_whole(target, lock.id):
        return False
    with place.reserved(target, lock.id, output=output, force=force) as wanted:
        if wanted:
            _make(lock, target, _Sources(store, config, offline, output, verified), builds)
            if not once:
                template.keep(target, lock, config.directories)
        return wanted


class _Sources:
    """Where archives may come from in one call, bound together."""

    def __init__(
        self, store: Store | None, config: Config, offline: bool, output: Output, verified: Mapping[str, Path]
    ) -> None:
        self.store = store
        self.config = config
        self.offline = offline
        self.output = output
        self.verified = verified

    def fetch(self, packages: Sequence[Package]) -> Mapping[str, Path]:
        """Verified archives of packages, by hash."""
        here = {item.sha256: self.verified[item.sha256] for item in packages if item.sha256 in self.verified}
        fetched = fetch_archives(
            [item for item in packages if item.sha256 not in here],
            store=self.store,
            mirrors=self.config.mirrors,
            directories=self.config.directories,
            offline=self.offline,
            output=self.output,
        )
        return {**here, **fetched}


def _make(lock: Lock, target: Path, sources: _Sources, builds: Mapping[str, Build]) -> None:
    stagings = [place.staging_of(target) for _ in range(2)]
    try:
        staging = stagings[0]
        try:
            _build(lock, staging, target, sources, builds)
        except conda.DamagedCacheError as first:
            staging = stagings[1]
            try:
                _build(lock, staging, target, sources, builds, fetch_all=True)
            except FatalError as error:
                detail = error.detail or f"after: {first.message}\n{first.detail}"
                raise FatalError(error.message, error.hint, detail) from error
        place.put_in_place(staging, target)
    finally:
        for left in stagings:
            place.discard(left)


def _build(
    lock: Lock,
    staging: Path,
    target: Path,
    sources: _Sources,
    builds: Mapping[str, Build],
    *,
    fetch_all: bool = False,
) -> None:
    directories = sources.config.directories
    packages, wheels = lock.by_manager("conda"), with_builds(lock.by_manager("pypi"), builds)
    archives = sources.fetch(wheels)
    if lock.interpreter == "uv":
        exact = pypi.create_venv(staging, lock.python, directories=directories, offline=sources.offline)
    else:
        exact = next((package.version for package in packages if package.name == "python"), "")
        conda.install(
            packages,
            staging,
            target,
            cache=directories.conda_packages,
            fetch=sources.fetch,
            output=sources.output,
            fetch_all=fetch_all,
        )
    pypi.install(
        wheels,
        archives,
        staging,
        lock.python,
        directories=directories,
        offline=sources.offline,
        output=sources.output,
    )
    if wheels and lock.interpreter == "conda":
        scripts.relocate(staging, target, layout.site_packages(staging, lock.python))
    activation.write_shell_file(staging, target)
    if lock.interpreter == "conda":
        frozen = {"message": "made by envtag from a lock: change the lock and create it anew"}
        (staging / "conda-meta" / "frozen").write_bytes(canonical_json(frozen) + b"\n")
    marker.write(
        staging,
        Marker(lock=lock.id, request=lock.request, platform=lock.platform, interpreter=lock.interpreter, python=exact),
    )


def _refuse_other_platform(lock: Lock) -> None:
    here = current_platform()
    if base_platform(lock.platform) != here:
        raise FatalError(f"this lock is for {lock.platform}, and this machine is {here}")
