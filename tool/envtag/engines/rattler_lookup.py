"""The records of packages that another solver chose, from their channels: every hash, size and date from its source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envtag.engines.rattler import open_gateway, unreadable
from envtag.engines.rattler_records import Question, package_of
from envtag.errors import FatalError
from envtag.platforms import base_platform
from envtag.urls import Mirrors, without_credentials
from envtag.util import aio

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from envtag.package import Package


def looked_up(wanted: Mapping[str, str], asked: Question, mirrors: Mirrors, cache: Path) -> list[Package]:
    """The packages behind some URLs, as their channels state them.

    Args:
        wanted: URL of a package to the sha256 that the solver knew of it, empty for none.
        asked: What was solved; its channels are asked.
        mirrors: Where they are really fetched from.
        cache: Directory for repodata.

    Raises:
        FatalError: No channel has one of them, or has it with other bytes or without a hash.
    """
    records = aio.run(_records(wanted, asked, cache))
    packages = []
    for url, sha256 in wanted.items():
        record = records.get(url)
        shown = without_credentials(url)
        if record is None:
            raise FatalError(
                f"the solver answered with `{shown}` for `{asked.problem.platform}`, which none of the channels has",
                "name its channel, or look into how the team's conda is configured",
            )
        package = package_of(record, asked.channels, mirrors)
        if sha256 and package.sha256 != sha256:
            raise FatalError(
                f"the solver knew `{shown}` with other bytes than its channel states",
                "clear the package cache of the conda that solved (`conda clean --all`)",
                f"the channel: {package.sha256}\nthe solver: {sha256}",
            )
        packages.append(package)
    return packages


async def _records(wanted: Mapping[str, str], asked: Question, cache: Path) -> dict[str, Any]:
    """URL to record, of the records of the names that are wanted."""
    from rattler import Subdir
    from rattler.exceptions import FetchRepoDataError, GatewayError

    gateway = open_gateway(cache, tuple(asked.channels), asked.problem.credentials)
    names = sorted({url.rpartition("/")[2].rsplit("-", 2)[0] for url in wanted})
    try:
        answer = await gateway.query(
            list(asked.channels),
            [Subdir(base_platform(asked.problem.platform)), Subdir("noarch")],
            names,
            recursive=False,
            channel_relations="disabled",
        )
    except (GatewayError, FetchRepoDataError) as error:
        raise await unreadable(str(error), asked, gateway) from error
    return {record.url: record for records in answer for record in records if record.url in wanted}
