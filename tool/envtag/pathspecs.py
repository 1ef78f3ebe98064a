"""The environment that a step of a Metaflow run had, as its task recorded it; and that environment, looked up."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from envtag import lookup
from envtag.errors import FatalError
from envtag.flows.shelf import Shelf
from envtag.found import InRegistry
from envtag.names import Alias, FullId, Pathspec, parse_reference
from envtag.registry.holding import once_holding

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.found import Found
    from envtag.registry import Registry
    from envtag.store import Store

#: What a task records of its environment: field of its metadata to what it holds.
FIELDS: Mapping[str, str] = {
    "envtag_id": "id",
    "envtag_alias": "alias",
    "envtag_commit": "commit",
    "envtag_platform": "platform",
    "envtag_request": "request",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What the task of a step recorded of its environment.

    Attributes:
        task: The task, `Flow/Run/Step/Task`.
        id: The environment's full id.
        alias: What the step named, as it was written with `@{VAR}` substituted; empty where it named none.
        commit: The registry's commit that it was read at; empty where it was none.
        platform: The platform of the task.
        request: The step's merged requirements, JSON; empty where they are not recorded.
    """

    task: str
    id: FullId
    alias: str = ""
    commit: str = ""
    platform: str = ""
    request: str = ""


def recorded(pathspec: Pathspec) -> Recorded:
    """What a step's task recorded, through Metaflow's client: also of other users' runs, and of resumed tasks.

    Args:
        pathspec: `Flow/Run/Step`; `Flow/Run` is the end step of a run; `Flow` is that of the newest run that has
            reached its end. Of the tasks of a foreach it is the one that Metaflow gives first; of its attempts, the
            last.

    Raises:
        FatalError: Metaflow is not installed, there is no such step, or its task recorded no environment.
    """
    with task_of(pathspec) as task:
        found: Mapping[str, str] = _looking().recorded_of(task)
        where = str(task.pathspec)
    text = found["envtag_id"]
    reference = parse_reference(text)
    if not isinstance(reference, FullId):
        raise FatalError(f"`{where}` recorded `{text}` as its environment, which is no full id")
    values = {name: found.get(key, "") for key, name in FIELDS.items() if name != "id"}
    return Recorded(task=where, id=reference, **values)


def find_step(
    pathspec: Pathspec, registry: Callable[[], Registry], store: Callable[[], Store], config: Config
) -> Found:
    """The very environment that a step had, wherever its alias points by now.

    It is read at the commit that the task recorded, else by its full id in the registry, else in the store, which is
    where environments are that a step made of a named one and packages of its own.

    Args:
        pathspec: The step.
        registry: Opens the registry.
        store: Opens the store.
        config: The client's settings.

    Raises:
        FatalError: Nothing is recorded, or what is recorded is nowhere any more.
    """
    return find_recorded(recorded(pathspec), registry, store, config)


def find_recorded(
    item: Recorded, registry: Callable[[], Registry], store: Callable[[], Store], config: Config
) -> Found:
    """The environment that a task recorded; arguments and errors are those of `find_step`."""
    failures: list[FatalError] = []
    places: tuple[Callable[[], Found | None], ...] = (
        lambda: _by_alias(item, registry(), config),
        lambda: lookup.find(str(item.id), registry(), config, {}),
        lambda: Shelf(config).find(item.id),
        lambda: _by_history(item, registry(), config),
        lambda: _in_store(item, store(), config),
    )
    for look in places:
        try:
            found = look()
        except FatalError as error:
            failures.append(error)
            continue
        if found is not None:
            return found
    reasons = "\n".join(dict.fromkeys(f"  {error.message}" for error in failures))
    raise FatalError(
        f"the environment `{item.id}` of `{item.task}` is neither in the registry nor in the store",
        "name the registry or the store that it was made with: `ENVTAG_REGISTRY`, `ENVTAG_STORE`",
        reasons,
    )


def _by_alias(item: Recorded, registry: Registry, config: Config) -> Found | None:
    """What the alias is, or was at the recorded commit, if that is this very environment."""
    try:
        reference = parse_reference(item.alias)
    except FatalError:  # none, one with `@{VAR}`, or the pathspec of another step
        return None
    if not isinstance(reference, Alias):
        return None
    alias = Alias(name=reference.name, tag=reference.tag)
    if alias.mutable and item.commit:
        return _at(alias, item.commit, item, registry, config)
    found = lookup.find(str(alias), registry, config, {})
    return found if _is_it(found, item) else None


def _by_history(item: Recorded, registry: Registry, config: Config) -> Found | None:
    """The environment of whatever name at the newest commit that has it."""
    for name, commit in once_holding(registry, item.id.lock):
        found = _at(Alias(name=name), commit, item, registry, config)
        if found is not None:
            return found
    return None


def _at(alias: Alias, revision: str, item: Recorded, registry: Registry, config: Config) -> Found | None:
    """An environment at a commit, if it is this very one then; by the tag that it was released as, if it was."""
    environment = registry.environment(alias.name, revision)
    found = InRegistry(alias=alias, environment=environment, registry=registry, directories=config.directories)
    if not _is_it(found, item):
        return None
    for release in environment.ledger.releases:
        if item.id.lock in release.locks.values() and release.request == item.id.request:
            released = Alias(name=alias.name, tag=release.tag)
            if registry.released(released) is not None:
                return lookup.find(str(released), registry, config, {})
    return found


def _is_it(found: InRegistry, item: Recorded) -> bool:
    platforms = [name for name in found.platforms if name == (item.platform or name)]
    return any(
        found.lock_id(name) == item.id.lock and found.lock(name).request == item.id.request for name in platforms
    )


def _in_store(item: Recorded, store: Store, config: Config) -> Found | None:
    from envtag.stored import find_stored

    return find_stored(str(item.id), store, config.directories.known_tags, {}, ())


@contextmanager
def task_of(pathspec: Pathspec) -> Iterator[Any]:
    """The task that a pathspec means, as Metaflow's client has it; Metaflow's own errors in the block become ours.

    Raises:
        FatalError: Metaflow is not installed, or there is no such task.
    """
    try:
        from metaflow.exception import MetaflowException
    except ImportError as error:
        raise FatalError(
            f"`{pathspec.path}` is a step of Metaflow, which is not installed here", "`pip install 'envtag[metaflow]'`"
        ) from error
    looking = _looking()
    try:
        yield looking.task_at(pathspec.path)
    except looking.PathspecError as error:
        raise FatalError(str(error), error.hint) from error
    except MetaflowException as error:
        said = " ".join(str(error).split())
        raise FatalError(f"`{pathspec.path}` cannot be read: {said}", "try again, or name another step") from error


def _looking() -> Any:
    """The look-up of pathspecs, which the Metaflow extension has, since launches without envtag need it, too."""
    return importlib.import_module("metaflow_extensions.envtag.plugins.envtag_env.pathspecs")
