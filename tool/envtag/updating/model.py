"""What an update asks for, and what became of it, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from envtag.errors import UnsolvableError
    from envtag.lock import Lock
    from envtag.lock_merge import Bound
    from envtag.package import Package

#: Manager and name: what a package is known by in a lock.
Key: TypeAlias = tuple[str, str]
Kind = Literal["asked", "forced", "added", "removed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What is wanted on one platform, beside its lock as it was.

    Attributes:
        free: The packages that may move.
        newest: Those of them that are to be as new as the request lets them be, whatever else must move for it.
        bounds: What their versions must satisfy.
        exempt: Names of packages that a cutoff in time is not for.
        everything: Whether every package may move.
        young: The packages that are newer than a cutoff: where everything may move, they stay if they can.
    """

    free: frozenset[Key] = frozenset()
    newest: tuple[Key, ...] = ()
    bounds: tuple[Bound, ...] = ()
    exempt: frozenset[str] = frozenset()
    everything: bool = False
    young: frozenset[Key] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a search came to on one platform.

    Attributes:
        lock: The new lock.
        refusals: Package that had to move to why it could not stay, in the solver's words.
        stuck: Package that is not newer, or not as new as there is, to the solver's words on what is newer.
        solves: How often a solver was asked.
        minimal: Whether each move was shown to be needed: holding the package makes what is asked for unsolvable.
    """

    lock: Lock
    refusals: Mapping[Key, UnsolvableError] = field(default_factory=dict)
    stuck: Mapping[Key, UnsolvableError] = field(default_factory=dict)
    solves: int = 1
    minimal: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One package that is another one now.

    Attributes:
        key: Its manager and name.
        kind: `asked` for, `forced` by what was, `added` or `removed` along with it.
        before: None for an added one.
        after: None for a removed one.
        reason: Why, in words; empty for what was asked for.
    """

    key: Key
    kind: Kind
    before: Package | None
    after: Package | None
    reason: str = ""

    def __str__(self) -> str:
        name = self.key[1]
        if self.before is None or self.after is None:
            version = self.after.version if self.after is not None else self.before.version if self.before else ""
            return f"{name} {version} {self.kind}"
        if self.before.version != self.after.version:
            return f"{name} {self.before.version} → {self.after.version}"
        build = self.after.build
        return f"{name} {self.after.version}, build {self.before.build} → {build}" if build else f"{name} (other bytes)"
