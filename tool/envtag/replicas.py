"""Replicas of tags in the store, for who has no git: a released one is created once, a pointer only moves forward."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
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
_KEYS = frozenset({"version", "name", "tag", "commit", "locks", "manifests"})
_OPTIONAL = frozenset({"request", "branch"})
_HASH = {"locks": re.compile(r"[0-9a-f]{40}"), "manifests": re.compile(r"[0-9a-f]{64}")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """What one replica says.

    Attributes:
        name: The environment's name.
        tag: Its tag, immutable or mutable.
        commit: The commit that it was at.
        request: The request id of a released tag; empty for a pointer.
        locks: Platform to lock id.
        manifests: Platform to SHA-256 of its manifest.
        branch: The branch of its open namespace, where nobody reviewed it; empty for one that was reviewed.
    """

    name: str
    tag: str
    commit: str
    request: str
    locks: Mapping[str, str]
    manifests: Mapping[str, str]
    branch: str = ""


def parse_replica(data: bytes, where: str) -> Replica:
    """Read a replica; whether it says the truth is for the reader to check.

    Raises:
        FatalError: It is damaged, or of another version.
    """
    hint = "it is damaged: remove it and publish again"
    try:
        document = json.loads(data)
    except ValueError as error:
        raise FatalError(f"{where}: not JSON: {error}", hint) from error
    if not isinstance(document, dict) or document.get("version") != _VERSION:
        raise FatalError(f"{where}: not a replica of version {_VERSION}", "a newer envtag may read it")
    if set(document) | _OPTIONAL != _KEYS | _OPTIONAL:
        raise FatalError(f"{where}: not a replica: it has {', '.join(sorted(document))}", hint)
    texts = {key: document.get(key, "") for key in ("name", "tag", "commit", "request", "branch")}
    if not all(isinstance(text, str) for text in texts.values()):
        raise FatalError(f"{where}: its name, tag, commit, request or branch is no text", hint)
    tables = {"locks": document["locks"], "manifests": document["manifests"]}
    for key, table in tables.items():
        if not isinstance(table, dict) or not all(
            isinstance(value, str) and _HASH[key].fullmatch(value) for value in table.values()
        ):
            raise FatalError(f"{where}: `{key}` is no table of platforms", hint)
    if set(tables["locks"]) != set(tables["manifests"]):
        raise FatalError(f"{where}: `locks` and `manifests` are not of the same platforms", hint)
    return Replica(**texts, **tables)


def read_replica(store: Store, alias: Alias) -> Replica | None:
    """The replica of an alias; None where a store has none.

    Raises:
        FatalError: What is there is no replica, or that of another alias.
    """
    key = keys.pointer_key(alias) if alias.mutable else keys.tag_key(alias)
    data = store.read(key)
    if data is None:
        return None
    where = f"{store.url}/{key}"
    replica = parse_replica(data, where)
    if (replica.name, replica.tag) != (alias.name, alias.tag):
        raise FatalError(
            f"{where}: what should be the replica of `{alias.name}:{alias.tag}` is of `{replica.name}:{replica.tag}`",
            "it was tampered with: do not use it, and tell the registry's owners",
        )
    return replica


def check_agreement(replica: Replica, commit: str, record: TagRecord, where: str) -> None:
    """Hold the replica of a released tag to what git says of that tag.

    Args:
        replica: What the store says.
        commit: The commit that the git tag is on.
        record: The record in the git tag.
        where: The store, for the error.

    Raises:
        FatalError: They differ: an immutable tag is seen with two contents.
    """
    pairs = [("commit", commit, replica.commit), ("request", record.request, replica.request)]
    for what, in_git, in_store in (
        ("lock", record.locks, replica.locks),
        ("manifest", record.manifests, replica.manifests),
    ):
        pairs += [
            (f"{what} for {platform}", in_git.get(platform, "none"), in_store.get(platform, "none"))
            for platform in sorted({*in_git, *in_store})
        ]
    for what, told, stored in pairs:
        if told != stored:
            raise FatalError(
                f"`{record.name}:{record.tag}` is two things: {what} {told} in git, {stored} in its replica in {where}",
                "an immutable tag never changes, so one of the two is false: do not use it, and ask the registry's "
                "owners; or the store is shared with another registry",
            )


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

    def release(self, alias: Alias, commit: str, record: TagRecord, *, branch: str = "") -> None:
        """Replicate a released tag, where there is no replica of it.

        Args:
            alias: An immutable tag.
            commit: The commit that its git tag is on.
            record: The record in its git tag.
            branch: The branch of its open namespace; empty for none.

        Raises:
            AliasExistsError: There is one with other content, which stays.
        """
        replica = Replica(
            name=alias.name, tag=alias.tag, commit=commit, request=record.request, locks=record.locks,
            manifests=record.manifests, branch=branch,
        )  # fmt: skip
        body = _document(replica)
        key = keys.tag_key(alias)
        if not self.store.swap(key, body, None) and not _same(self.store.read(key), body):
            raise AliasExistsError(
                f"Alias already exists: `{alias}` in `{self.store.url}` with other content",
                "the store is shared with another registry, or was tampered with: compare it with the git tag",
            )

    def point(
        self, alias: Alias, commit: str, locks: Mapping[str, str], manifests: Mapping[str, str], *, branch: str = ""
    ) -> None:
        """Move a pointer's replica forward, never back and never over what this clone does not know.

        Args:
            alias: A mutable tag.
            commit: The commit at which it means this.
            locks: Platform to lock id.
            manifests: Platform to manifest digest.
            branch: The branch of its open namespace; empty for none.

        Raises:
            FatalError: What is there is no replica.
        """
        key = keys.pointer_key(alias)
        body = _document(
            Replica(
                name=alias.name, tag=alias.tag, commit=commit, request="", locks=locks, manifests=manifests,
                branch=branch,
            )
        )  # fmt: skip
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


def _document(replica: Replica) -> bytes:
    document: dict[str, Any] = {
        "version": _VERSION,
        "name": replica.name,
        "tag": replica.tag,
        "commit": replica.commit,
        "locks": dict(replica.locks),
        "manifests": dict(replica.manifests),
    }
    if replica.request:
        document["request"] = replica.request
    if replica.branch:
        document["branch"] = replica.branch
    return canonical_json(document) + b"\n"


def _same(there: bytes | None, body: bytes) -> bool:
    """Whether two replicas of a released tag say the same of it; its namespace may be open or closed by now."""
    if there is None or there == body:
        return there == body
    try:
        found, made = (replace(parse_replica(data, "a replica"), branch="") for data in (there, body))
    except FatalError:  # what is there is none at all
        return False
    return found == made


def _commit(data: bytes, where: str) -> str:
    """The commit of a replica."""
    try:
        document = json.loads(data)
    except ValueError as error:
        raise FatalError(f"{where}: not JSON: {error}", "it is damaged: remove it and publish again") from error
    if not isinstance(document, dict) or document.get("version") != _VERSION:
        raise FatalError(f"{where}: not a replica of version {_VERSION}", "a newer envtag may read it")
    return str(document.get("commit", ""))
