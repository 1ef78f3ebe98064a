"""One environment to the store and to git: what its ledger releases, what `latest` is, and replicas of both."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from envtag.errors import AliasExistsError, FatalError
from envtag.names import Alias
from envtag.platforms import base_platform, current_platform
from envtag.publication.history import History, check_content, is_of
from envtag.publication.manifests import Manifests
from envtag.publication.signing import Signing
from envtag.publication.upload import THREADS, Uploader
from envtag.record import TagRecord
from envtag.replicas import Replicas
from envtag.tombstones import Tombstones
from envtag.util.parallel import in_parallel

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.ledger import Release
    from envtag.lock import Lock
    from envtag.output import Output
    from envtag.publication.report import Report
    from envtag.registry import Environment, Registry, ReleasedTag
    from envtag.store import Store


@dataclass(kw_only=True)
class Publisher:
    """What publishing needs: where from, where to, and how. What it asked of the remote it keeps, so make one a run.

    Attributes:
        registry: The registry, with a work tree or open namespaces.
        store: Where packages, manifests and replicas go.
        config: The client's settings.
        output: Where progress is told.
        push: Push tags to the registry's remote where it has one; otherwise nothing is replicated either.
        platforms: Bring only what is for these to the store, and leave tags and replicas to a run for all (none).
        sign: Sign the tags, also where the registry does not demand it.
        sign_key: The key to sign with, in place of the one that git is configured with.
        repair: Look at every package of every release, and bring back what the store has lost; otherwise of those
            whose manifest is lost.
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

    def publish(self, name: str, report: Report) -> None:
        """Publish one environment: what its ledger releases and has no tag yet, and what `latest` is.

        A release of which a build waits for another runner is left without a tag; the report says so.

        Raises:
            AliasExistsError: Another publisher took a tag for other content; nothing of theirs is changed.
            FatalError: Uncommitted changes, what the remote's default branch does not hold, no key that readers accept
                where tags are signed, a package that cannot be had whole, or a store that refuses.
        """
        current = self.history.environment(name)
        found = [
            (Alias(name=name, tag=release.tag), release, self._released(name, release))
            for release in current.ledger.releases
        ]
        for alias, _, tag in found:
            if tag is None and not self.platforms:
                self.signing.check(alias, current.revision)
        lost = self.manifests.missing(
            digest for _, _, tag in found if tag is not None for digest in tag.record.manifests.values()
        )
        done: dict[Alias, ReleasedTag] = {}
        for alias, release, tag in found:
            released = self._release(alias, release, tag, current, report)
            if released is not None:
                self._refill(released, lost, report)
                done[alias] = released
        if not self.platforms:
            self._replicate(done)
        manifests = self._bring(current, report)
        if not self.platforms and self._replicas is not None:
            self._point(self._replicas, current, manifests, done)

    def _point(
        self,
        replicas: Replicas,
        current: Environment,
        manifests: Mapping[str, str],
        done: Mapping[Alias, ReleasedTag],
    ) -> None:
        """Bring the replicas of what moves to where it is now."""
        name, branch = current.name, self._branch(current.name)
        if set(manifests) == set(current.platforms):
            self._tombstones.confirm()
            latest = Alias(name=name, tag="latest")
            replicas.point(latest, current.revision, current.lock_ids(), manifests, branch=branch)
        for pointer, target in sorted(current.ledger.pointers.items()):
            if (released := done.get(Alias(name=name, tag=target))) is not None:
                record, alias = released.record, Alias(name=name, tag=pointer)
                replicas.point(alias, current.revision, record.locks, record.manifests, branch=branch)

    @cached_property
    def history(self) -> History:
        """What git holds, here and on the remote."""
        return History(registry=self.registry, push=self.push)

    @cached_property
    def signing(self) -> Signing:
        """How tags are signed."""
        return Signing(registry=self.registry, rule=self.history.rule, wanted=self.sign, key=self.sign_key)

    @cached_property
    def manifests(self) -> Manifests:
        """The store's manifests."""
        return Manifests(
            store=self.store,
            git=self.registry.git,
            config=self.config,
            output=self.output,
            tombstones=self._tombstones,
        )

    @cached_property
    def _tombstones(self) -> Tombstones:
        tombstones = Tombstones(store=self.store)
        tombstones.load()
        return tombstones

    @cached_property
    def _uploader(self) -> Uploader:
        return Uploader(store=self.store, config=self.config, output=self.output, tombstones=self._tombstones)

    @cached_property
    def _replicas(self) -> Replicas | None:
        if not self.history.replicated:
            return None
        return Replicas(store=self.store, git=self.registry.git, output=self.output)

    def _released(self, name: str, release: Release) -> ReleasedTag | None:
        """The tag of a release, if there is one and it is of what the ledger says."""
        alias = Alias(name=name, tag=release.tag)
        released = self.history.released(alias)
        if released is not None:
            check_content(alias, released.record, release)
        return released

    def _release(
        self, alias: Alias, release: Release, released: ReleasedTag | None, current: Environment, report: Report
    ) -> ReleasedTag | None:
        """See to it that a release has its tag; None if it has none yet, since something of it is left to others."""
        if released is None:
            return self._create(alias, release, current, report)
        report.kept.append(str(alias))
        if not self.platforms and self.history.must_be_shared(alias, released):
            self.registry.git.push_create(self.history.remote or "", alias.ref)
            report.pushed.append(str(alias))
        return released

    def _create(self, alias: Alias, release: Release, current: Environment, report: Report) -> ReleasedTag | None:
        """Create the tag where everyone sees it first: on the remote, then here."""
        git, remote = self.registry.git, self.history.remote
        environment = self.history.commit_of(alias, release, current)
        manifests = self._bring(environment, report)
        if self.platforms or set(manifests) != set(release.locks):
            return None
        self._tombstones.confirm()
        record = TagRecord(
            name=alias.name, tag=alias.tag, request=release.request, locks=release.locks, manifests=manifests
        )
        tag = self.signing.make_tag(alias, environment.revision, record.message())
        told = report.tags
        try:
            if remote is not None:
                git.push_create(remote, alias.ref, tag)
                report.pushed.append(str(alias))
            git.create_ref(alias.ref, tag)
        except AliasExistsError:
            first = self.history.released(alias)
            if first is None or not is_of(first.record, release):
                raise
            told = report.kept
        here = self._released(alias.name, release)
        if here is None:
            raise FatalError(f"the tag of `{alias}` was removed while it was being published", "publish it again")
        told.append(str(alias))
        return here

    def _refill(self, released: ReleasedTag, lost: set[str], report: Report) -> None:
        """Bring back what the store has lost of a release that has its tag."""
        manifests = released.record.manifests
        concerned = [name for name in sorted(manifests) if self._concerns(name)]
        platforms = [name for name in concerned if self.repair or manifests[name] in lost]
        locks = [released.environment.lock(platform) for platform in platforms]
        self._upload(released.environment, locks, report)
        for lock in (lock for lock in locks if manifests[lock.platform] in lost):
            self.manifests.refill(released.environment, lock, manifests[lock.platform], report)

    def _bring(self, environment: Environment, report: Report) -> dict[str, str]:
        """Bring packages, builds and manifests to the store; platform to manifest, without what waits for others."""
        here = current_platform()  # first: a wheel for all platforms that is built here serves the others
        platforms = sorted(environment.platforms, key=lambda platform: (base_platform(platform) != here, platform))
        locks = [environment.lock(platform) for platform in platforms if self._concerns(platform)]
        self._upload(environment, locks, report)
        made = {lock.platform: self.manifests.record(environment, lock, report) for lock in locks}
        return {platform: digest for platform, digest in made.items() if digest is not None}

    def _upload(self, environment: Environment, locks: Sequence[Lock], report: Report) -> None:
        packages = (package for lock in locks for package in lock.packages)
        self._uploader.upload(environment.name, packages, report, logins=environment.logins())

    def _concerns(self, platform: str) -> bool:
        return not self.platforms or bool({platform, base_platform(platform)} & set(self.platforms))

    def _branch(self, name: str) -> str:
        """The branch of the open namespace that a name is in; empty for none."""
        branch = self.registry.open_branch(name)
        return branch.name if branch is not None else ""

    def _replicate(self, releases: dict[Alias, ReleasedTag]) -> None:
        """Replicate released tags."""
        replicas = self._replicas
        if replicas is None:
            return

        def replicate(item: tuple[Alias, ReleasedTag]) -> None:
            alias, released = item
            replicas.release(alias, released.tag.commit, released.record, branch=self._branch(alias.name))

        in_parallel(replicate, releases.items(), threads=THREADS)
