"""Another name for an environment that is resolved already: its files as they are, under that name, nothing solved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from envtag.authoring import draft
from envtag.errors import AliasExistsError, FatalError, UnreachableError
from envtag.found import InRegistry
from envtag.importing.drafting import Origin, locks_of
from envtag.importing.pins import spec_of
from envtag.ledger import Ledger, Release
from envtag.lock import write as write_lock
from envtag.settings import EnvironmentSettings
from envtag.spec_files import SpecFiles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envtag.config import Config
    from envtag.found import Found
    from envtag.lock import Lock
    from envtag.names import Alias
    from envtag.output import Output
    from envtag.registry import Environment, Registry
    from envtag.spec import SpecFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What an environment's directory holds beside its ledger.

    Attributes:
        name: The name that it had.
        settings: Its `envtag.yml`.
        files: Its spec files and what they include.
        locks: Platform to lock.
    """

    name: str
    settings: EnvironmentSettings
    files: tuple[SpecFile, ...]
    locks: Mapping[str, Lock]

    @property
    def request(self) -> str:
        """The request id of its locks."""
        return next(iter(self.locks.values())).request

    @property
    def ids(self) -> dict[str, str]:
        """Platform to lock id."""
        return {platform: lock.id for platform, lock in self.locks.items()}


def content_of(found: Found, source: str, registry: Registry, config: Config) -> Content:
    """What an environment that was looked up consists of.

    Of one whose lock alone is known (a step made it of a named one and packages of its own), the spec is its packages,
    pinned: it can be locked again, and it is what it was.

    Args:
        found: The environment.
        source: What it was asked for as, which is recorded where its spec is made of its packages.
        registry: Where its settings come from then.
        config: The client's settings.

    Raises:
        FatalError: It is not locked, or one of its files is not there.
    """
    locks = {platform: found.lock(platform) for platform in found.platforms}
    if not locks:
        raise FatalError(f"`{found.alias}` is not locked yet", f"`envtag lock {found.alias.name}`")
    if isinstance(found, InRegistry):
        environment = found.environment
        return Content(
            name=environment.name, settings=environment.settings, files=environment.spec_files(), locks=locks
        )
    return _pinned(locks, source, registry, config)


def _pinned(locks: Mapping[str, Lock], source: str, registry: Registry, config: Config) -> Content:
    first = next(iter(locks.values()))
    packages = {platform: lock.packages for platform, lock in locks.items()}
    origin = Origin((f"metaflow {source.removeprefix('step:')} lock:{first.id}",))
    conda = first.interpreter == "conda"
    file = spec_of(packages, (), first.channels, conda=conda, origin=source)
    settings = EnvironmentSettings(
        spec=(file.name,),
        python=f"=={first.python}.*" if first.python else "",
        interpreter="conda" if conda else "uv",
        platforms=tuple(locks),
        imported=origin,
    )
    drafted = draft(settings, SpecFiles(specs=(file.name,), files=(file,)), registry, config)
    return Content(name="", settings=settings, files=(file,), locks=locks_of(drafted, packages, first.python, origin))


def adopt(content: Content, target: Alias, registry: Registry, output: Output) -> bool:
    """Write an environment under another name, with a release of it where the tag is immutable; see `adopt_all`."""
    return adopt_all([(content, [target])], registry, output)


def adopt_all(named: Sequence[tuple[Content, Sequence[Alias]]], registry: Registry, output: Output) -> bool:
    """Write environments under other names, all of them or none.

    Args:
        named: What each consists of, and its names, each with an immutable tag or `latest`.
        registry: The registry, with a work tree.
        output: Where it is told that the remote could not be asked.

    Returns:
        False if it was all there already.

    Raises:
        AliasExistsError: A tag is taken by other content.
        FatalError: A tag is of the same name, which has other content by now.
    """
    for content, targets in named:
        for target in targets:
            _refuse_released(content, target, registry, output)

    def written() -> dict[str, bytes | None]:
        made: dict[str, bytes | None] = {}
        for content, targets in named:
            for name in dict.fromkeys(target.name for target in targets):
                before = registry.environment(name) if registry.has(name) else None
                ledger = before.ledger if before is not None else Ledger()
                for target in (target for target in targets if target.name == name):
                    _refuse_moved(content, target, before)
                    ledger = _with_release(ledger, content, target)
                made.update(_changes(content, name, ledger, before))
        return made

    return registry.change([target.name for _, targets in named for target in targets], written)


def _refuse_released(content: Content, target: Alias, registry: Registry, output: Output) -> None:
    if target.mutable:
        return
    try:
        released = registry.released(target)
    except UnreachableError as error:
        output.warn(f"{error.message}; whether `{target}` is free is checked when it is published")
        return
    if released is not None and dict(released.record.locks) != content.ids:
        raise _taken(target)


def _with_release(ledger: Ledger, content: Content, target: Alias) -> Ledger:
    if target.mutable:
        return ledger
    try:
        return ledger.with_release(Release(tag=target.tag, request=content.request, locks=content.ids))
    except AliasExistsError as error:
        raise _taken(target) from error


def _refuse_moved(content: Content, target: Alias, before: Environment | None) -> None:
    """A release of a name is of what its directory holds: an older state of the same name is not put back for it."""
    if before is None or target.mutable or content.name != target.name or before.ledger.release(target.tag):
        return
    if {platform: before.lock(platform).id for platform in before.platforms} != content.ids:
        raise FatalError(
            f"`{target.name}` has other locks by now, and a release is of what its directory holds",
            f"point at it (`envtag alias … {target.name}:stable`), or give it another name",
        )


def _changes(content: Content, name: str, ledger: Ledger, before: Environment | None) -> dict[str, bytes | None]:
    root = f"envs/{name}"
    written: dict[str, bytes | None] = {}
    if before is not None:
        gone = [f"{platform}-lock.yml" for platform in before.platforms if platform not in content.locks]
        written = {f"{root}/{old}": None for old in (*gone, *before.settings.files)}
    written[f"{root}/envtag.yml"] = content.settings.to_bytes()
    written.update({f"{root}/{file.name}": file.data for file in content.files})
    written.update({f"{root}/{item}-lock.yml": write_lock(lock) for item, lock in content.locks.items()})
    if ledger.releases or ledger.pointers:
        written[f"{root}/tags.yml"] = ledger.to_bytes()
    return written


def _taken(alias: Alias) -> AliasExistsError:
    return AliasExistsError(
        f"Alias already exists: `{alias}` has other content", "immutable tags never move: choose a new tag"
    )
