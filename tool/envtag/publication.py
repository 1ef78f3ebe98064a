"""From git to the store: packages, manifest, git tag, replicas, in this order, each step safe to repeat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from envtag.errors import AliasExistsError, FatalError
from envtag.fetch import fetch_archives
from envtag.manifest import Manifest
from envtag.names import Alias
from envtag.platforms import current_platform
from envtag.record import TagRecord
from envtag.replicas import Replicas
from envtag.store import Store, keys, wrong_size
from envtag.util.canonical import canonical_json, sha256_hex

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.ledger import Release
    from envtag.lock import Lock
    from envtag.output import Output
    from envtag.package import Package
    from envtag.registry import Environment, Registry, ReleasedTag


@dataclass(slots=True)
class Report:
    """What one publication did.

    Attributes:
        uploaded: Objects that were new to the store.
        reused: Objects that were there already.
        bytes: Bytes of the new objects.
        tags: Aliases whose git tag this publication created.
        kept: Aliases whose git tag was there already with the same content.
        pushed: Aliases whose git tag this publication created on the remote.
        seen: SHA-256 of every package that was looked at, each counted once.
    """

    uploaded: int = 0
    reused: int = 0
    bytes: int = 0
    tags: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    pushed: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)


@dataclass(kw_only=True)
class Publisher:
    """What publishing needs: where from, where to, and how. What it asked of the remote it keeps, so make one a run.

    Attributes:
        registry: The registry, with a work tree.
        store: Where packages, manifests and replicas go.
        config: The client's settings.
        output: Where progress is told.
        push: Push tags to the registry's remote where it has one; otherwise nothing is replicated either.
    """

    registry: Registry
    store: Store
    config: Config
    output: Output
    push: bool = True

    def publish(self, name: str, report: Report) -> None:
        """Publish one environment: what its ledger releases and has no tag yet, and what `latest` is.

        Raises:
            AliasExistsError: Another publisher took a tag for other content; nothing of theirs is changed.
            FatalError: Uncommitted changes, what the remote's default branch does not hold, a package that cannot be
                had whole, or a store that refuses.
        """
        registry = self.registry
        if registry.git.changed(f"envs/{name}"):
            raise FatalError(
                f"`envs/{name}` has changes that are not committed", f"commit them: `git commit envs/{name}`"
            )
        head = registry.git.commit_of("HEAD")
        if head is None:
            raise FatalError("the registry has no commit yet", "`git add --all && git commit`")
        current = registry.environment(name, head)
        self._check_merged(head, current)
        for release in current.ledger.releases:
            self._release(Alias(name=name, tag=release.tag), release, head, report)
        manifests = self._upload(current, report)
        if self._replicas is None:
            return
        self._replicas.point(Alias(name=name, tag="latest"), head, _locks_of(current), manifests)
        for pointer, tag in sorted(current.ledger.pointers.items()):
            released = registry.released(Alias(name=name, tag=tag))
            if released is not None:
                record = released.record
                self._replicas.point(Alias(name=name, tag=pointer), head, record.locks, record.manifests)

    @cached_property
    def _remote(self) -> str | None:
        """The remote that tags are pushed to."""
        return self.registry.remote if self.push else None

    @cached_property
    def _remote_tags(self) -> dict[str, str]:
        """The tags of the remote that look like releases, asked for once."""
        return self.registry.git.remote_refs(self._remote, "refs/tags/*@*") if self._remote is not None else {}

    @cached_property
    def _merged(self) -> str | None:
        """The head of the remote's default branch."""
        return self.registry.fetch_default_branch()

    @cached_property
    def _replicas(self) -> Replicas | None:
        """The replicas in the store; None where the tags that they copy stay in this clone."""
        if self.registry.remote is not None and not self.push:
            return None
        return Replicas(store=self.store, git=self.registry.git, output=self.output)

    def _check_merged(self, head: str, environment: Environment) -> None:
        """Others see only what review let in: with a remote, the commit and its releases are on its default branch."""
        if self._remote is None:
            return
        where = f"the default branch of `{self._remote}`"
        if self._merged is None or not self.registry.git.is_ancestor(head, self._merged):
            raise FatalError(
                f"commit {head[:12]} is not on {where}",
                "push or merge it first, then publish from there (or `--no-push` to try it with this clone alone)",
            )
        reviewed = self.registry.environment(environment.name, self._merged).ledger
        for release in environment.ledger.releases:
            if reviewed.release(release.tag) != release:
                alias = Alias(name=environment.name, tag=release.tag)
                raise FatalError(f"{where} does not release `{alias}` as this commit does", "`git pull`, then publish")

    def _release(self, alias: Alias, release: Release, head: str, report: Report) -> None:
        released = self.registry.released(alias)
        if released is None and self._create(alias, release, head, report):
            report.tags.append(str(alias))
        else:
            report.kept.append(str(alias))
        here = released or self.registry.released(alias)
        if here is None:
            raise FatalError(f"the tag of `{alias}` was removed while it was being published", "publish it again")
        if not _is_of(here.record, release):
            raise AliasExistsError(
                f"Alias already exists: `{alias}` was released with other content",
                "immutable tags never move: release this content under a new tag",
            )
        if not self._has_manifests(here.record):
            self._upload(here.environment, report, here.record)
        if released is not None:
            self._share(alias, released, report)
        if self._replicas is not None:
            self._replicas.release(alias, here.tag.commit, here.record)

    def _create(self, alias: Alias, release: Release, head: str, report: Report) -> bool:
        """Create the tag where everyone sees it first: on the remote, then here. False if another publisher did."""
        git = self.registry.git
        environment = self._commit_of(alias, release, head)
        manifests = self._upload(environment, report)
        record = TagRecord(
            name=alias.name, tag=alias.tag, request=release.request, locks=release.locks, manifests=manifests
        )
        tag = git.make_tag(alias.ref, environment.revision, record.message())
        try:
            if self._remote is not None:
                git.push_create(self._remote, alias.ref, tag)
                report.pushed.append(str(alias))
            git.create_ref(alias.ref, tag)
        except AliasExistsError:
            first = self.registry.released(alias)
            if first is None or not _is_of(first.record, release):
                raise
            return False
        return True

    def _share(self, alias: Alias, released: ReleasedTag, report: Report) -> None:
        """Push a tag that is here and that the remote lacks (of `--no-push`, or of a publisher that had no remote)."""
        there = self._remote_tags.get(alias.ref, "")
        if self._remote is None or there == released.tag.sha:
            return
        if there:
            raise AliasExistsError(
                f"Alias already exists: `{alias}` on `{self._remote}` is another tag than here",
                f"`git tag --delete {alias.name}@{alias.tag}` forgets the one here; then publish again",
                f"there: {there}\nhere: {released.tag.sha}",
            )
        if self._merged is None or not self.registry.git.is_ancestor(released.tag.commit, self._merged):
            raise FatalError(
                f"the tag of `{alias}` here is on commit {released.tag.commit[:12]}, which is not on the default "
                f"branch of `{self._remote}`",
                f"`git tag --delete {alias.name}@{alias.tag}`, then publish again",
            )
        self.registry.git.push_create(self._remote, alias.ref)
        report.pushed.append(str(alias))

    def _commit_of(self, alias: Alias, release: Release, head: str) -> Environment:
        """The newest commit up to HEAD that is whole and whose locks are the ones that the ledger releases."""
        directory = f"envs/{alias.name}"
        malformed: list[str] = []
        for commit in (head, *(item.sha for item in self.registry.git.log(directory, head, 0))):
            try:
                environment = self.registry.environment(alias.name, commit)
                if environment.ledger.release(alias.tag) == release and _locks_of(environment) == dict(release.locks):
                    environment.spec_files()
                    return environment
            except FatalError as error:  # noqa: PERF203 - not that commit, then; told if no other is found
                malformed.append(error.message)
        raise FatalError(
            f"`{alias}` is in the ledger, but no commit of this branch holds the locks that it releases",
            "its line was edited, or its commit was squashed away before it was published: remove that line, and "
            "release what is there now under a new tag",
            "\n".join(dict.fromkeys(malformed)),
        )

    def _upload(self, environment: Environment, report: Report, record: TagRecord | None = None) -> dict[str, str]:
        """Bring every package and manifest of an environment to the store; platform to manifest digest."""
        locks = [environment.lock(platform) for platform in environment.platforms]
        self._upload_packages(environment.name, locks, report)
        digests: dict[str, str] = {}
        for lock in locks:
            manifest = Manifest(lock=lock, python_seen=_python_seen(lock))
            wanted = record.manifests.get(lock.platform) if record is not None else None
            data = manifest.to_bytes()
            digest = sha256_hex(data)
            if wanted is not None and digest != wanted:
                raise FatalError(
                    f"`{environment.name}`: the manifest for {lock.platform} is not in `{self.store.url}`, and this "
                    f"machine makes {digest[:12]} where the tag names {wanted[:12]}",
                    "publish from a machine with the interpreter that it was released with",
                )
            self.store.create(keys.manifest_key(digest), data, digest)
            request = {
                "version": 1,
                "manifest": digest,
                "environment": environment.name,
                "commit": environment.revision,
            }
            key = keys.request_key(lock.request, lock.platform, lock.id)
            self.store.swap(key, canonical_json(request) + b"\n", None)  # who resolved it first stays written there
            digests[lock.platform] = digest
        return digests

    def _upload_packages(self, name: str, locks: Sequence[Lock], report: Report) -> None:
        packages = {package.sha256: package for lock in locks for package in lock.packages}
        packages = {sha256: package for sha256, package in packages.items() if sha256 not in report.seen}
        report.seen |= packages.keys()
        missing = [package for package in packages.values() if not self._has(package)]
        report.reused += len(packages) - len(missing)
        archives = fetch_archives(
            missing,
            store=None,
            mirrors=self.config.mirrors,
            directories=self.config.directories,
            offline=False,
            output=self.output,
        )
        with self.output.task(f"storing {name}", len(missing)) as task:
            for package in missing:
                archive = archives[package.sha256]
                if self.store.create(keys.object_key(package.sha256, package.extension), archive, package.sha256):
                    report.uploaded += 1
                    report.bytes += archive.stat().st_size
                else:
                    report.reused += 1
                task.advance()

    def _has(self, package: Package) -> bool:
        """Whether the store has a package; its size is compared, its hash by everyone who takes it from there."""
        key = keys.object_key(package.sha256, package.extension)
        there = self.store.size(key)
        if there is not None and package.size is not None and there != package.size:
            raise wrong_size(key, package.size, there, self.store.url)
        return there is not None

    def _has_manifests(self, record: TagRecord) -> bool:
        return all(self.store.size(keys.manifest_key(digest)) is not None for digest in record.manifests.values())


def _locks_of(environment: Environment) -> dict[str, str]:
    return {platform: environment.lock(platform).id for platform in environment.platforms}


def _is_of(record: TagRecord, release: Release) -> bool:
    return (record.request, dict(record.locks)) == (release.request, dict(release.locks))


def _python_seen(lock: Lock) -> str:
    if lock.interpreter == "conda":
        return next((item.version for item in lock.packages if item.key == ("conda", "python")), "")
    if lock.platform != current_platform():
        return ""
    from envtag.engines.uv_python import find_python

    return find_python(f"=={lock.python}.*").version
