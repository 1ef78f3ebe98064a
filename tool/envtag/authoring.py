"""What `resolve` and `lock` share: a directory's request, whether its locks answer it, what to write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from envtag import identity
from envtag.compose import compose
from envtag.errors import FatalError
from envtag.lock import Lock
from envtag.lock import write as write_lock
from envtag.lookup import find
from envtag.names import FullId, parse_reference
from envtag.platforms import base_platform
from envtag.request import Base, Request

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.found import Found
    from envtag.ledger import Ledger
    from envtag.lock_merge import Pins
    from envtag.output import Output
    from envtag.registry import Environment, Registry
    from envtag.settings import EnvironmentSettings
    from envtag.spec import SpecFile
    from envtag.spec_files import SpecFiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An environment's files before they are solved.

    Attributes:
        settings: What becomes `envtag.yml`.
        files: The spec files and what they include, as they are kept.
        request: All of it as one request.
        id: The request id.
        base_locks: Platform to lock of the base, for the platforms of this environment.
    """

    settings: EnvironmentSettings
    files: tuple[SpecFile, ...]
    request: Request
    id: str
    base_locks: Mapping[str, Lock] = field(default_factory=dict)

    def is_answered_by(self, lock: Lock) -> bool:
        """Whether a lock is of this request, on the base that this request extends."""
        base = self.base_locks.get(lock.platform)
        return lock.request == self.id and lock.base_lock == (base.id if base is not None else "")


def draft(settings: EnvironmentSettings, files: SpecFiles, registry: Registry, config: Config) -> Draft:
    """Read spec files and settings into a request; nothing is solved.

    Args:
        settings: The environment's settings; `settings.spec` names the files that are read.
        files: These files and the ones that they include.
        registry: Where its base is looked up, and whose defaults hold.
        config: The client's settings.

    Raises:
        FatalError: A file is malformed, the base is missing or lacks a platform, or two of them contradict.
    """
    spec = settings.read_spec(files.data)
    if not settings.base:
        request = compose(settings, spec, registry.settings)
        return Draft(settings=settings, files=files.files, request=request, id=identity.request_id(request))
    found = _base(settings.base, registry, config)
    every = {platform: found.lock(platform) for platform in found.platforms}
    locks = {
        platform: every.get(platform) or every.get(base_platform(platform)) or found.lock(platform)
        for platform in settings.platforms
    }
    first = next(iter(every.values()))
    request = compose(
        settings,
        spec,
        registry.settings,
        base=Base(
            reference=settings.base, request=first.request, locks={name: lock.id for name, lock in every.items()}
        ),
        base_interpreter=first.interpreter,
        base_channels=first.channels,
    )
    return Draft(
        settings=settings, files=files.files, request=request, id=identity.request_id(request), base_locks=locks
    )


def _base(reference: str, registry: Registry, config: Config) -> Found:
    """The environment that is extended: of the registry or, by a full id, of its store, where those of steps are."""
    try:
        return find(reference, registry, config, {})
    except FatalError:
        wanted = parse_reference(reference)
        if not isinstance(wanted, FullId):
            raise
        from envtag.flows.shelf import Shelf
        from envtag.store import open_store
        from envtag.stored import find_stored

        kept = Shelf(config).find(wanted)
        if kept is not None:
            return kept
        default = config.directories.default_store.as_uri()
        store = open_store(config.store or registry.settings.store or default)
        found = find_stored(reference, store, config.directories.known_tags, {}, (registry.identity,))
        if found is None:
            raise
        return found


def answered(drafted: Draft, environment: Environment | None) -> dict[str, Lock]:
    """The locks of a directory that answer a draft already, by platform."""
    if environment is None:
        return {}
    locks = [environment.lock(name) for name in drafted.settings.platforms if name in environment.platforms]
    return {lock.platform: lock for lock in locks if drafted.is_answered_by(lock)}


def solve_draft(
    drafted: Draft,
    platforms: Sequence[str],
    *,
    config: Config,
    output: Output,
    pins: Mapping[str, Pins] | None = None,
) -> dict[str, Lock]:
    """Solve a draft on some platforms, side by side; platform to lock. `pins` are those of `solve`.

    Raises:
        UnsolvableError: There is no solution on one of them; the detail explains each.
    """
    if not platforms:
        return {}
    from envtag.solve import solve

    locks = solve(
        drafted.request,
        platforms,
        config=config,
        store=None,
        base_locks=drafted.base_locks,
        output=output,
        pins=pins,
    )
    return {lock.platform: lock._replace(sources=drafted.settings.sources(lock.platform)) for lock in locks}


def changes(
    name: str, drafted: Draft, locks: Mapping[str, Lock], ledger: Ledger, before: Environment | None
) -> dict[str, bytes | None]:
    """The files of an environment's directory to write (bytes) and to remove (None), as paths in the registry.

    Args:
        name: The environment's name.
        drafted: Its settings and specs.
        locks: Platform to lock, for every platform of the draft.
        ledger: Its ledger; no file is made of an empty one.
        before: The directory as it is, or None for a new one.
    """
    root = f"envs/{name}"
    written: dict[str, bytes | None] = {}
    if before is not None:
        gone = [f"{platform}-lock.yml" for platform in before.platforms if platform not in locks]
        kept = [file.name for file in spec_files_of(before)] or before.settings.files
        written = {f"{root}/{old}": None for old in (*gone, *kept)}
    written[f"{root}/envtag.yml"] = drafted.settings.to_bytes()
    written.update({f"{root}/{file.name}": file.data for file in drafted.files})
    written.update({f"{root}/{platform}-lock.yml": write_lock(lock) for platform, lock in locks.items()})
    if ledger.releases or ledger.pointers:
        written[f"{root}/tags.yml"] = ledger.to_bytes()
    return written


def spec_files_of(environment: Environment) -> tuple[SpecFile, ...]:
    """The spec files of a directory; none where one of them is gone, since it is about to be written anew."""
    try:
        return environment.spec_files()
    except FatalError:
        return ()


def told_of_change(names: Sequence[str], registry: Registry) -> tuple[str, str]:
    """What a change of environments comes to, and what to do next, for people."""
    paths = " ".join(f"envs/{name}" for name in dict.fromkeys(names))
    branch = registry.home(names)
    if branch is not None:
        return f"wrote {paths} on `{branch.name}`", f"`envtag publish {names[0]}`"
    return (
        f"wrote {paths}",
        f"`git add {paths} && git commit`, then open a pull request, or `envtag publish {names[0]}`",
    )


def summary(lock: Lock) -> dict[str, object]:
    """What a lock holds, in numbers, for tables and JSON."""
    return {
        "lock": lock.id,
        "conda": len(lock.by_manager("conda")),
        "pypi": len(lock.by_manager("pypi")),
        "bytes": sum(package.size or 0 for package in lock.packages),
        "python": lock.python,
        "interpreter": lock.interpreter,
    }
