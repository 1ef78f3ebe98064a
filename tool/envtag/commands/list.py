"""`envtag list`: the environments of a registry."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from envtag.found import InRegistry
from envtag.names import Alias
from envtag.platforms import base_platform, current_platform
from envtag.policy import is_meant, read_banned
from envtag.prefix.marker import environment_path, is_whole
from envtag.render import table

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.found import Found
    from envtag.output import Output
    from envtag.registry import Environment, Registry
    from envtag.replicas import Replica
    from envtag.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which environments are listed; empty for any.

    Attributes:
        tag: Those that have this tag, immutable or mutable.
        package: Those with this package on some platform, `NAME` or a requirement such as `NAME<2`, as `latest` has it.
        user: Those that someone whose `Name <mail>` contains this resolved last, in any case.
    """

    tag: str = ""
    package: str = ""
    user: str = ""

    def takes(self, found: Found, tags: Collection[str]) -> bool:
        """Whether an environment is one of them.

        Args:
            found: The environment, as `latest` has it.
            tags: All its tags.

        Raises:
            FatalError: The package is no requirement.
        """
        if self.tag and self.tag not in tags:
            return False
        if self.package and not self._has_package(found):
            return False
        return not self.user or self.user.casefold() in found.resolved()[1].casefold()

    def _has_package(self, found: Found) -> bool:
        named = read_banned(self.package)
        locks = (found.lock(platform) for platform in found.platforms)
        return any(is_meant(named, package) for lock in locks for package in lock.packages)


def list_environments(
    prefix: str, *, wanted: Wanted, as_json: bool, registry: Registry, config: Config, output: Output
) -> int:
    """Print the environments below a prefix of their names, with tags, pointers and platforms.

    Args:
        prefix: The beginning of the names, at a `/` or the whole name; empty for all.
        wanted: Which of them.
        as_json: Print a list of objects as JSON.
        registry: The registry.
        config: The client's settings.
        output: Where it is told.

    Returns:
        0; 1 where something was asked for and nothing is listed.
    """
    items = []
    below = prefix.rstrip("/")
    for name in sorted({*registry.names(below), *registry.open_names(below)}):
        if not _is_below(name, prefix):
            continue
        environment = registry.environment(name)
        ledger = environment.ledger
        found = InRegistry(
            alias=Alias(name=name), environment=environment, registry=registry, directories=config.directories
        )
        if wanted.takes(found, {"latest", *ledger.pointers, *(item.tag for item in ledger.releases)}):
            items.append({**_describe(environment, config), "open_branch": found.branch() or None})
    return _print(items, prefix, wanted, registry.location, as_json=as_json, output=output)


def list_replicas(prefix: str, *, wanted: Wanted, as_json: bool, store: Store, config: Config, output: Output) -> int:
    """Print what a store says of environments, as `list_environments` prints what a registry holds.

    Args:
        prefix: The beginning of the names, at a `/` or the whole name; empty for all.
        wanted: Which of them.
        as_json: Print a list of objects as JSON.
        store: The store.
        config: The client's settings.
        output: Where it is told.

    Returns:
        0; 1 where something was asked for and nothing is listed.
    """
    from envtag.stored import InStore, stored_replicas

    found: dict[str, dict[str, Replica]] = {}
    for alias, replica in stored_replicas(store, prefix.rstrip("/")).items():
        if _is_below(alias.name, prefix):
            found.setdefault(alias.name, {})[alias.tag] = replica
    items = []
    for name, replicas in sorted(found.items()):
        alias = Alias(name=name, tag=_representative(replicas))
        if wanted.takes(InStore(alias=alias, store=store, replica=replicas[alias.tag]), replicas.keys()):
            branch = replicas[alias.tag].branch or None
            items.append({**_describe_replicas(name, replicas, config), "open_branch": branch})
    return _print(items, prefix, wanted, store.url, as_json=as_json, output=output)


def _is_below(name: str, prefix: str) -> bool:
    below = prefix.rstrip("/")
    return not below or f"{name}/".startswith(f"{below}/")


def _print(
    items: list[dict[str, Any]], prefix: str, wanted: Wanted, location: str, *, as_json: bool, output: Output
) -> int:
    chosen = {"with the tag": wanted.tag, "with the package": wanted.package, "resolved by": wanted.user}
    if as_json:
        output.json(items)
    elif items:
        rows = [
            (
                item["name"] + (" (open)" if item["open_branch"] else ""),
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
        which = "".join(f" {words} `{value}`" for words, value in chosen.items() if value)
        output.say(f"no environments{where}{which} in `{location}`")
    return 1 if (prefix or any(chosen.values())) and not items else 0


def _representative(replicas: Mapping[str, Replica]) -> str:
    """The tag whose replica stands for an environment: `latest`, else its newest release, else a pointer."""
    tags = sorted(tag for tag in replicas if not Alias(name="x", tag=tag).mutable)
    return "latest" if "latest" in replicas else tags[-1] if tags else min(replicas)


def _describe(environment: Environment, config: Config) -> dict[str, Any]:
    here = current_platform()
    releases = environment.ledger.releases
    present = [item.tag for item in releases if _any_here(item.locks, here, config)]
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
        "platforms": sorted(replicas[_representative(replicas)].locks),
        "present": [tag for tag in tags if _any_here(replicas[tag].locks, here, config)],
    }


def _any_here(locks: Mapping[str, str], here: str, config: Config) -> bool:
    """Whether one of the locks for this platform, or for a variant of it, is on this machine."""
    ids = [lock_id for platform, lock_id in locks.items() if base_platform(platform) == here]
    return any(is_whole(environment_path(config, lock_id), lock_id) for lock_id in ids)
