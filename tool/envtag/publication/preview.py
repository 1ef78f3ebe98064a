"""What a publication would do, found out by reading alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from envtag.names import Alias
from envtag.output import megabytes
from envtag.platforms import base_platform, current_platform
from envtag.publication.history import History, check_content
from envtag.publication.manifests import recorded_builds
from envtag.publication.report import Waiting
from envtag.publication.signing import Signing
from envtag.publication.upload import Uploader
from envtag.replicas import parse_replica
from envtag.store import Store, keys
from envtag.tombstones import Tombstones
from envtag.util.text import number_of

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.lock import Lock
    from envtag.output import Output
    from envtag.publication.report import Report
    from envtag.registry import Environment, Registry


@dataclass(kw_only=True)
class Preview:
    """A publisher that only looks: at the store, the remote and this clone, none of which it changes.

    Attributes:
        registry: The registry, with a work tree or open namespaces.
        store: Where packages, manifests and replicas would go.
        config: The client's settings.
        output: Where progress is told.
        push: Tags would be pushed.
        platforms: Only these; none for all.
        sign: Tags would be signed, also where the registry does not demand it.
        sign_key: The key that they would be signed with, in place of the one that git is configured with.
        repair: Every package of every release would be looked at.
    """

    registry: Registry
    store: Store
    config: Config
    output: Output
    push: bool = True
    platforms: Collection[str] = ()
    sign: bool = False
    sign_key: str = ""
    repair: bool = False

    def publish(self, name: str, report: Report) -> list[str]:
        """What `Publisher.publish` would do; the report takes it as if it were done.

        Returns:
            A line for each thing.

        Raises:
            FatalError: As `Publisher.publish`, so far as that can be known without fetching packages.
        """
        current = self.history.environment(name)
        lines: list[str] = []
        complete: list[Alias] = []
        for release in current.ledger.releases:
            alias = Alias(name=name, tag=release.tag)
            released = self.history.released(alias)
            if released is not None:
                check_content(alias, released.record, release)
                report.kept.append(str(alias))
                complete.append(alias)
                if not self.platforms and self.history.must_be_shared(alias, released):
                    report.pushed.append(str(alias))
                    lines.append(f"push the tag {alias} to {self.history.remote}")
                if self.repair or self._lost(released.record.manifests.values()):
                    lines += self._content(released.environment, report)
                continue
            signed = ", signed" if not self.platforms and self.signing.signer is not None else ""
            environment = self.history.commit_of(alias, release, current)
            waiting = len(report.waiting)
            lines += self._content(environment, report)
            if not self.platforms and len(report.waiting) == waiting:
                complete.append(alias)
                report.tags.append(str(alias))
                pushed = self._pushed(alias, report)
                lines.append(f"release {alias} at commit {environment.revision[:12]}{signed}{pushed}")
        lines += self._content(current, report)
        if not self.platforms and self.history.replicated:
            lines += self._replicas(current, complete)
        return lines

    @cached_property
    def history(self) -> History:
        """What git holds, here and on the remote."""
        return History(registry=self.registry, push=self.push, dry_run=True)

    @cached_property
    def signing(self) -> Signing:
        """How tags would be signed."""
        return Signing(registry=self.registry, rule=self.history.rule, wanted=self.sign, key=self.sign_key)

    @cached_property
    def _uploader(self) -> Uploader:
        tombstones = Tombstones(store=self.store)
        return Uploader(store=self.store, config=self.config, output=self.output, tombstones=tombstones)

    def _pushed(self, alias: Alias, report: Report) -> str:
        if self.history.remote is None:
            return ""
        report.pushed.append(str(alias))
        return f", pushed to {self.history.remote}"

    def _lost(self, digests: Collection[str]) -> bool:
        return any(self.store.size(keys.manifest_key(digest)) is None for digest in digests)

    def _content(self, environment: Environment, report: Report) -> Iterator[str]:
        for platform in environment.platforms:
            if self.platforms and not {platform, base_platform(platform)} & set(self.platforms):
                continue
            lock = environment.lock(platform)
            missing = self._uploader.missing(lock.packages, report)
            if missing:
                unknown = sum(package.size is None for package in missing)
                size = megabytes(sum(package.size or 0 for package in missing))
                more = f" and {unknown} of unknown size" if unknown else ""
                yield f"store {number_of(len(missing), 'package')} for {platform} ({size}{more})"
            yield from self._builds(environment.name, lock, report)

    def _builds(self, name: str, lock: Lock, report: Report) -> Iterator[str]:
        builds = recorded_builds(lock, store=self.store, config=self.config, output=self.output, adopt=False)
        for package in builds.waiting:
            if base_platform(lock.platform) == current_platform():
                if (built := f"{package.name} {package.version}") not in report.built:
                    report.built.append(built)
                    yield f"build {built} for {lock.platform}"
            else:
                report.waits(Waiting(name, lock.platform, package.name, package.version))

    def _replicas(self, current: Environment, complete: Sequence[Alias]) -> Iterator[str]:
        for alias in complete:
            if self.store.size(keys.tag_key(alias)) is None:
                yield f"replicate {alias}"
        whole = {alias.tag for alias in complete}
        pointers = {"latest": "", **{name: tag for name, tag in current.ledger.pointers.items() if tag in whole}}
        for pointer in sorted(pointers):
            alias = Alias(name=current.name, tag=pointer)
            key = keys.pointer_key(alias)
            there = self.store.read(key)
            at = parse_replica(there, f"{self.store.url}/{key}").commit if there is not None else ""
            if not self.registry.git.is_ancestor(current.revision, at):
                yield f"bring {alias} in the store to commit {current.revision[:12]}"
