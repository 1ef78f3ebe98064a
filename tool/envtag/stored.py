"""Environments by what a store says of them, for who has no git in reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from envtag import resolutions, trust
from envtag.errors import FatalError
from envtag.found import no_platform, person
from envtag.lookup import check_digest, parse
from envtag.manifests import read_manifest
from envtag.names import Alias, FullId, alias_from_ref, parse_name
from envtag.record import TagRecord
from envtag.replicas import Replica, read_replica
from envtag.store import Store, keys
from envtag.util.parallel import in_parallel

if TYPE_CHECKING:
    from envtag.lock import Lock
    from envtag.manifest import Manifest

_TAMPERED = "it was tampered with: do not use it, and tell the registry's owners"


@dataclass(frozen=True, slots=True, kw_only=True)
class InStore:
    """An environment that a store has a replica of; see `Found`.

    Attributes:
        alias: What it was asked for as.
        store: Where it is.
        replica: What the store says of it.
    """

    alias: Alias
    store: Store
    replica: Replica
    _read: dict[str, Manifest] = field(default_factory=dict, repr=False, compare=False)

    @property
    def platforms(self) -> tuple[str, ...]:
        """See `Found.platforms`."""
        return tuple(sorted(self.replica.locks))

    @property
    def record(self) -> TagRecord | None:
        """See `Found.record`; a mutable tag has none here."""
        replica = self.replica
        if Alias(name=replica.name, tag=replica.tag).mutable:
            return None
        return _record(replica)

    @property
    def commit(self) -> str:
        """See `Found.commit`."""
        return self.replica.commit

    @property
    def location(self) -> str:
        """See `Found.location`."""
        return self.store.url

    def lock_id(self, platform: str) -> str:
        """See `Found.lock_id`."""
        if platform not in self.replica.locks:
            raise no_platform(self.alias, platform, self.platforms)
        return self.replica.locks[platform]

    def lock(self, platform: str) -> Lock:
        """See `Found.lock`."""
        return self.manifest(platform, None).lock

    def manifest(self, platform: str, store: Store | None) -> Manifest:
        """See `Found.manifest`; there is no other store than the one that it was found in."""
        del store
        wanted = self.lock_id(platform)
        if platform not in self._read:
            digest = self.replica.manifests[platform]
            found = read_manifest(self.store, digest, f"`{self.alias}`")
            where = f"{self.store.url}/{keys.manifest_key(digest)}"
            if found is None:
                raise FatalError(
                    f"{where} is not there, and it is the manifest of `{self.alias}`",
                    "publish the environment again, from a clone of its registry",
                )
            request = self.replica.request or found.lock.request
            if (found.lock.id, found.lock.platform, found.lock.request) != (wanted, platform, request):
                raise FatalError(
                    f"{where}: the manifest of `{self.alias}` for {platform} is of `{found.lock.request}:"
                    f"{found.lock.id}` for {found.lock.platform}, where its replica says `{request}:{wanted}`",
                    _TAMPERED,
                )
            self._read[platform] = found
        return self._read[platform]

    def resolved(self) -> tuple[str, str]:
        """See `Found.resolved`: of the first lock of the request, which is what the store keeps a record of."""
        platform = self.platforms[0]
        request = self.replica.request or self.lock(platform).request
        key = keys.request_key(request, platform, self.replica.locks[platform])
        data = self.store.read(key)
        if data is None:
            return "", ""
        item = resolutions.parse(data, key, self.store.url)
        return item.when, person(item.who)

    def signed_by(self) -> str:
        """See `Found.signed_by`: a replica does not say."""
        return ""

    def branch(self) -> str:
        """See `Found.branch`: as the replica says."""
        return self.replica.branch

    def requested(self, platform: str = "") -> list[str]:
        """See `Found.requested`: a replica does not say."""
        del platform
        return []

    def aliases(self, platform: str) -> list[str]:
        """See `Found.aliases`: the one that it was asked for as."""
        del platform
        return [f"{self.alias.name}:{self.alias.tag}{' (mutable)' if self.alias.mutable else ''}"]

    def close(self) -> None:
        """See `Found.close`: nothing is."""


def find_stored(
    text: str, store: Store, memory: Path, environ: Mapping[str, str], identities: Sequence[str]
) -> InStore | None:
    """Look an environment up among what a store says; None where it says nothing of it.

    Args:
        text: What `lookup.find` takes.
        store: The store.
        memory: The client's memory of tags; an immutable tag is compared with it, and remembered.
        environ: Variables for `@{VAR}`.
        identities: What the tags of the registry are remembered under, beside the store's URL.

    Raises:
        FatalError: It is malformed, or one link of its chain does not hold.
    """
    reference = parse(text, environ)
    if isinstance(reference, FullId):
        return _by_id(reference, store)
    replica = read_replica(store, reference)
    if replica is None:
        return None
    if reference.mutable:
        if reference.digest:
            raise FatalError(
                f"`{reference}`: a digest goes with an immutable tag, and where `{reference.tag}` leads, only git says",
                "name the immutable tag",
            )
    else:
        check_digest(reference, _record(replica))
        for identity in dict.fromkeys((*identities, store.url)):
            trust.remember(memory, identity, reference, replica.locks)
    return InStore(alias=reference, store=store, replica=replica)


def stored_replicas(store: Store, prefix: str) -> dict[Alias, Replica]:
    """Every replica of the environments whose names begin with a text, by name and tag.

    Raises:
        FatalError: One is malformed, or is of another alias.
    """
    found = [
        alias_from_ref(f"refs/tags/{entry.key[len(root) :].removesuffix('.json')}")
        for root in (keys.TAGS, keys.POINTERS)
        for entry in store.list(root + prefix)
    ]
    aliases = sorted((alias for alias in found if alias is not None), key=lambda alias: (alias.name, alias.tag))
    replicas = in_parallel(lambda alias: read_replica(store, alias), aliases)
    return {alias: replica for alias, replica in zip(aliases, replicas, strict=True) if replica is not None}


def _by_id(wanted: FullId, store: Store) -> InStore | None:
    """What a lock is on every platform that the request has it for (one, but for locks without packages)."""
    records = [item for item in resolutions.find(store, wanted.request) if item.lock == wanted.lock]
    if not records:
        return None
    replica = Replica(
        name=records[0].environment,
        tag="latest",
        commit=records[0].commit,
        request=wanted.request,
        locks={item.platform: item.lock for item in records},
        manifests={item.platform: item.manifest for item in records},
    )
    return InStore(alias=Alias(name=parse_name(replica.name)), store=store, replica=replica)


def _record(replica: Replica) -> TagRecord:
    return TagRecord(
        name=replica.name,
        tag=replica.tag,
        request=replica.request,
        locks=replica.locks,
        manifests=replica.manifests,
    )
