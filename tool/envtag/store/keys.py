"""Where each thing lies in a store: the one place that knows the layout."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envtag.names import Alias

_HEX64 = re.compile(r"^[0-9a-f]{64}$")
_EXTENSION = re.compile(r"^[a-z0-9]+(\.[a-z0-9]+)*$")

OBJECTS = "objects/sha256/"
MANIFESTS = "manifests/sha256/"
TAGS = "tags/"
POINTERS = "pointers/"
REQUESTS = "requests/"
BUILDS = "builds/"
RUNTIMES = "runtimes/sha256/"
TOMBSTONES = "tombstones/"
CLOCK = "gc/"
DOCTOR = "doctor/"


def object_key(sha256: str, extension: str) -> str:
    """A package, by content: `objects/sha256/ab/<hex>.<extension>` (rattler wants the extension in a URL)."""
    if not _EXTENSION.match(extension):
        raise ValueError(f"not an extension: {extension!r}")
    return f"{OBJECTS}{_by_hash(sha256)}.{extension}"


def manifest_key(digest: str) -> str:
    """A manifest, by content; `digest` is 64 hex digits, with or without `sha256:` before them."""
    return f"{MANIFESTS}{_by_hash(digest.removeprefix('sha256:'))}.json"


def tag_key(alias: Alias) -> str:
    """The replica of an immutable tag (create-only)."""
    return f"{TAGS}{alias.name}@{alias.tag}.json"


def pointer_key(alias: Alias) -> str:
    """The replica of a mutable tag (compare and swap)."""
    return f"{POINTERS}{alias.name}@{alias.tag}.json"


def request_key(request: str, platform: str, lock: str) -> str:
    """The record that a request was resolved to a lock on a platform."""
    return f"{request_prefix(request, platform)}{lock}.json"


def request_prefix(request: str, platform: str = "") -> str:
    """What the records of a request begin with, on all platforms or on one."""
    return f"{REQUESTS}{request}/" + (f"{platform}/" if platform else "")


def tombstone_key(key: str) -> str:
    """What says that an object is to be deleted; `tombstoned` is the inverse."""
    return f"{TOMBSTONES}{key}.json"


def tombstoned(key: str) -> str:
    """The key of the object that a tombstone is of."""
    return key.removeprefix(TOMBSTONES).removesuffix(".json")


def build_key(source_sha256: str, platform: str, python: str) -> str:
    """The record that a source archive was built on a platform for a minor version of Python (create-only)."""
    return f"{BUILDS}{_by_hash(source_sha256)}/{platform}-py{python}.json"


def runtime_key(digest: str) -> str:
    """The document of what pods of a platform need, by content (create-only)."""
    return f"{RUNTIMES}{_by_hash(digest)}.json"


def _by_hash(sha256: str) -> str:
    if not _HEX64.match(sha256):
        raise ValueError(f"not a sha256: {sha256!r}")
    return f"{sha256[:2]}/{sha256}"
