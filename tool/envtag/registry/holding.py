"""Which environments of a registry hold a lock: as `latest` has them, or once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envtag.registry.environment import ENVIRONMENTS

if TYPE_CHECKING:
    from envtag.registry.model import Registry


def names_holding(registry: Registry, lock: str) -> list[str]:
    """The names of environments whose ledger or locks, as `latest` has them, hold a lock id; ledgers' first.

    Raises:
        UnreachableError: The remote of a registry that is elsewhere does not answer.
    """
    revisions = [registry.head() if registry.worktree is None else ""]
    revisions += [head for branch in registry.open_branches() if (head := branch.known()) is not None]
    found: dict[str, None] = {}
    for revision in revisions:
        if revision:
            registry.fetch_content(revision, ENVIRONMENTS)
        found.update(dict.fromkeys(_holding(registry, lock, revision)))
    return list(found)


def once_holding(registry: Registry, lock: str) -> Iterator[tuple[str, str]]:
    """Name and commit of environments that held a lock id at some time, by the history that is here."""
    if registry.is_clone:  # it has none
        return
    for commit in registry.git.commits_about(lock, ENVIRONMENTS, 10):
        for revision in (commit, f"{commit}^"):
            yield from ((name, revision) for name in _holding(registry, lock, revision))


def _holding(registry: Registry, lock: str, revision: str) -> list[str]:
    names: dict[str, None] = {}
    for pattern in (f"{ENVIRONMENTS}/*/tags.yml", f"{ENVIRONMENTS}/*-lock.yml"):
        for path in registry.git.grep(lock, (pattern,), revision):
            names[path[len(ENVIRONMENTS) + 1 :].rpartition("/")[0]] = None
    return list(names)
