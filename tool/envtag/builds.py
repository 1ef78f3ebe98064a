"""Sources are built once, for everybody: a wheel in the store, and a record beside it of how it was made."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from envtag import __version__, credentials
from envtag.build_record import BuildRecord, Provenance
from envtag.build_shelf import Shelf
from envtag.errors import FatalError
from envtag.fetch import fetch_archives
from envtag.manifest import Build
from envtag.platforms import base_platform, current_platform
from envtag.prefix import layout
from envtag.prefix.source import BuiltWheel, build_wheel
from envtag.store import keys
from envtag.util.canonical import sha256_file
from envtag.util.text import number_of
from envtag.uv_indices import Indices, index_words

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.lock import Lock
    from envtag.output import Output
    from envtag.package import Package
    from envtag.store import Store

_BUILDERS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Builds:
    """What there is of the wheels of a lock's sources.

    Attributes:
        found: SHA-256 of a source archive to the wheel that everybody uses for it.
        waiting: Sources without one: a machine of the lock's platform has to build them first.
    """

    found: Mapping[str, Build] = field(default_factory=dict)
    waiting: tuple[Package, ...] = ()


def provide_builds(
    lock: Lock,
    *,
    store: Store,
    config: Config,
    output: Output,
    build: bool = True,
    adopt: bool = True,
    index_url: str = "",
    extra_index_urls: Sequence[str] = (),
) -> Builds:
    """See that each source of a lock has its wheel in the store, built here if it must be and can be.

    Whoever records a build first decides: others use that wheel. A wheel for all platforms that was built on one
    serves the others too, so a lock for this machine's platform is best given before the others.

    Args:
        lock: For any platform.
        store: Where wheels and records of builds are kept.
        config: The client's settings.
        output: Where progress is told.
        build: Build what nobody has built yet, where the lock is for this machine's platform.
        adopt: Record a wheel of another platform that fits this one for this one too; without that, and without
            `build`, nothing is written.
        index_url: The index that build requirements come from in place of the default one.
        extra_index_urls: Indices that are asked before it.

    Raises:
        FatalError: A source cannot be had or built, or what is recorded of one does not hold.
    """
    sources = [package for package in lock.packages if package.is_source]
    shelf = Shelf(lock=lock, store=store, adopt=adopt)
    found = {source.sha256: wheel for source in sources if (wheel := shelf.wheel(source)) is not None}
    missing = [source for source in sources if source.sha256 not in found]
    if not missing or not build or base_platform(lock.platform) != current_platform():
        return Builds(found=found, waiting=tuple(missing))
    indices = index_words(config.mirrors, credentials.load(), default=index_url, extra=extra_index_urls)
    job = _Job(shelf=shelf, config=config, output=output, indices=indices)
    return Builds(found={**found, **job.run(missing)})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """The builds of one lock on this machine."""

    shelf: Shelf
    config: Config
    output: Output
    indices: Indices

    def run(self, sources: Sequence[Package]) -> dict[str, Build]:
        """Build sources side by side, and put what comes of them on the shelf."""
        archives = fetch_archives(
            sources,
            store=self.shelf.store,
            mirrors=self.config.mirrors,
            directories=self.config.directories,
            offline=False,
            output=self.output,
        )
        with (
            tempfile.TemporaryDirectory(prefix="envtag-build-") as scratch,
            self._interpreter(Path(scratch, "python")) as (executable, exact),
            self.output.task(f"building {number_of(len(sources), 'wheel')}", len(sources)) as task,
            ThreadPoolExecutor(min(_BUILDERS, len(sources))) as threads,
        ):

            def make(source: Package) -> Build:
                work = Path(scratch, source.sha256)
                made = self._built(archives[source.sha256], source, work, executable)
                wheel = self._stored(archives[source.sha256], source, made, exact)
                task.advance()
                return wheel

            futures = {source.sha256: threads.submit(make, source) for source in sources}
            try:
                return {sha256: future.result() for sha256, future in futures.items()}
            except BaseException:
                threads.shutdown(wait=False, cancel_futures=True)
                raise

    @contextmanager
    def _interpreter(self, scratch: Path) -> Iterator[tuple[Path, str]]:
        """A Python of the lock's minor version, and its exact one: the environment's own where it has one."""
        lock, directories = self.shelf.lock, self.config.directories
        if lock.interpreter == "uv":
            from envtag.engines.uv_python import find_python

            found = find_python(f"=={lock.python}.*", cache=directories.uv)
            yield found.path, found.version
            return
        conda = lock.by_manager("conda")
        exact = next((package.version for package in conda if package.name == "python"), "")
        if not exact:
            raise FatalError(
                "the lock has sources of PyPI packages but no Python to build them with",
                "add `python` to the conda requirements",
            )
        from envtag.prefix.creation import hydrate

        hydrate(
            lock._replace(packages=conda), scratch, store=self.shelf.store, config=self.config, offline=False,
            output=self.output,
        )  # fmt: skip
        yield layout.python(scratch, venv=False), exact

    def _built(self, archive: Path, source: Package, work: Path, executable: Path) -> BuiltWheel:
        """A wheel that was built and is what the lock says, for its platform."""
        from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
        from packaging.version import InvalidVersion, Version

        directories = self.config.directories
        built = build_wheel(archive, source, work, executable, directories=directories, indices=self.indices)
        filename = built.path.name
        try:
            name, version, _, _ = parse_wheel_filename(filename)
            right = (name, version) == (canonicalize_name(source.name), Version(source.version))
        except (InvalidWheelFilename, InvalidVersion):
            right = False
        if not right:
            raise FatalError(f"the build of {source} made `{filename}`, which is not that package and version")
        if not self.shelf.fits(filename):
            lock = self.shelf.lock
            raise FatalError(
                f"the build of {source} made `{filename}`, which does not fit Python {lock.python} on {lock.platform}"
            )
        return built

    def _stored(self, archive: Path, source: Package, built: BuiltWheel, exact: str) -> Build:
        """Store the source and the wheel, then the record that names both."""
        from importlib.metadata import version as version_of  # costs more than all else that a look-up needs

        store, lock = self.shelf.store, self.shelf.lock
        wheel = Build(sha256=sha256_file(built.path), filename=built.path.name, size=built.path.stat().st_size)
        store.create(keys.object_key(source.sha256, source.extension), archive, source.sha256)
        store.create(keys.object_key(wheel.sha256, "whl"), built.path, wheel.sha256)
        made = Provenance(
            platform=lock.platform,
            python=exact,
            libc=_libc(),
            backend=built.backend,
            requires=built.requires,
            tools={"envtag": __version__, "uv": version_of("uv")},
        )
        record = BuildRecord(
            name=source.name,
            version=source.version,
            sha256=source.sha256,
            url=source.url,
            wheel=wheel,
            platform=lock.platform,
            python=lock.python,
            made=made,
        )
        self._warn_of_newer_libc(source, record)
        return self.shelf.put(source, record)

    def _warn_of_newer_libc(self, source: Package, record: BuildRecord) -> None:
        """A wheel that is tied to this machine's glibc may not run on the oldest one that the lock promises."""
        floor = self.shelf.lock.virtual_packages.get("__glibc", "").split()
        libc = record.made.libc.removeprefix("glibc ")
        if not record.pure and floor and libc and _numbers(libc) > _numbers(floor[0]):
            self.output.warn(
                f"{source} was built with glibc {libc}, and its lock promises to run from glibc {floor[0]} on: "
                "publish from an older system, or declare a newer `__glibc`"
            )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def _libc() -> str:
    """The C library of this machine (`glibc 2.36`); empty on systems that do not say."""
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (AttributeError, ValueError, OSError):
        return ""
