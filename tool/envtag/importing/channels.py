"""What conda channels say of packages that a file names by their URL."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from envtag.errors import FatalError
from envtag.importing.archives import channel_of
from envtag.util import aio

if TYPE_CHECKING:
    from pathlib import Path

    from envtag.package import Package
    from envtag.urls import Mirrors


def records(
    packages: Iterable[Package], *, mirrors: Mirrors, repodata_cache: Path
) -> tuple[dict[str, Package], list[str]]:
    """What channels state of packages.

    Args:
        packages: conda packages, by URL.
        mirrors: Where channels are really fetched from.
        repodata_cache: Directory for repodata.

    Returns:
        URL to the package as its channel states it, without those that no channel has (any more); and the channels
        that could not be read.
    """
    wanted: dict[str, list[Package]] = defaultdict(list)
    for package in packages:
        wanted[channel_of(package)].append(package)
    repodata_cache.mkdir(parents=True, exist_ok=True)
    answers = aio.run(_ask(wanted, mirrors, repodata_cache)) if wanted else []
    found = {url: package for answer in answers if not isinstance(answer, str) for url, package in answer.items()}
    return found, [answer for answer in answers if isinstance(answer, str)]


async def _ask(wanted: dict[str, list[Package]], mirrors: Mirrors, cache: Path) -> list[dict[str, Package] | str]:
    from rattler import Gateway
    from rattler.networking import Client

    gateway = Gateway(cache_dir=cache, client=Client.default_client(), show_progress=False)
    return list(await asyncio.gather(*(_one(gateway, url, found, mirrors) for url, found in wanted.items())))


async def _one(gateway: Any, channel: str, packages: list[Package], mirrors: Mirrors) -> dict[str, Package] | str:
    from rattler import Channel, Subdir
    from rattler.exceptions import FetchRepoDataError, GatewayError

    from envtag.engines.rattler_records import package_of

    base = Channel(mirrors.fetch_url(channel)).base_url
    by_url = {package.url: package for package in packages}
    try:
        answer = await gateway.query(
            [base],
            [Subdir(name) for name in dict.fromkeys(package.subdir for package in packages)],
            list(dict.fromkeys(package.name for package in packages)),
            recursive=False,
            channel_relations="disabled",
        )
    except (GatewayError, FetchRepoDataError):
        return channel
    found = {}
    for record in (record for records in answer for record in records):
        url = f"{channel}/{record.subdir}/{record.file_name}"
        if url in by_url:
            try:
                found[url] = package_of(record, {base: channel}, mirrors)
            except FatalError:  # without a full set of hashes there: its archive is looked into
                continue
    return found
