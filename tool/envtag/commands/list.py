"""`envtag list`: the environments of a registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from envtag.names import Alias
from envtag.platforms import current_platform
from envtag.prefix.marker import environment_path, is_whole
from envtag.render import table

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.output import Output
    from envtag.registry import Environment, Registry
    from envtag.replicas import Replica
    from envtag.store import Store


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
    names = [name for name in registry.names(prefix.rstrip("/")) if _is_below(name, prefix)]
    items = [_describe(registry.environment(name), config) for name in names]
    return _print(items, prefix, registry.location, as_json=as_json, output=output)


def list_replicas(prefix: str, *, as_json: bool, store: Store, config: Config, output: Output) -> int:
    """Print what a store says of environments, as `list_environments` prints what a registry holds.

    Args:
        prefix: The beginning of the names, at a `/` or the whole name; empty for all.
        as_json: Print a list of objects as JSON.
        store: The store.
        config: The client's settings.
        output: Where it is told.

    Returns:
        0; 1 where a prefix was given and nothing is below it.
    """
    from envtag.stored import stored_replicas

    found: dict[str, dict[str, Replica]] = {}
    for alias, replica in stored_replicas(store, prefix.rstrip("/")).items():
        if _is_below(alias.name, prefix):
            found.setdefault(alias.name, {})[alias.tag] = replica
    items = [_describe_replicas(name, replicas, config) for name, replicas in sorted(found.items())]
    return _print(items, prefix, store.url, as_json=as_json, output=output)


def _is_below(name: str, prefix: str) -> bool:
    below = prefix.rstrip("/")
    return not below or f"{name}/".startswith(f"{below}/")


def _print(items: list[dict[str, Any]], prefix: str, location: str, *, as_json: bool, output: Output) -> int:
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
        output.say(f"no environments{where} in `{location}`")
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


def _describe_replicas(name: str, replicas: Mapping[str, Replica], config: Config) -> dict[str, Any]:
    """The same, of replicas: a pointer's names no tag, so it is that of a release with its very manifests."""
    here = current_platform()
    mutable = {tag for tag in replicas if Alias(name=name, tag=tag).mutable}
    tags = sorted(replicas.keys() - mutable)
    pointers = {}
    for pointer in sorted(mutable - {"latest"}):
        same = [tag for tag in tags if replicas[tag].manifests == replicas[pointer].manifests]
        pointers[pointer] = same[-1] if same else replicas[pointer].commit[:12]
    return {
        "name": name,
        "tags": tags,
        "pointers": pointers,
        "platforms": sorted(replicas["latest" if "latest" in replicas else tags[-1] if tags else min(mutable)].locks),
        "present": [tag for tag in tags if _is_here(replicas[tag].locks.get(here), config)],
    }


def _is_here(lock_id: str | None, config: Config) -> bool:
    return lock_id is not None and is_whole(environment_path(config, lock_id), lock_id)
