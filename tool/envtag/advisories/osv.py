"""One advisory: OSV's JSON, checked, and its rule of which versions are affected (https://ossf.github.io/osv-schema/)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from packaging.version import InvalidVersion, Version

from envtag.errors import FatalError

_KINDS = ("introduced", "fixed", "last_affected", "limit")


@dataclass(frozen=True, kw_only=True)
class Advisory:
    """What an advisory says of one PyPI package.

    Attributes:
        id: `PYSEC-2023-74`, `GHSA-…`.
        aliases: Its other ids.
        package: Normalized name (PEP 503).
        versions: The versions that are affected, each by itself.
        ranges: Events of each range: kind (`introduced`, `fixed`, `last_affected`) and version.
        summary: One line, or an empty text.
    """

    id: str
    package: str
    aliases: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    ranges: tuple[tuple[tuple[str, str], ...], ...] = ()
    summary: str = ""

    def affects(self, version: Version) -> bool:
        """Whether a version is affected: it is listed, or in a range."""
        return version in self._listed or any(_is_in(version, events) for events in self.ranges)

    def fixes(self) -> list[Version]:
        """The versions that a range says are fixed, in order."""
        found = (_version(text) for events in self.ranges for kind, text in events if kind == "fixed")
        return sorted({version for version in found if version is not None})

    @cached_property
    def _listed(self) -> frozenset[Version]:
        return frozenset(version for text in self.versions if (version := _version(text)) is not None)


def parse(document: Any, where: str) -> Iterator[Advisory]:
    """What an OSV document says of PyPI packages; nothing where it was withdrawn, or is of other ecosystems.

    Args:
        document: Parsed JSON.
        where: What it is of, for errors.

    Raises:
        FatalError: It is no OSV document.
    """
    if not isinstance(document, dict) or not isinstance(document.get("id"), str):
        raise FatalError(f"{where}: not an advisory in the OSV format: it has no `id`")
    affected = document.get("affected") or []
    if not isinstance(affected, list):
        raise FatalError(f"{where}: `affected` of {document['id']} is not a list")
    if document.get("withdrawn"):
        return
    for item in affected:
        package = item.get("package") if isinstance(item, dict) else None
        if not isinstance(package, dict) or not isinstance(package.get("name"), str):
            continue
        if str(package.get("ecosystem", "")).partition(":")[0].lower() != "pypi":
            continue
        yield Advisory(
            id=document["id"],
            aliases=_texts(document.get("aliases")),
            package=re.sub(r"[-_.]+", "-", package["name"]).lower(),
            versions=_texts(item.get("versions")),
            ranges=tuple(_ranges(item)),
            summary=" ".join(str(document.get("summary") or "").split())[:300],
        )


def _ranges(item: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], ...]]:
    ranges = item.get("ranges")
    for entry in ranges if isinstance(ranges, list) else ():
        if isinstance(entry, dict) and entry.get("type") == "ECOSYSTEM" and isinstance(entry.get("events"), list):
            events = (pair for event in entry["events"] if isinstance(event, dict) for pair in event.items())
            yield tuple((kind, str(version)) for kind, version in events if kind in _KINDS)


def _is_in(version: Version, events: tuple[tuple[str, str], ...]) -> bool:
    """OSV's rule: the last event at or below the version decides; `last_affected` and `limit` end it after, and at."""
    known = [(kind, Version("0.dev0") if text == "0" else _version(text)) for kind, text in events]
    placed = [(found, kind) for kind, found in known if found is not None]
    order = {"fixed": 0, "limit": 0, "introduced": 1, "last_affected": 2}
    affected = False
    for found, kind in sorted(placed, key=lambda pair: (pair[0], order[pair[1]])):
        if kind == "introduced" and version >= found:
            affected = True
        elif (kind in ("fixed", "limit") and version >= found) or (kind == "last_affected" and version > found):
            affected = False
    return affected


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else ()
