"""The client's memory of immutable tags: what a tag was when it was first used here, it must stay."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from envtag.errors import FatalError
from envtag.util.canonical import canonical_json, sha256_hex
from envtag.util.files import write_atomic
from envtag.util.locks import file_lock

if TYPE_CHECKING:
    from envtag.names import Alias

_VERSION = 1
_KEYS = {"version", "registry", "alias", "locks", "tag"}
_OPTIONAL = {"signers"}


class _Known(NamedTuple):
    """What a file remembers: platform to lock id, the tag object, and what its signature was held to."""

    locks: dict[str, str]
    tag: str
    signers: str


def remember(
    directory: Path, registry_identity: str, alias: Alias, locks: Mapping[str, str], tag: str = "", signers: str = ""
) -> None:
    """Store the ids behind an immutable tag at its first use; at later ones, hold the tag to them.

    Platforms that were not known yet are added; what is known is never changed.

    Args:
        directory: The memory (`Directories.known_tags`).
        registry_identity: The registry's stable key; tags of two registries do not meet. For what a store says of
            its tags, the store's URL.
        alias: An immutable tag.
        locks: Platform to lock id, as the registry says now.
        tag: Name of the tag object whose every link was checked; empty where there was none, and what is known stays.
        signers: What its signature was held to (`SigningRule.digest`); empty where none was demanded.

    Raises:
        FatalError: A platform has another lock id than before, or the memory cannot be read or written.
    """
    if alias.mutable:
        raise ValueError(f"only immutable tags are remembered, not {alias}")
    path = known_tag_path(directory, registry_identity, alias)
    try:
        if _merged(path, alias, locks, tag, signers) is None:
            return
        with file_lock(_home(directory, registry_identity) / ".lock"):
            merged = _merged(path, alias, locks, tag, signers)
            if merged is None:
                return
            content: dict[str, Any] = {
                "version": _VERSION,
                "registry": registry_identity,
                "alias": f"{alias.name}:{alias.tag}",
                "locks": merged.locks,
                "tag": merged.tag,
            }
            if merged.signers:
                content["signers"] = merged.signers
            write_atomic(path, canonical_json(content) + b"\n")
    except OSError as error:
        raise FatalError(
            f"`{path}` cannot be used to remember tags: {error.strerror}",
            "point `ENVTAG_HOME` at a directory that can be written",
        ) from error


def check(directory: Path, registry_identity: str, alias: Alias, locks: Mapping[str, str]) -> None:
    """Hold an immutable tag to what is remembered of it, if anything is; nothing is stored.

    Raises:
        FatalError: A platform has another lock id than before, or the memory is malformed.
    """
    _merged(known_tag_path(directory, registry_identity, alias), alias, locks, "", "")


def checked_tag(directory: Path, registry_identity: str, alias: Alias) -> str:
    """The name of the tag object whose every link was checked when the alias was last used; empty if it never was.

    Raises:
        FatalError: The memory is malformed.
    """
    return _read(known_tag_path(directory, registry_identity, alias)).tag


def checked_signers(directory: Path, registry_identity: str, alias: Alias) -> str:
    """What the signature of that tag object was held to (`SigningRule.digest`); empty where none was demanded.

    Raises:
        FatalError: The memory is malformed.
    """
    return _read(known_tag_path(directory, registry_identity, alias)).signers


def known_tag_path(directory: Path, registry_identity: str, alias: Alias) -> Path:
    """The file that remembers a tag of a registry."""
    return _home(directory, registry_identity) / f"{alias.name}@{alias.tag}.json"


def _home(directory: Path, registry_identity: str) -> Path:
    return directory / sha256_hex(registry_identity.rstrip("/").encode())[:16]


def _merged(path: Path, alias: Alias, locks: Mapping[str, str], tag: str, signers: str) -> _Known | None:
    """What is to be remembered, or None if that is what is remembered already."""
    known = _read(path)
    for platform, lock in sorted(locks.items()):
        before = known.locks.get(platform, lock)
        if before != lock:
            raise FatalError(
                f"{alias.name}:{alias.tag} changed on {platform}: it was lock {before} here, now it is {lock}",
                f"an immutable tag never changes, so one of the two is false: `envtag show {alias.name}:{alias.tag}` "
                f"and `git for-each-ref {alias.ref}` show what the registry says now; ask its owners; "
                f"if the change is legitimate, remove `{path}`",
            )
    merged = _Known({**known.locks, **locks}, tag, signers) if tag else known._replace(locks={**known.locks, **locks})
    return None if merged == known else merged


def _read(path: Path) -> _Known:
    """What a file remembers; nothing where there is no file."""
    try:
        document: Any = json.loads(path.read_bytes())
    except FileNotFoundError:
        return _Known({}, "", "")
    except ValueError as error:
        raise _malformed(path, f"not JSON: {error}") from error
    if not isinstance(document, dict) or document.get("version") != _VERSION:
        raise _malformed(path, "another format version")
    locks = document.get("locks")
    if set(document) - _OPTIONAL != _KEYS or not isinstance(locks, dict):
        raise _malformed(path, "not a record of a tag")
    return _Known(
        {str(platform): str(lock) for platform, lock in locks.items()},
        str(document["tag"]),
        str(document.get("signers", "")),
    )


def _malformed(path: Path, why: str) -> FatalError:
    return FatalError(f"`{path}` cannot be read: {why}", "it is envtag's memory of a tag; move it away to start anew")
