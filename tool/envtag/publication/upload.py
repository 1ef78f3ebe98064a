"""Packages to the store: many at a time, each only if the store lacks it, each whole or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from envtag.errors import DamagedError, FatalError
from envtag.fetch import at_hand, fetcher
from envtag.publication.presence import listed_sizes
from envtag.store import Store, keys, wrong_size
from envtag.util.parallel import in_parallel
from envtag.util.text import number_of

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.output import Output, Task
    from envtag.package import Package
    from envtag.publication.report import Report
    from envtag.request import Login
    from envtag.tombstones import Tombstones

#: Packages on their way at a time. Most of it is waiting: for the store's answer, or for a package's origin.
THREADS = 16
#: A larger one is sent in parts that are held in memory, so only one of these goes at a time.
LARGE_BYTES = 32 << 20

_Get = Callable[["Package"], "Path | None"]


@dataclass(kw_only=True)
class Uploader:
    """Brings packages to a store.

    Archives that were fetched for it stay in the client's cache, so that a run that broke off does not fetch them
    again.

    Attributes:
        store: Where to.
        config: The client's settings.
        output: Where progress is told.
        tombstones: What the collection of garbage has marked.
    """

    store: Store
    config: Config
    output: Output
    tombstones: Tombstones
    _large: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def upload(self, name: str, packages: Iterable[Package], report: Report, *, logins: Sequence[Login] = ()) -> None:
        """Bring packages to the store that are not known to be there; the smallest first.

        The first failure stops what was not begun, and what was begun ends; the next call goes on from there.

        Args:
            name: The environment, for progress.
            packages: What the store must have.
            report: Counts them, and knows those of earlier calls.
            logins: How the environment's specs say to log in.

        Raises:
            FatalError: A package cannot be had whole, or the store refuses it; says how far it came.
        """
        wanted = _unseen(packages, report)
        if not wanted:
            return
        total = sum(package.size or 0 for package in wanted)
        there = self._look(wanted)
        with (
            self.output.task(f"storing {name}", total or None, unit="bytes") as task,
            fetcher(
                store=None,
                mirrors=self.config.mirrors,
                directories=self.config.directories,
                offline=False,
                logins=logins,
            ) as get,
            ThreadPoolExecutor(min(THREADS, len(wanted))) as threads,
        ):
            run = _Run(name=name, task=task, report=report, count=len(wanted), total=total)
            futures = {threads.submit(self._bring, package, there, get): package for package in wanted}
            try:
                for future in as_completed(futures):
                    run.done(futures.pop(future), future)
            except BaseException as error:
                threads.shutdown(wait=True, cancel_futures=True)
                for future, package in futures.items():
                    if not future.cancelled() and future.exception() is None:
                        run.done(package, future)
                if isinstance(error, FatalError):
                    every = number_of(len(wanted), "package")
                    so_far = f"{run.finished} of {every} in the store: the next run goes on from there"
                    error.detail = f"{error.detail}\n{so_far}".lstrip()
                raise

    def missing(self, packages: Iterable[Package], report: Report) -> list[Package]:
        """Which of some packages the store lacks; nothing is changed, and the others are counted.

        Raises:
            FatalError: The store cannot be asked, or has one with another size.
        """
        wanted = _unseen(packages, report)
        known = listed_sizes(self.store, [_key(package) for package in wanted])
        there = in_parallel(lambda package: self._has(package, known), wanted, threads=THREADS)
        for package, has in zip(wanted, there, strict=True):
            report.count(package.sha256, None if has else package.size or 0)
        return [package for package, has in zip(wanted, there, strict=True) if not has]

    def _look(self, packages: Sequence[Package]) -> dict[str, int | None]:
        """Keep the collection of garbage away from packages, then see which of them a listing shows."""
        wanted = [_key(package) for package in packages]
        in_parallel(self.tombstones.revive, wanted, threads=THREADS)
        return listed_sizes(self.store, wanted)

    def _bring(self, package: Package, known: Mapping[str, int | None], get: _Get) -> int | None:
        """Bring one package to the store: its size, or None if it was there."""
        if self._has(package, known):
            return None
        likely = at_hand(package, mirrors=self.config.mirrors, directories=self.config.directories)
        if likely is not None:
            with suppress(
                DamagedError
            ):  # then it is had from where it should be, or the error says where it is damaged
                return self._create(package, likely)
        try:
            archive = get(package)
        except OSError as error:
            where = error.filename or self.config.directories.archives
            raise FatalError(
                f"cannot keep {package} here: {error.strerror or error} (`{where}`)",
                "make room there, or let ENVTAG_HOME name another place; then publish again",
            ) from error
        if archive is None:
            raise FatalError(f"{package} is nowhere at hand", "publish with a network")
        return self._create(package, archive)

    def _create(self, package: Package, archive: Path) -> int | None:
        """Store an archive, whose bytes are hashed on the way: its size, or None if another was first."""
        size = archive.stat().st_size
        with self._large if size > LARGE_BYTES else nullcontext():
            return size if self.store.create(_key(package), archive, package.sha256) else None

    def _has(self, package: Package, known: Mapping[str, int | None]) -> bool:
        """Whether the store has a package; its size is compared, its hash by everyone who takes it from there."""
        key = _key(package)
        there = known[key] if key in known else self.store.size(key)
        if there is not None and package.size is not None and there != package.size:
            raise wrong_size(key, package.size, there, self.store.url)
        return there is not None


@dataclass(slots=True, kw_only=True)
class _Run:
    """How far one upload is."""

    name: str
    task: Task
    report: Report
    count: int
    total: int
    finished: int = 0

    def done(self, package: Package, future: Future[int | None]) -> None:
        """Count a package whose upload ended, or raise its error."""
        stored = future.result()
        self.report.count(package.sha256, stored)
        self.finished += 1
        self.task.describe(f"storing {self.name}, {self.finished} of {self.count} packages")
        if stored is None:
            self.total -= package.size or 0
            self.task.total(self.total)
        else:
            self.task.advance(stored)


def _key(package: Package) -> str:
    return keys.object_key(package.sha256, package.extension)


def _unseen(packages: Iterable[Package], report: Report) -> list[Package]:
    found = {package.sha256: package for package in packages if package.sha256 not in report.seen}
    return sorted(found.values(), key=lambda package: package.size or 0)
