"""Which versions of a package a channel offers: what no solver need be asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from envtag.engines.rattler import open_gateway
from envtag.engines.rattler_records import cutoff
from envtag.platforms import base_platform
from envtag.util import aio

if TYPE_CHECKING:
    from pathlib import Path

    from envtag.credentials import Credentials
    from envtag.urls import Mirrors


def newer(
    names: dict[str, str],
    *,
    platform: str,
    channels: Sequence[str],
    mirrors: Mirrors,
    repodata_cache: Path,
    credentials: Credentials,
    exclude_newer: str = "",
) -> dict[str, str]:
    """The packages of which a newer version is offered, whatever it goes with.

    Args:
        names: Name to the version that there is.
        platform: One of `platforms.PLATFORMS`.
        channels: Canonical URLs, in order; the first that has a package decides.
        mirrors: Where channels are really fetched from.
        repodata_cache: Directory for repodata.
        credentials: Who the client is at private channels.
        exclude_newer: `YYYY-MM-DDTHH:MM:SSZ`, empty for no cutoff.

    Returns:
        Name to the newest version, of those that have a newer one.
    """
    from rattler import Version

    repodata_cache.mkdir(parents=True, exist_ok=True)
    newest: dict[str, Any] = {}
    bases = [f"{mirrors.fetch_url(url).rstrip('/')}/" for url in channels]
    gateway = open_gateway(repodata_cache, bases, credentials)
    for records in aio.run(_records(gateway, list(names), platform, bases)):
        here: dict[str, Any] = {}
        for record in records:
            name, version = record.name.normalized, Version(str(record.version))
            if name not in newest and _is_old_enough(record, cutoff(exclude_newer)):
                here[name] = max(here.get(name, version), version)
        newest.update(here)
    return {name: str(found) for name, found in newest.items() if found > Version(names[name])}


async def _records(gateway: Any, names: Sequence[str], platform: str, bases: Sequence[str]) -> list[list[Any]]:
    """The records of some names, a list for each channel."""
    from rattler import Subdir

    platforms = [Subdir(base_platform(platform)), Subdir("noarch")]
    found = []
    for base in bases:
        answer = await gateway.query([base], platforms, list(names), recursive=False, channel_relations="disabled")
        found.append([record for records in answer for record in records])
    return found


def _is_old_enough(record: Any, limit: datetime | None) -> bool:
    if limit is None or record.timestamp is None:
        return True
    when: datetime = record.timestamp
    return (when if when.tzinfo else when.replace(tzinfo=timezone.utc)) <= limit
