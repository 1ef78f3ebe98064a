"""Replicas of tags in the store, for who has no git: a released one is created once, a pointer only moves forward."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from envtag.errors import AliasExistsError, FatalError
from envtag.store import Store, keys
from envtag.util.canonical import canonical_json

if TYPE_CHECKING:
    from envtag.git import Git
    from envtag.names import Alias
    from envtag.output import Output
    from envtag.record import TagRecord

_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicas:
    """The replicas of one store.

    Attributes:
        store: Where they are.
        git: The repository whose history says which of two commits is the later one.
        output: Where it is told what was left as it is.
    """

    store: Store
    git: Git
    output: Output

    def release(self, alias: Alias, commit: str, record: TagRecord) -> None:
        """Replicate a released tag, where there is no replica of it.

        Args:
            alias: An immutable tag.
            commit: The commit that its git tag is on.
            record: The record in its git tag.

        Raises:
            AliasExistsError: There is one with other content, which stays.
        """
        body = _document(alias, commit, record.locks, record.manifests, request=record.request)
        key = keys.tag_key(alias)
        if not self.store.swap(key, body, None) and self.store.read(key) != body:
            raise AliasExistsError(
                f"Alias already exists: `{alias}` in `{self.store.url}` with other content",
                "the store is shared with another registry, or was tampered with: compare it with the git tag",
            )

    def point(self, alias: Alias, commit: str, locks: Mapping[str, str], manifests: Mapping[str, str]) -> None:
        """Move a pointer's replica forward, never back and never over what this clone does not know.

        Args:
            alias: A mutable tag.
            commit: The commit at which it means this.
            locks: Platform to lock id.
            manifests: Platform to manifest digest.

        Raises:
            FatalError: What is there is no replica.
        """
        key = keys.pointer_key(alias)
        body = _document(alias, commit, locks, manifests)
        moved = False
        while not moved:
            found = self.store.read_versioned(key)
            if found is None:
                moved = self.store.swap(key, body, None)
                continue
            data, version = found
            there = _commit(data, f"{self.store.url}/{key}")
            if there == commit or self.git.is_ancestor(commit, there):
                return
            if not self.git.is_ancestor(there, commit):
                self.output.warn(
                    f"`{alias}` in the store is at commit {there[:12]}, which is not before {commit[:12]}: left"
                )
                return
            moved = self.store.swap(key, body, version)


def _document(
    alias: Alias, commit: str, locks: Mapping[str, str], manifests: Mapping[str, str], *, request: str = ""
) -> bytes:
    document: dict[str, Any] = {
        "version": _VERSION,
        "name": alias.name,
        "tag": alias.tag,
        "commit": commit,
        "locks": dict(locks),
        "manifests": dict(manifests),
    }
    if request:
        document["request"] = request
    return canonical_json(document) + b"\n"


def _commit(data: bytes, where: str) -> str:
    """The commit of a replica."""
    try:
        document = json.loads(data)
    except ValueError as error:
        raise FatalError(f"{where}: not JSON: {error}", "it is damaged: remove it and publish again") from error
    if not isinstance(document, dict) or document.get("version") != _VERSION:
        raise FatalError(f"{where}: not a replica of version {_VERSION}", "a newer envtag may read it")
    return str(document.get("commit", ""))
