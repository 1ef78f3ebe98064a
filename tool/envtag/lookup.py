"""From what a person names to what is locked: alias, digest or full id, on one platform, every link checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from envtag import trust
from envtag.errors import FatalError
from envtag.names import Alias, FullId, Pathspec, Reference, parse_reference, substitute

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.lock import Lock
    from envtag.record import TagRecord
    from envtag.registry import Environment, Registry, ReleasedTag


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An environment of a registry at one revision.

    Attributes:
        alias: What it was asked for as; the environment's name and a tag.
        environment: Its files at that revision.
        registry: Where it was found.
        released: The tag that it was released as; None where no tag leads to it.
    """

    alias: Alias
    environment: Environment
    registry: Registry
    released: ReleasedTag | None = None

    @property
    def record(self) -> TagRecord | None:
        """The record of the tag that it was released as, if it was."""
        return self.released.record if self.released is not None else None

    def resolved(self) -> tuple[str, str]:
        """When (ISO 8601, UTC) and by whom it was released or last committed; empty texts for what is not committed."""
        if self.released is not None:
            return self.released.tag.date, _person(self.released.tag.tagger)
        directory, revision = self.environment.directory, self.environment.revision
        if not revision and self.registry.git.changed(directory):
            return "", ""
        commits = self.registry.git.log(directory, revision or "HEAD", 1)
        return (commits[0].date, _person(commits[0].author)) if commits else ("", "")

    def lock_id(self, platform: str) -> str:
        """The id of the lock on a platform, from the tag's record where there is one, from the lock otherwise.

        Raises:
            FatalError: The environment has no lock for the platform.
        """
        if self.record is not None:
            if platform not in self.record.locks:
                raise no_platform(self.alias, platform, tuple(sorted(self.record.locks)))
            return self.record.locks[platform]
        return self.lock(platform).id

    def lock(self, platform: str) -> Lock:
        """The lock on a platform, checked against the tag's record where there is one.

        Raises:
            FatalError: There is none, or it is not the one that was released.
        """
        environment = self.environment
        if platform not in environment.platforms:
            raise no_platform(self.alias, platform, environment.platforms)
        lock = environment.lock(platform)
        if self.record is not None:
            released = self.record.locks.get(platform)
            if lock.id != released:
                raise FatalError(
                    f"`{self.alias}`: the lock for {platform} has id {lock.id}, but the tag released {released}",
                    "the tag or its commit was tampered with: do not use it, and tell the registry's owners",
                )
        return lock


def no_platform(alias: Alias, platform: str, available: tuple[str, ...]) -> FatalError:
    """The error for a platform that an environment was not locked for."""
    listed = ", ".join(f"`{name}`" for name in available) or "none"
    return FatalError(
        f"`{alias}` is not locked for `{platform}`",
        f"platforms available: {listed}; others are added with `envtag resolve --platform` or in `envtag.yml`",
    )


def find(text: str, registry: Registry, config: Config, environ: Mapping[str, str]) -> Found:
    """Look an environment up by anything that names one.

    Args:
        text: `name[:tag][@sha256:…]` or `REQUEST:LOCK`; `@{VAR}` is substituted from `environ`.
        registry: Where to look.
        config: The client's settings; its memory of tags is compared and extended.
        environ: Variables for `@{VAR}`.

    Raises:
        FatalError: There is no such environment, it is malformed, or one link of its chain does not hold.
    """
    reference: Reference = parse_reference(substitute(text, environ))
    if isinstance(reference, Pathspec):
        raise FatalError(
            f"`{text}` is the pathspec of a Metaflow step, which a registry does not hold",
            "name an alias (`name:tag`) or a full id (`REQUEST:LOCK`)",
        )
    if isinstance(reference, FullId):
        return _by_id(reference, registry, config)
    return _by_alias(reference, registry, config)


def _by_alias(alias: Alias, registry: Registry, config: Config) -> Found:
    if alias.tag == "latest":
        if alias.digest:
            raise FatalError(f"`{alias}`: a digest goes with an immutable tag, and `latest` is not one")
        return _latest(alias, registry)
    if alias.mutable:
        environment = registry.environment(alias.name)
        target = environment.ledger.pointers.get(alias.tag)
        if target is None:
            raise FatalError(
                f"`{alias.name}` has no `{alias.tag}`",
                f"point it at a release: `envtag alias {alias.name}:TAG {alias}`",
            )
        pointed = _by_alias(Alias(name=alias.name, tag=target, digest=alias.digest), registry, config)
        return replace(pointed, alias=alias)
    return _immutable(alias, registry, config)


def _immutable(alias: Alias, registry: Registry, config: Config) -> Found:
    memory = config.directories.known_tags
    released = registry.released(alias, trust.checked_tag(memory, registry.identity, alias))
    if released is None:
        return _unreleased(alias, registry)
    record = released.record
    if alias.digest and alias.digest.removeprefix("sha256:") not in {
        *record.manifests.values(),
        record.digest.removeprefix("sha256:"),
    }:
        raise FatalError(
            f"`{alias.name}:{alias.tag}` is not {alias.digest}",
            f"it was released as {record.digest}; either the digest is of another environment or the tag moved",
        )
    trust.remember(memory, registry.identity, alias, record.locks, released.tag.sha)
    return Found(alias=alias, environment=released.environment, registry=registry, released=released)


def _unreleased(alias: Alias, registry: Registry) -> Found:
    """A tag that the ledger holds but that is not published: readable while the locks are still its own."""
    environment = registry.environment(alias.name)
    release = environment.ledger.release(alias.tag)
    known = [*(item.tag for item in environment.ledger.releases), "latest"]
    if release is None:
        raise FatalError(f"`{alias.name}` has no tag `{alias.tag}`", f"it has {', '.join(f'`{tag}`' for tag in known)}")
    if alias.digest:
        raise FatalError(
            f"`{alias.name}:{alias.tag}` is not published, so that it has no digest to compare with {alias.digest}",
            f"publish it first: `envtag publish {alias.name}`",
        )
    locks = {platform: environment.lock(platform).id for platform in environment.platforms}
    if locks != dict(release.locks):
        raise FatalError(
            f"`{alias}` is in the ledger but was never published, and its locks have changed since",
            f"publish it from a commit that holds them: `envtag publish {alias.name}`",
        )
    return Found(alias=alias, environment=environment, registry=registry)


def _latest(alias: Alias, registry: Registry) -> Found:
    return Found(alias=alias, environment=registry.environment(alias.name), registry=registry)


def _by_id(wanted: FullId, registry: Registry, config: Config) -> Found:
    for name in registry.names_holding(wanted.lock):
        environment = registry.environment(name)
        for release in environment.ledger.releases:
            if release.request == wanted.request and wanted.lock in release.locks.values():
                return _by_alias(Alias(name=name, tag=release.tag), registry, config)
        for platform in environment.platforms:
            lock = environment.lock(platform)
            if (lock.request, lock.id) == (wanted.request, wanted.lock):
                return _latest(Alias(name=name), registry)
    raise FatalError(
        f"no environment of `{registry.location}` has the id `{wanted.request}:{wanted.lock}`",
        "`envtag list` shows what there is",
    )


def _person(author: str) -> str:
    """The name of `Name <mail>`."""
    return re.sub(r"\s*<.*$", "", author)
