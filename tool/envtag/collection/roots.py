"""What must be kept, whatever else: released tags, unreleased lines of ledgers, and replicas in the store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.ledger import Ledger
from envtag.registry.opened import open_heads
from envtag.registry.release import check_record
from envtag.registry.tags import tag_refs
from envtag.replicas import parse_replica
from envtag.store import keys
from envtag.util.parallel import in_parallel

if TYPE_CHECKING:
    from envtag.names import Alias
    from envtag.record import TagRecord
    from envtag.registry import Registry
    from envtag.store import Store

_LEDGER = "/tags.yml"
_ENVIRONMENTS = "envs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Roots:
    """What is needed, and by which environments.

    Attributes:
        manifests: SHA-256 of a manifest to the names of the environments that need it.
        locks: Id of a lock to the names of the environments that release it, where no tag says so yet.
        here: SHA-256 of each manifest that must be in the store, and what says so.
        releases: What each released tag needs; all of it is in the store, or none (a release to another store).
    """

    manifests: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    locks: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    here: dict[str, str] = field(default_factory=dict)
    releases: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)


def git_roots(registry: Registry, roots: Roots) -> None:
    """Add what the registry needs: tags here and on the remote, and ledgers at each place that it has for them.

    These are the default branch, HEAD, the work tree, and the branches of namespaces that are or once were open.

    Args:
        registry: The registry; its remote is asked.
        roots: Added to.

    Raises:
        FatalError: The remote cannot be reached, or a tag or a ledger cannot be read.
    """
    ledgers = list(_ledgers(registry))
    known = {name for name, _ in ledgers}
    refs = tag_refs(registry)
    released: dict[Alias, TagRecord] = {}
    for alias in refs.aliases():
        for sha in refs.objects(alias):
            record = _record(registry, alias, sha, known)
            if record is None:
                continue
            released[alias] = record
            roots.releases.append((str(alias), tuple(record.manifests.values())))
            for digest in record.manifests.values():
                roots.manifests[digest].add(alias.name)
    tags = {(alias.name, alias.tag): dict(record.locks) for alias, record in released.items()}
    for name, ledger in ledgers:
        for release in ledger.releases:
            if tags.get((name, release.tag)) != dict(release.locks):
                for lock in release.locks.values():
                    roots.locks[lock].add(name)


def store_roots(store: Store, roots: Roots) -> None:
    """Add what the replicas in the store need, of this registry and of every other that shares the store.

    Args:
        store: The store.
        roots: Added to.

    Raises:
        FatalError: A replica cannot be read.
    """
    listed = [entry.key for prefix in (keys.TAGS, keys.POINTERS) for entry in store.list(prefix)]
    for key, data in zip(listed, in_parallel(store.read, listed), strict=True):
        if data is None:
            raise FatalError(f"`{key}` was removed from {store.url} while it was read", "run gc again")
        replica = parse_replica(data, f"`{key}` in {store.url}")
        for digest in replica.manifests.values():
            roots.manifests[digest].add(replica.name)
            roots.here[digest] = f"`{key}`"


def _record(registry: Registry, alias: Alias, sha: str, known: set[str]) -> TagRecord | None:
    """The record of a tag; None if it was removed, or is a tag of the repository's own that only looks like ours."""
    try:
        tag = registry.git.tag(sha)
        return None if tag is None else check_record(alias, tag)
    except FatalError as error:
        if alias.name not in known:
            return None
        hint = "nothing was deleted: `envtag verify --all` says more"
        raise FatalError(f"`{alias}`: {error.message}", hint, error.detail) from error


def _ledgers(registry: Registry) -> Iterator[tuple[str, Ledger]]:
    """Every environment's ledger, wherever it may say something else."""
    git = registry.git
    commits = dict.fromkeys((registry.fetch_default_branch(), git.commit_of("HEAD"), *open_heads(registry)))
    for commit in commits:
        if commit is None:
            continue
        for path in git.list_tree(commit, _ENVIRONMENTS):
            if path.endswith(_LEDGER):
                where = f"{path} at {commit[:12]}"
                yield _name(path), Ledger.parse(git.read(commit, path) or b"", where)
    if registry.worktree is not None:
        for name in registry.names():
            yield name, registry.environment(name).ledger


def _name(path: str) -> str:
    return path[len(_ENVIRONMENTS) + 1 : -len(_LEDGER)]
