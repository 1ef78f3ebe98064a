"""Locks to the store with all that they take, for machines that have nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cached_property
from typing import TYPE_CHECKING

from envtag import resolutions
from envtag.errors import FatalError
from envtag.manifest import Manifest
from envtag.store import Store, keys
from envtag.tombstones import Tombstones

if TYPE_CHECKING:
    from collections.abc import Callable

    from envtag.config import Config
    from envtag.lock import Lock
    from envtag.output import Output


#: A record of what flows solved is renewed by who uses it later: the collection of garbage goes by its age.
_RENEWED_AFTER = timedelta(days=30)


@dataclass(kw_only=True)
class Sharing:
    """What it takes to share locks.

    Attributes:
        open_store: Gives the store.
        config: The client's settings.
        output: Where progress is told.
        user: Who shares.
        name: What the locks are recorded as being of: an environment's name.
    """

    open_store: Callable[[], Store]
    config: Config
    output: Output
    user: str
    name: str

    def share(self, lock: Lock, *, released: str = "", commit: str = "") -> str:
        """See to it that the store has a lock's packages, builds and manifest.

        Args:
            lock: A lock on any platform.
            released: SHA-256 of the manifest that a tag names for it; empty where no tag leads to it.
            commit: The commit that it was read at; empty where there is none.

        Returns:
            SHA-256 of the manifest that hydrates it.

        Raises:
            FatalError: A package cannot be had, a source waits for a machine of its platform, or the store refuses.
        """
        store = self.store
        if released and store.size(keys.manifest_key(released)) is not None:
            return released
        key = keys.request_key(lock.request, lock.platform, lock.id)
        data = store.read(key)
        if data is not None:
            record = resolutions.parse(data, key, store.url)
            manifest_key = keys.manifest_key(record.manifest)
            if self.tombstones.revive(manifest_key) and store.size(manifest_key) is not None:
                if record.environment.startswith(resolutions.OF_FLOWS) and record.when < _moment(-_RENEWED_AFTER):
                    resolutions.renew(store, key)
                return record.manifest
        return self._publish(lock, commit)

    def _publish(self, lock: Lock, commit: str) -> str:
        from envtag.builds import provide_builds  # with all that uploads, which a launch mostly has no use for
        from envtag.publication.manifests import python_seen
        from envtag.publication.report import Report
        from envtag.publication.upload import Uploader

        uploader = Uploader(store=self.store, config=self.config, output=self.output, tombstones=self.tombstones)
        uploader.upload(self.name, lock.packages, Report())
        builds = provide_builds(lock, store=self.store, config=self.config, output=self.output)
        if builds.waiting:
            listed = ", ".join(str(package) for package in builds.waiting)
            raise FatalError(
                f"{listed} must be built on {lock.platform}, and nobody has done it yet",
                "build it there once: `envtag publish --platform` of an environment that has it",
            )
        manifest = Manifest(lock=lock, python_seen=python_seen(lock), builds=builds.found)
        self.tombstones.confirm()
        return resolutions.record(
            self.store,
            manifest=manifest,
            environment=self.name,
            commit=commit,
            who=self.user,
            when=_moment(),
        )

    @cached_property
    def store(self) -> Store:
        """The store."""
        return self.open_store()

    @cached_property
    def tombstones(self) -> Tombstones:
        """What the collection of garbage has marked in it."""
        found = Tombstones(store=self.store)
        found.load()
        return found


def environment_name(flow: str) -> str:
    """What a flow's own environments are recorded as being of: `flows/` and its name in a legal spelling."""
    return f"{resolutions.OF_FLOWS}{re.sub(r'[^a-z0-9]+', '-', flow.lower()).strip('-')[:60] or 'flow'}"


def _moment(offset: timedelta = timedelta()) -> str:
    return (datetime.now(timezone.utc) + offset).strftime("%Y-%m-%dT%H:%M:%SZ")
