"""`envtag config`: the client's settings, and where each comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envtag.render import table
from envtag.urls import DEFAULT_INDEX, without_credentials

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.output import Output


def config(settings: Config, *, as_json: bool, output: Output) -> int:
    """Print the settings that hold for this user, with the variable or file that set each.

    Args:
        settings: The client's settings.
        as_json: Print an object of setting to value and source as JSON.
        output: Where it is told.

    Returns:
        0.
    """
    directories = settings.directories
    default = settings.mirrors.default_index
    pairs = [*settings.mirrors.pairs, *([(DEFAULT_INDEX, default)] if default else [])]
    mirrors = " ".join(f"{canonical}={without_credentials(mirror)}" for canonical, mirror in pairs)
    values = {
        "registry": without_credentials(settings.registry) if "://" in settings.registry else settings.registry,
        "store": without_credentials(settings.store) if settings.store else "",
        "allowed-signers": settings.allowed_signers,
        "conda": settings.conda,
        "mirrors": mirrors,
        "data": str(directories.data),
        "cache": str(directories.cache),
    }
    described = {key: {"value": value, "from": settings.sources[key]} for key, value in values.items()}
    if as_json:
        output.json(described)
    else:
        rows = [(key, item["value"] or "-", item["from"]) for key, item in described.items()]
        output.data(table(("setting", "value", "from"), rows))
    return 0
