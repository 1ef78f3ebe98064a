"""Manifests to the store: of a lock with its builds and the interpreter that was seen, the first writer's for all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from envtag import resolutions
from envtag.builds import Builds, provide_builds
from envtag.errors import FatalError
from envtag.manifest import Manifest
from envtag.platforms import base_platform, current_platform
from envtag.publication.report import Waiting
from envtag.publication.upload import THREADS
from envtag.store import Store, keys
from envtag.util.parallel import in_parallel

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.git import Git
    from envtag.lock import Lock
    from envtag.output import Output
    from envtag.publication.report import Report
    from envtag.registry import Environment
    from envtag.tombstones import Tombstones

_ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifests:
    """The manifests of one store.

    Attributes:
        store: Where they are.
        git: Says who wrote a commit.
        config: The client's settings.
        output: Where progress is told.
        tombstones: What the collection of garbage has marked.
    """

    store: Store
    git: Git
    config: Config
    output: Output
    tombstones: Tombstones
    _recorded: dict[tuple[str, str, str], str] = field(default_factory=dict, repr=False)

    def record(self, environment: Environment, lock: Lock, report: Report) -> str | None:
        """Store the manifest of a lock whose packages are in the store; once for each lock.

        Args:
            environment: The environment at the commit that it is published from.
            lock: One of its locks.
            report: Takes what was built, and what waits.

        Returns:
            The digest of the manifest to use; None if a source of it waits for a runner of its platform.

        Raises:
            FatalError: A source cannot be built, or the store refuses.
        """
        known = (lock.request, lock.platform, lock.id)
        if known not in self._recorded:
            builds = self._builds(environment, lock, report)
            for package in builds.waiting:
                report.waits(Waiting(environment.name, lock.platform, package.name, package.version))
            if builds.waiting:
                return None
            manifest = Manifest(lock=lock, python_seen=python_seen(lock), builds=builds.found)
            self._recorded[known] = self._record(environment, manifest)
        return self._recorded[known]

    def refill(self, environment: Environment, lock: Lock, wanted: str, report: Report) -> None:
        """Store the very manifest that a tag names, where the store has lost it.

        Raises:
            FatalError: This machine makes other ones.
        """
        found = self._builds(environment, lock, report).found
        made = [Manifest(lock=lock, python_seen=seen, builds=found) for seen in _candidates(lock)]
        manifest = next((item for item in made if item.digest == wanted), None)
        if manifest is None:
            raise FatalError(
                f"`{environment.name}`: the manifest for {lock.platform} is not in `{self.store.url}`, and this "
                f"machine makes {made[0].digest[:12]} where the tag names {wanted[:12]}",
                "publish from a machine with the interpreter that it was released with",
            )
        self.store.create(keys.manifest_key(wanted), manifest.to_bytes(), wanted)
        self._record(environment, manifest)

    def missing(self, digests: Iterable[str]) -> set[str]:
        """Which of some manifests the store lacks.

        Raises:
            FatalError: The store cannot be asked.
        """
        wanted = sorted(set(digests))
        there = in_parallel(lambda digest: self.store.size(keys.manifest_key(digest)), wanted, threads=THREADS)
        return {digest for digest, size in zip(wanted, there, strict=True) if size is None}

    def _builds(self, environment: Environment, lock: Lock, report: Report) -> Builds:
        """The wheels of a lock's sources, built here where that can be."""
        before = recorded_builds(lock, store=self.store, config=self.config, output=self.output)
        if not before.waiting or base_platform(lock.platform) != current_platform():
            builds = before
        else:
            builds = provide_builds(
                lock,
                store=self.store,
                config=self.config,
                output=self.output,
                index_url=environment.settings.index_url,
                extra_index_urls=environment.settings.extra_index_urls,
            )
            report.built += [build.filename for source, build in builds.found.items() if source not in before.found]
        for build in builds.found.values():
            key = keys.object_key(build.sha256, "whl")
            if not self.tombstones.revive(key):
                raise FatalError(f"`{key}` is being deleted from {self.store.url}", "publish again")
        return builds

    def _record(self, environment: Environment, manifest: Manifest) -> str:
        commit = self.git.commit(environment.revision)
        for _ in range(_ATTEMPTS):
            digest = resolutions.record(
                self.store,
                manifest=manifest,
                environment=environment.name,
                commit=environment.revision,
                who=commit.author if commit is not None else "",
                when=commit.date if commit is not None else "",
            )
            if self.tombstones.revive(keys.manifest_key(digest)):
                return digest
        raise FatalError(
            f"the manifest of `{environment.name}` is being deleted from {self.store.url}", "publish again"
        )


def recorded_builds(lock: Lock, *, store: Store, config: Config, output: Output, adopt: bool = True) -> Builds:
    """The wheels of a lock's sources that the store has; nothing is built, and without `adopt` nothing written."""
    if not any(package.is_source for package in lock.packages):
        return Builds()
    return provide_builds(lock, store=store, config=config, output=output, build=False, adopt=adopt)


def python_seen(lock: Lock) -> str:
    """The exact version of Python that a manifest made here names; empty where it cannot be known here."""
    if lock.interpreter == "conda":
        return next((item.version for item in lock.packages if item.key == ("conda", "python")), "")
    if base_platform(lock.platform) != current_platform():
        return ""
    from envtag.engines.uv_python import find_python

    return find_python(f"=={lock.python}.*").version


def _candidates(lock: Lock) -> Iterator[str]:
    """What a manifest of a lock may name as the Python that was seen: what is here, and nothing (made elsewhere)."""
    yield python_seen(lock)
    yield ""
