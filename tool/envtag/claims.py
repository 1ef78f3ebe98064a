"""Immutable tags before their release: which are free, which other content has, the ledger lines that claim them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from envtag.authoring import changes
from envtag.errors import AliasExistsError, FatalError, UnreachableError
from envtag.ledger import Ledger, Release
from envtag.names import Alias

if TYPE_CHECKING:
    from envtag.authoring import Draft
    from envtag.lock import Lock
    from envtag.output import Output
    from envtag.registry import Environment, Registry, ReleasedTag


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """The claims of one call on immutable tags; each tag is looked up once, also on the remote.

    Attributes:
        registry: The registry, with a work tree.
        output: Where it is told that the remote could not be asked.
        force: Replace a release that stands in the work tree alone.
    """

    registry: Registry
    output: Output
    force: bool = False
    _released: dict[Alias, ReleasedTag | None] = field(default_factory=dict)

    def check(
        self, name: str, tags: Sequence[str], drafted: Draft, environment: Environment | None
    ) -> list[Environment]:
        """Refuse, before anything is solved, a tag that other content has.

        Returns:
            What the tags of this very request were released with, at their commits.

        Raises:
            AliasExistsError: A tag is taken.
        """
        found = []
        for tag in tags:
            alias = Alias(name=name, tag=tag)
            release = environment.ledger.release(tag) if environment is not None else None
            if release is not None and release.request != drafted.id and not (self.force and self._is_draft(alias)):
                raise _taken(alias)
            released = self._look_up(alias)
            if released is not None:
                if released.record.request != drafted.id:
                    raise _taken(alias)
                found.append(released.environment)
        return found

    def ledger(
        self, name: str, tags: Sequence[str], drafted: Draft, locks: Mapping[str, Lock], environment: Environment | None
    ) -> Ledger:
        """The ledger with a line for each tag; checked again, since another process may have written since.

        Raises:
            AliasExistsError: A tag is taken.
        """
        ledger = environment.ledger if environment is not None else Ledger()
        for tag in tags:
            alias = Alias(name=name, tag=tag)
            release = Release(tag=tag, request=drafted.id, locks={item.platform: item.id for item in locks.values()})
            released = self._look_up(alias)
            if released is not None and dict(released.record.locks) != dict(release.locks):
                raise _taken(alias)
            if self.force and ledger.release(tag) not in (None, release) and self._is_draft(alias):
                ledger = ledger._replace(releases=tuple(item for item in ledger.releases if item.tag != tag))
            try:
                ledger = ledger.with_release(release)
            except AliasExistsError as error:
                raise _taken(alias) from error
        return ledger

    def write(self, tags: Mapping[str, Sequence[str]], drafted: Draft, locks: Mapping[str, Lock]) -> bool:
        """Write the directory of every name with its claims, or none; whether anything is new.

        Args:
            tags: Name to its immutable tags.
            drafted: Settings and specs.
            locks: Platform to lock.

        Raises:
            AliasExistsError: A tag is taken.
        """

        def written() -> dict[str, bytes | None]:
            made: dict[str, bytes | None] = {}
            for name, claimed in tags.items():
                environment = self.registry.environment(name) if self.registry.has(name) else None
                ledger = self.ledger(name, claimed, drafted, locks, environment)
                made.update(changes(name, drafted, locks, ledger, environment))
            return made

        return self.registry.change(tags, written)

    def _look_up(self, alias: Alias) -> ReleasedTag | None:
        """The released tag, also of the remote; where that cannot be reached, publishing will ask it again."""
        if alias not in self._released:
            try:
                self._released[alias] = self.registry.released(alias)
            except UnreachableError as error:
                self.output.warn(f"{error.message}; whether `{alias}` is free is checked when it is published")
                self._released[alias] = None
        return self._released[alias]

    def _is_draft(self, alias: Alias) -> bool:
        """Whether a release stands in the work tree alone: neither committed nor published."""
        if self._look_up(alias) is not None or self.registry.open_branch(alias.name) is not None:
            return False
        path = f"envs/{alias.name}/tags.yml"
        committed = self.registry.git.read("HEAD", path)
        return committed is None or Ledger.parse(committed, f"{path} at HEAD").release(alias.tag) is None


def tags_by_name(aliases: Sequence[Alias]) -> dict[str, list[str]]:
    """Name to its immutable tags; a name asked for as `latest` alone has none.

    Raises:
        FatalError: One is a pointer, which is moved and not made.
    """
    tags: dict[str, list[str]] = {}
    for alias in aliases:
        found = tags.setdefault(alias.name, [])
        if alias.tag in ("stable", "candidate"):
            raise FatalError(
                f"`{alias}`: `{alias.tag}` points at a release, it is not resolved to",
                f"resolve to an immutable tag, then `envtag alias {alias.name}:TAG {alias}`",
            )
        if not alias.mutable and alias.tag not in found:
            found.append(alias.tag)
    return tags


def _taken(alias: Alias) -> AliasExistsError:
    return AliasExistsError(
        f"Alias already exists: `{alias}` has other content",
        "immutable tags never move: resolve to a new tag "
        "(a release that is not committed yet can be replaced with `--force`)",
    )
