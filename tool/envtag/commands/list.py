"""`envtag list`: the environments of a registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envtag.platforms import current_platform
from envtag.prefix.marker import environment_path, is_whole
from envtag.render import table

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.output import Output
    from envtag.registry import Environment, Registry


def list_environments(prefix: str, *, as_json: bool, registry: Registry, config: Config, output: Output) -> int:
    """Print the environments below a prefix of their names, with tags, pointers and platforms.

    Args:
        prefix: The beginning of the names, at a `/` or the whole name; empty for all.
        as_json: Print a list of objects as JSON.
        registry: The registry.
        config: The client's settings.
        output: Where it is told.

    Returns:
        0; 1 where a prefix was given and nothing is below it.
    """
    below = prefix.rstrip("/")
    names = [name for name in registry.names(below) if f"{name}/".startswith(f"{below}/") or not below]
    items = [_describe(registry.environment(name), config) for name in names]
    if as_json:
        output.json(items)
    elif items:
        rows = [
            (
                item["name"],
                " ".join(item["tags"]) or "-",
                " ".join(f"{pointer}={tag}" for pointer, tag in item["pointers"].items()) or "-",
                " ".join(item["platforms"]),
                " ".join(item["present"]) or "-",
            )
            for item in items
        ]
        output.data(table(("name", "tags", "pointers", "platforms", "on this machine"), rows))
    else:
        where = f" below `{prefix}`" if prefix else ""
        output.say(f"no environments{where} in `{registry.location}`")
    return 1 if prefix and not items else 0


def _describe(environment: Environment, config: Config) -> dict[str, Any]:
    here = current_platform()
    releases = environment.ledger.releases
    present = [item.tag for item in releases if _is_here(item.locks.get(here), config)]
    return {
        "name": environment.name,
        "tags": [item.tag for item in releases],
        "pointers": dict(sorted(environment.ledger.pointers.items())),
        "platforms": list(environment.platforms),
        "present": present,
    }


def _is_here(lock_id: str | None, config: Config) -> bool:
    return lock_id is not None and is_whole(environment_path(config, lock_id), lock_id)
