"""`envtag outdated`: which environments could have newer packages, or a newer base."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from envtag.errors import FatalError
from envtag.lookup import find
from envtag.names import Alias, parse_name, parse_reference
from envtag.render import table
from envtag.util.text import number_of

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.output import Output
    from envtag.registry import Environment, Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class OlderBase:
    """A base that is not the newest.

    Attributes:
        base: The reference that the environment extends.
        newest: The newest release of it, or the same reference where that itself moved.
        behind: How many releases came since; 0 where the reference moved.
    """

    base: str
    newest: str
    behind: int


def outdated(
    names: Sequence[str], *, bases: bool, as_json: bool, registry: Registry, config: Config, output: Output
) -> int:
    """Print what is newer than what environments have.

    Args:
        names: The environments; none for all of the registry.
        bases: Look at bases alone, which takes no solver.
        as_json: Print it as JSON.
        registry: The registry.
        config: The client's settings.
        output: Where it is told.

    Returns:
        0; 1 where something is outdated.

    Raises:
        FatalError: There is no such environment, or a spec has no solution.
    """
    found: dict[str, Any] = {}
    for name in [parse_name(text) for text in names] or registry.names():
        environment = registry.environment(name)
        base = older_base(environment, registry, config)
        found[name] = {"base": asdict(base) if base is not None else None}
        if not bases:
            found[name]["packages"] = _packages(environment, registry, config, output)
    every = number_of(len(found), "environment")
    late = [name for name, item in found.items() if item["base"] or any(item.get("packages", {}).values())]
    if as_json:
        output.json(found)
    elif late:
        output.data(table(("environment", "platform", "what", "has", "newest"), list(_rows(found))))
        output.say(f"{len(late)} of {every} outdated; `envtag update NAME --all` brings packages")
    else:
        output.say(f"no newer base for {every}" if bases else f"nothing newer goes with the specs of {every}")
    return 1 if late else 0


def older_base(environment: Environment, registry: Registry, config: Config) -> OlderBase | None:
    """What an environment extends, where there is a newer release of it, or where it moved since it was locked.

    Raises:
        FatalError: The base is not there.
    """
    reference = environment.settings.base
    if not reference:
        return None
    alias = parse_reference(reference)
    base = find(reference, registry, config, {})
    if isinstance(alias, Alias) and alias.mutable:
        moved = any(
            environment.lock(name).base_lock != base.lock_id(name)
            for name in environment.platforms
            if name in base.platforms
        )
        return OlderBase(base=reference, newest=reference, behind=0) if moved else None
    name, tag = base.alias.name, base.alias.tag
    tags = [release.tag for release in registry.environment(name).ledger.releases] if registry.has(name) else []
    later = tags[tags.index(tag) + 1 :] if tag in tags else []
    return OlderBase(base=reference, newest=f"{name}:{later[-1]}", behind=len(later)) if later else None


def _packages(environment: Environment, registry: Registry, config: Config, output: Output) -> dict[str, Any]:
    """Platform to what a lock of today would have in place of what there is."""
    from envtag.updating.environment import Wanted, update

    try:
        updated = update(environment, Wanted(everything=True), registry=registry, config=config, output=output)
    except FatalError as error:
        raise FatalError(f"{environment.name}: {error.message}", error.hint, error.detail) from error
    return {
        platform: [
            {"manager": move.key[0], "name": move.key[1], "from": move.before.version, "to": move.after.version}
            for move in moves
            if move.before is not None and move.after is not None and move.before.version != move.after.version
        ]
        for platform, moves in updated.moves.items()
    }


def _rows(found: dict[str, Any]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for name, item in found.items():
        base = item["base"]
        if base:
            newest = base["newest"] if base["behind"] else "moved since it was locked"
            rows.append((name, "", "base", base["base"], newest))
        alike: dict[tuple[str, str, str], list[str]] = {}
        for platform, moves in item.get("packages", {}).items():
            for move in moves:
                alike.setdefault((move["name"], move["from"], move["to"]), []).append(platform)
        rows += [(name, ", ".join(platforms), *what) for what, platforms in alike.items()]
    return rows
