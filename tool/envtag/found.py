"""An environment that was looked up: what every command may ask of it, and how git answers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Protocol

from envtag.errors import FatalError, UnreachableError
from envtag.names import Alias
from envtag.util.canonical import sha256_hex

if TYPE_CHECKING:
    from envtag.config import Directories
    from envtag.lock import Lock
    from envtag.manifest import Manifest
    from envtag.record import TagRecord
    from envtag.registry import Environment, Registry, ReleasedTag
    from envtag.store import Store


class Found(Protocol):
    """An environment that was looked up, in git or among the replicas of a store."""

    @property
    def alias(self) -> Alias:
        """What it was asked for as; the environment's name and a tag."""

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platforms that it is locked for, sorted."""

    @property
    def record(self) -> TagRecord | None:
        """What the tag that it was released as stands for; None where no tag leads to it."""

    @property
    def commit(self) -> str:
        """The commit that it is of; empty for what is not committed."""

    @property
    def location(self) -> str:
        """Where it was found, for people."""

    def lock_id(self, platform: str) -> str:
        """The id of the lock on a platform; nothing is read that was read and checked before.

        Raises:
            FatalError: It has no lock for the platform.
        """

    def lock(self, platform: str) -> Lock:
        """The lock on a platform, checked against what was released.

        Raises:
            FatalError: There is none, or it is not the one that was released.
        """

    def manifest(self, platform: str, store: Store | None) -> Manifest:
        """What to install on a platform: the lock, and the builds that the store has for it.

        What git and the store say of a released tag is compared.

        Raises:
            FatalError: There is no lock, or one link of the chain does not hold.
        """

    def resolved(self) -> tuple[str, str]:
        """When (ISO 8601, UTC) and by whom it was released or last committed; empty texts where that is not known."""

    def signed_by(self) -> str:
        """Who signed the tag that it was released as; empty where nobody did, or where that is not known."""

    def branch(self) -> str:
        """The branch of its open namespace, which nobody reviews; empty for what was reviewed."""

    def requested(self, platform: str = "") -> list[str]:
        """What its spec asks for, on one platform or on any; empty where that is not known."""

    def aliases(self, platform: str) -> list[str]:
        """The tags that mean this very lock today, as far as is known; mutable ones are marked."""

    def close(self) -> None:
        """End what reading it keeps running."""


class InRegistry(NamedTuple):
    """An environment of a registry at one revision; see `Found`.

    Attributes:
        alias: What it was asked for as; the environment's name and a tag.
        environment: Its files at that revision.
        registry: Where it was found.
        directories: Where the client remembers tags and lock ids.
        released: The tag that it was released as; None where no tag leads to it.
    """

    alias: Alias
    environment: Environment
    registry: Registry
    directories: Directories
    released: ReleasedTag | None = None

    @property
    def platforms(self) -> tuple[str, ...]:
        """See `Found.platforms`."""
        return self.environment.platforms

    @property
    def record(self) -> TagRecord | None:
        """See `Found.record`."""
        return self.released.record if self.released is not None else None

    @property
    def commit(self) -> str:
        """See `Found.commit`."""
        return self.environment.revision

    @property
    def location(self) -> str:
        """See `Found.location`."""
        return self.registry.location

    def resolved(self) -> tuple[str, str]:
        """See `Found.resolved`."""
        if self.released is not None:
            return self.released.tag.date, person(self.released.tag.tagger)
        directory, revision = self.environment.directory, self.environment.revision
        if not revision and self.registry.git.changed(directory):
            return "", ""
        commits = self.registry.git.log(directory, revision or "HEAD", 1)
        return (commits[0].date, person(commits[0].author)) if commits else ("", "")

    def lock_id(self, platform: str) -> str:
        """See `Found.lock_id`."""
        if self.record is not None:
            if platform not in self.record.locks:
                raise no_platform(self.alias, platform, tuple(sorted(self.record.locks)))
            return self.record.locks[platform]
        if platform not in self.platforms:
            raise no_platform(self.alias, platform, self.platforms)
        seen = self.directories.lock_ids / sha256_hex(self.environment.lock_bytes(platform))
        try:
            return seen.read_text("ascii")
        except FileNotFoundError:
            from envtag.util.files import write_atomic

            lock_id = self.lock(platform).id
            write_atomic(seen, lock_id.encode())
            return lock_id

    def lock(self, platform: str) -> Lock:
        """See `Found.lock`."""
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

    def manifest(self, platform: str, store: Store | None) -> Manifest:
        """See `Found.manifest`; where the store has none, it is the lock alone."""
        from envtag import manifests  # with all that reads a store, which a look-up has no use for

        lock = self.lock(platform)
        if store is None:
            return manifests.alone(lock)
        if self.released is None:
            return manifests.of_lock(lock, store)
        record = self.released.record
        alias = Alias(name=record.name, tag=record.tag)
        return manifests.of_release(
            lock, alias, self.released.tag.commit, record, store, memory=self.directories.known_tags
        )

    def signed_by(self) -> str:
        """See `Found.signed_by`."""
        if self.released is None:
            return ""
        from envtag.signatures import signed_by

        registry = self.registry
        return signed_by(self.released.tag, registry.git, registry.default_branch(), registry.signers)

    def branch(self) -> str:
        """See `Found.branch`."""
        return self.registry.known_branch(self.environment.name)

    def requested(self, platform: str = "") -> list[str]:
        """See `Found.requested`."""
        from envtag.requested import requested  # what only looks an environment up has no use for it

        return requested(self.environment, self.directories.requested, platform)

    def aliases(self, platform: str) -> list[str]:
        """See `Found.aliases`."""
        name, lock_id = self.environment.name, self.lock_id(platform)
        try:
            now = self.registry.environment(name) if self.registry.has(name) else self.environment
        except UnreachableError:  # which tags there are by now is not known
            now = self.environment
        tags = [item.tag for item in now.ledger.releases if item.locks.get(platform) == lock_id]
        pointers = [pointer for pointer, tag in sorted(now.ledger.pointers.items()) if tag in tags]
        shown = [f"{name}:{tag}" for tag in tags] + [f"{name}:{pointer} (mutable)" for pointer in pointers]
        mine = f"{name}:{self.alias.tag} (mutable)"
        if self.alias.mutable and mine not in shown:
            shown.insert(0, mine)
        return shown

    def close(self) -> None:
        """See `Found.close`."""
        self.registry.close()


def no_platform(alias: Alias, platform: str, available: tuple[str, ...]) -> FatalError:
    """The error for a platform that an environment was not locked for."""
    listed = ", ".join(f"`{name}`" for name in available) or "none"
    return FatalError(
        f"`{alias}` is not locked for `{platform}`",
        f"platforms available: {listed}; others are added with `envtag resolve --platform` or in `envtag.yml`",
    )


def person(author: str) -> str:
    """The name of a person, `Name <mail>`, without the mail."""
    return re.sub(r"\s*<.*$", "", author)
