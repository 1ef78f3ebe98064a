"""`envtag lock`: lock again what changed beside the locks, or say what is stale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from envtag.authoring import Draft, answered, changes, draft, solve_draft
from envtag.engine_choice import changed_engines
from envtag.errors import UnsolvableError
from envtag.lock_merge import Pins
from envtag.merging import is_settled, unmerged_pins
from envtag.names import Alias, parse_name, parse_reference
from envtag.registry.drivers import is_installed
from envtag.registry.environment import SETTINGS_FILE
from envtag.setting_values import with_engines
from envtag.spec_files import SpecFiles
from envtag.util.text import number_of

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.output import Output
    from envtag.registry import Environment, Registry


def lock(
    names: Sequence[str],
    *,
    check: bool,
    upgrade: bool = False,
    engines: Sequence[str] = (),
    as_json: bool,
    registry: Registry,
    config: Config,
    output: Output,
) -> int:
    """Bring the locks of environments up to their specs; only what is stale is solved, unless all is to be renewed.

    Of a lock that git holds as a conflict, the pins that both sides have are kept.

    Args:
        names: The environments; none for all of the registry.
        check: Solve and write nothing; only say what is stale.
        upgrade: Solve what is fresh as well, so that each package may move as far as its spec lets it.
        engines: What solves them from now on, each in place of what solved its world; written to their `envtag.yml`.
        as_json: Print the result as JSON.
        registry: The registry, with a work tree.
        config: The client's settings.
        output: Where it is told.

    Returns:
        0; 1 with `check` where a lock is stale.

    Raises:
        FatalError: A spec is malformed or has no solution; environments locked before it stay locked.
    """
    wanted = [parse_name(text) for text in names]
    registry.check_each_writable(wanted, "clone it, and lock in the clone: `git clone …`")
    result: dict[str, Any] = {}
    conflicts = unmerged_pins(registry.git) if registry.worktree is not None else {}
    for name in _bases_first(wanted or registry.names(), registry):
        unmerged = conflicts.get(name, {})
        environment = _readable(registry.environment(name), unmerged)
        settings = replace(environment.settings, engines=changed_engines(environment.settings.engines, engines))
        drafted = draft(settings, _files(environment), registry, config)
        fresh = answered(drafted, environment)
        stale = [platform for platform in drafted.settings.platforms if platform not in fresh]
        gone = [platform for platform in environment.platforms if platform not in drafted.settings.platforms]
        result[name] = {"request": drafted.id, "stale": stale, "gone": gone}
        asked = list(drafted.settings.platforms) if upgrade else stale
        if not asked and not gone:
            continue
        if check:
            output.data(f"{name}: stale on {', '.join([*stale, *gone])}") if not as_json else None
            continue
        moved = _lock_one(name, drafted, asked, registry, config, output, unmerged)
        result[name]["stale"] = changed = [platform for platform in asked if platform in moved or platform in stale]
        if not as_json and (changed or gone):
            output.data(
                f"{name}: locked {', '.join(changed) or 'nothing'}" + (f", removed {', '.join(gone)}" if gone else "")
            )
    return _finish(result, check=check, upgrade=upgrade, as_json=as_json, output=output)


def _lock_one(
    name: str,
    drafted: Draft,
    stale: Sequence[str],
    registry: Registry,
    config: Config,
    output: Output,
    unmerged: Mapping[str, Pins],
) -> set[str]:
    """Solve some platforms and write their locks; those whose locks are other ones now."""
    try:
        solved = solve_draft(drafted, stale, config=config, output=output, pins=unmerged)
    except UnsolvableError:  # a person may have settled a conflict as neither side had it
        if not unmerged:
            raise
        output.say(f"{name}: not every pin that both sides have goes with the spec; the others are kept")
        wished = {platform: Pins(preferred=(*pins.kept, *pins.preferred)) for platform, pins in unmerged.items()}
        solved = solve_draft(drafted, stale, config=config, output=output, pins=wished)
    if unmerged and not is_installed(registry.git):
        output.say("`envtag merge-driver install` lets git merge locks as it merges specs")
    before: dict[str, str] = {}

    def locked() -> dict[str, bytes | None]:
        environment = _readable(registry.environment(name), unmerged)
        locks = {**answered(drafted, environment), **solved}
        written = changes(name, drafted, locks, environment.ledger, environment)
        before.update(environment.lock_ids())
        found = {path: data for path, data in written.items() if path.endswith("-lock.yml")}  # the rest is the person's
        if drafted.settings.engines != environment.settings.engines:
            path = f"{environment.directory}/{SETTINGS_FILE}"
            found[path] = with_engines(environment.files.read(path) or b"", drafted.settings.engines)
        return found

    registry.change([name], locked)
    return {platform for platform, found in solved.items() if before.get(platform) != found.id}


def _readable(environment: Environment, unmerged: Mapping[str, Pins]) -> Environment:
    """An environment without the locks that git holds as conflicts and that nobody has settled."""
    unsettled = {name for name in environment.platforms if name in unmerged and not is_settled(environment, name)}
    return environment.limited(tuple(name for name in environment.platforms if name not in unsettled))


def _bases_first(names: Sequence[str], registry: Registry) -> list[str]:
    """Names in their order, but each behind what it extends, so that it is locked on what that has become."""
    ordered: dict[str, None] = {}

    def add(name: str, above: tuple[str, ...]) -> None:
        base = registry.environment(name).settings.base
        alias = parse_reference(base) if base else None
        if isinstance(alias, Alias) and alias.name in names and alias.name not in above:
            add(alias.name, (*above, name))
        ordered[name] = None

    for name in names:
        add(name, (name,))
    return list(ordered)


def _files(environment: Environment) -> SpecFiles:
    return SpecFiles(specs=environment.settings.spec, files=environment.spec_files())


def _finish(result: dict[str, Any], *, check: bool, upgrade: bool, as_json: bool, output: Output) -> int:
    changed = [name for name, item in result.items() if item["stale"] or item["gone"]]
    if as_json:
        output.json(result)
    if check and changed:
        every = number_of(len(result), "environment")
        output.say(f"{len(changed)} of {every} stale; `envtag lock {' '.join(changed[:3])}` locks again")
        return 1
    if not changed:
        newer = ", and there is nothing newer for them" if upgrade else ""
        output.say(f"all locks answer their specs ({number_of(len(result), 'environment')}){newer}")
    elif not check:
        output.say("next: `git add envs && git commit`")
    return 0
