"""One environment's update: its edited specs, the search on each platform, and what is to be written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, cast

from envtag import credentials
from envtag.authoring import Draft, answered, changes, draft
from envtag.engines import one_view
from envtag.engines.explain import together
from envtag.errors import FatalError, UnsolvableError
from envtag.lock import Lock
from envtag.lock_merge import Bound, Pins
from envtag.registry.environment import SETTINGS_FILE
from envtag.spec_files import SpecFiles
from envtag.updating.hashes import hashes_of
from envtag.updating.model import Goal, Key, Move, Outcome
from envtag.updating.reasons import moves_of
from envtag.updating.search import Search, run, search
from envtag.updating.security import Security, examine, search_fixes
from envtag.updating.targets import Target, check_pypi_versions, unknown

if TYPE_CHECKING:
    from envtag.advisories import Advisories
    from envtag.config import Config
    from envtag.output import Output
    from envtag.registry import Environment, Registry
    from envtag.spec_edit.edit import Hashes


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an update is asked for.

    Attributes:
        targets: The packages that are to move; none for what the spec makes necessary.
        everything: Whether all may move.
        cutoff: Nothing published after it comes in (`YYYY-MM-DDTHH:MM:SSZ`), empty for no such bound.
        exempt: Names of packages that the cutoff is not for.
        advisories: What is to be fixed with the nearest versions that will do; None for nothing.
    """

    targets: tuple[Target, ...] = ()
    everything: bool = False
    cutoff: str = ""
    exempt: frozenset[str] = frozenset()
    advisories: Advisories | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Updated:
    """An environment's update, nothing of it written yet.

    Attributes:
        environment: The environment as it was.
        drafted: Its request as it is now.
        locks: Platform to the lock that it has now, for all of its platforms.
        outcomes: Platform to what was found out, for those that were solved.
        moves: Platform to what is different.
        edited: Names of the spec files that are different.
        security: Platform to what advisories say of it as it was; none where they were not asked.
        read: Path to the bytes of each file that the update was made from.
    """

    environment: Environment
    drafted: Draft
    locks: Mapping[str, Lock] = field(default_factory=dict)
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    moves: Mapping[str, tuple[Move, ...]] = field(default_factory=dict)
    edited: tuple[str, ...] = ()
    security: Mapping[str, Security] = field(default_factory=dict)
    read: Mapping[str, bytes | None] = field(default_factory=dict)

    def files(self) -> dict[str, bytes | None]:
        """What is to be written: locks that are other ones now or (None) of no platform any more, and edited specs."""
        name = self.environment.name
        directory = f"{self.environment.directory}/"
        written = changes(name, self.drafted, self.locks, self.environment.ledger, self.environment)
        return {
            path: data
            for path, data in written.items()
            if (path.endswith("-lock.yml") or path.removeprefix(directory) in self.edited)
            and self.read.get(path) != data
        }

    @property
    def is_changed(self) -> bool:
        """Whether anything is different."""
        return bool(self.files())


def update(environment: Environment, wanted: Wanted, *, registry: Registry, config: Config, output: Output) -> Updated:
    """Find the smallest change of an environment that comes up to what is wanted; nothing is written.

    Args:
        environment: As it is.
        wanted: What is asked for.
        registry: Where its base is looked up.
        config: The client's settings.
        output: For progress.

    Raises:
        UnsolvableError: On some platform there is no solution, whatever moves.
        FatalError: A package is not there, a spec cannot be edited, or something cannot be reached.
    """
    read = _read(environment)
    settings = environment.settings
    locked = {name: environment.lock(name) for name in settings.platforms if name in environment.platforms}
    locks = list(locked.values())
    files, edited = _edited(environment, wanted.targets, locks, _hashes(environment, registry, config))
    drafted = draft(settings, files, registry, config)
    _check_targets(environment.name, wanted.targets, locks, drafted)
    fresh = answered(drafted, environment)
    idle = not (wanted.targets or wanted.everything or wanted.advisories)
    goals = {
        name: _goal(wanted, locked.get(name), drafted)
        for name in drafted.settings.platforms
        if not (idle and name in fresh)
    }
    before = {name: locked[name] if name in locked else _nothing(name, drafted) for name in goals}
    security = _examined(wanted, before, config)
    with one_view():
        found = run(
            {
                name: _search(before[name], goal, security, _offers(name, drafted, wanted, config))
                for name, goal in goals.items()
            },
            lambda pins: _solved(drafted, wanted.cutoff, pins, config, output),
        )
    failures = {name: outcome for name, outcome in found.items() if isinstance(outcome, UnsolvableError)}
    if failures:
        raise together(failures)
    outcomes = {name: outcome for name, outcome in found.items() if isinstance(outcome, Outcome)}
    return Updated(
        environment=environment,
        drafted=drafted,
        locks={name: _lock(outcomes.get(name), fresh.get(name)) for name in drafted.settings.platforms},
        outcomes=outcomes,
        moves={
            name: moves_of(before[name], outcome, _asked(goals[name], security.get(name)), drafted.request)
            for name, outcome in outcomes.items()
        },
        security=security,
        edited=edited,
        read=read,
    )


def _hashes(environment: Environment, registry: Registry, config: Config) -> Hashes:
    """Looks the hashes of a version up at the indices of an environment, once a requirement states some."""
    settings = environment.settings

    def hashes(name: str, versions: str) -> tuple[str, ...]:
        files = SpecFiles(specs=settings.spec, files=environment.spec_files())
        request = draft(settings, files, registry, config).request
        return hashes_of(name, versions, request, environment.lock(environment.platforms[0]), config)

    return hashes


def _lock(outcome: Outcome | None, fresh: Lock | None) -> Lock:
    """The lock that a platform has now: the one that is there, to the byte, where that holds what was found."""
    if fresh is not None and (outcome is None or outcome.lock.id == fresh.id):
        return fresh
    return cast("Outcome", outcome).lock


def _examined(wanted: Wanted, locks: Mapping[str, Lock], config: Config) -> dict[str, Security]:
    """Platform to what advisories say of its lock."""
    if wanted.advisories is None:
        return {}
    from envtag.dists import known_dists

    known = wanted.advisories
    return {
        name: examine(lock, known, lambda package: known_dists(package, config.directories))
        for name, lock in locks.items()
    }


def _search(before: Lock, goal: Goal, security: dict[str, Security], has_newer: Callable[[Key, str], bool]) -> Search:
    """The search on one platform; what stands in the way of a fix is noted in `security`."""
    told = security.get(before.platform)
    if told is None:
        return (yield from search(before, goal, has_newer))
    outcome, affected = yield from search_fixes(before, goal, told.affected, has_newer)
    security[before.platform] = replace(told, affected=affected)
    return outcome if outcome is not None else Outcome(lock=before, solves=0)


def _asked(goal: Goal, security: Security | None) -> Goal:
    """A goal with what is to be fixed among what may move."""
    affected = security.affected if security is not None else ()
    return replace(goal, free=goal.free | {item.package.key for item in affected if item.fixed})


def _read(environment: Environment) -> dict[str, bytes | None]:
    names = [SETTINGS_FILE, *(file.name for file in environment.spec_files())]
    names += [f"{platform}-lock.yml" for platform in environment.platforms]
    paths = [f"{environment.directory}/{name}" for name in names]
    return {path: environment.files.read(path) for path in paths}


def _edited(
    environment: Environment, targets: Sequence[Target], locks: Sequence[Lock], hashes: Hashes
) -> tuple[SpecFiles, tuple[str, ...]]:
    """The spec files with the versions that targets name."""
    from envtag.spec_edit import set_versions

    specs, variants = environment.settings.spec, environment.settings.variants
    files = environment.spec_files()
    for target in targets:
        for manager in ("conda", "pypi") if target.versions else ():
            if target.manager in ("", manager):
                key = target.key(manager)
                if manager == "pypi" and any(key in target.keys(lock) for lock in locks):
                    check_pypi_versions(target)
                files = set_versions(
                    files, specs, manager, key[1], target.versions, variants=variants, hashes=hashes
                ).files
    old = {file.name: file.data for file in environment.spec_files()}
    return SpecFiles(specs=specs, files=files), tuple(file.name for file in files if file.data != old[file.name])


def _check_targets(name: str, targets: Sequence[Target], locks: Sequence[Lock], drafted: Draft) -> None:
    bases = list(drafted.base_locks.values())
    for target in targets:
        if target.name.lower() == "python" and target.versions and drafted.settings.python:
            raise FatalError(
                f"`{name}` says which Python it wants in its `envtag.yml`",
                f"change `python:` there, then `envtag update {name}`",
            )
        found = {key for lock in locks for key in target.keys(lock)}
        if not found or any(target.keys(base) for base in bases):
            raise unknown(target, name, locks, bases)


def _goal(wanted: Wanted, lock: Lock | None, drafted: Draft) -> Goal:
    """What is wanted on one platform; everything where there is nothing to hold on to."""
    if lock is None or wanted.everything or lock.interpreter != drafted.request.interpreter:
        cutoff = _cutoff(drafted.request.exclude_newer, wanted.cutoff)
        return Goal(everything=True, exempt=wanted.exempt, young=_young(lock, cutoff, wanted.exempt))
    free: dict[Key, str] = {key: target.versions for target in wanted.targets for key in target.keys(lock)}
    named = {("conda", item.name) for item in drafted.request.conda}
    named |= {("pypi", item.name) for item in drafted.request.pypi}
    bounds = tuple(
        Bound(manager=key[0], name=key[1], versions=versions)
        for key, versions in free.items()
        if versions and key not in named
    )
    return Goal(
        free=frozenset(free),
        newest=tuple(key for key, versions in free.items() if not versions),
        bounds=bounds,
        exempt=wanted.exempt,
    )


def _young(lock: Lock | None, cutoff: str, exempt: frozenset[str]) -> frozenset[Key]:
    """The packages of a lock that were published after a cutoff: it is for what comes in, and nothing is to go back."""
    if lock is None or not cutoff:
        return frozenset()
    limit = datetime.strptime(cutoff, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp() * 1000
    return frozenset(
        package.key
        for package in lock.packages
        if package.timestamp is not None and package.timestamp > limit and package.name not in exempt
    )


def _nothing(platform: str, drafted: Draft) -> Lock:
    """The lock of a platform that has none yet."""
    return Lock(platform=platform, request=drafted.id, interpreter=drafted.request.interpreter, python="", packages=())


def _offers(platform: str, drafted: Draft, wanted: Wanted, config: Config) -> Callable[[Key, str], bool]:
    """Whether a channel offers a newer version of a package; of PyPI, the solver has to be asked."""
    cutoff = _cutoff(drafted.request.exclude_newer, wanted.cutoff)

    def has_newer(key: Key, version: str) -> bool:
        if key[0] != "conda":
            return True
        from envtag.engines.rattler_offers import newer

        return bool(
            newer(
                {key[1]: version},
                platform=platform,
                channels=drafted.request.on(platform).channels,
                mirrors=config.mirrors,
                repodata_cache=config.directories.repodata,
                credentials=credentials.load(logins=drafted.request.logins),
                exclude_newer="" if key[1] in wanted.exempt else cutoff,
            )
        )

    return has_newer


def _cutoff(asked: str, wanted: str) -> str:
    """The earlier of two cutoffs."""
    return min((text for text in (asked, wanted) if text), default="")


def _solved(
    drafted: Draft, cutoff: str, pins: Mapping[str, Pins], config: Config, output: Output
) -> dict[str, Lock | UnsolvableError]:
    from envtag.solve import solve_each

    # The update's own cutoff is no part of what is asked for.
    request = replace(drafted.request, exclude_newer=_cutoff(drafted.request.exclude_newer, cutoff))
    answers = solve_each(
        request, list(pins), config=config, store=None, base_locks=drafted.base_locks, output=output, pins=pins
    )
    return {
        name: answer._replace(request=drafted.id, sources=drafted.settings.sources(name))
        if isinstance(answer, Lock)
        else answer
        for name, answer in answers.items()
    }
