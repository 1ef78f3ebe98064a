"""What differs between two states of a registry: the nouns of `envtag diff`, which every rendering reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from envtag.ledger import Ledger
    from envtag.lock import Lock
    from envtag.package import Package
    from envtag.settings import EnvironmentSettings

#: What happened to a package, the most surprising first: this is the order of rows.
Kind = Literal["replaced", "downgraded", "added", "removed", "upgraded", "rebuilt", "moved", "restated"]
KINDS: tuple[Kind, ...] = ("replaced", "downgraded", "added", "removed", "upgraded", "rebuilt", "moved", "restated")
#: The first part of a version that differs.
Level = Literal["major", "minor", "patch", ""]
State = Literal["added", "removed", "changed"]
Severity = Literal["red", "attention"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageChange:
    """One package of one lock, before and after; at least one of them is there.

    Attributes:
        before: As the older lock has it; None where it came in.
        after: As the newer lock has it; None where it left. Its manager may be another one.
        kind: What happened.
        level: Of an upgrade or a downgrade, by the version scheme of the package's world.
    """

    before: Package | None
    after: Package | None
    kind: Kind
    level: Level = ""

    @property
    def package(self) -> Package:
        """The package as it is now, or as it was where it left."""
        found = self.after or self.before
        if found is None:
            raise ValueError("a change has a package before or after")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class LockChange:
    """Two locks of one platform: everything that it takes to make the newer one of the older one.

    Attributes:
        platform: The platform.
        before: The older lock without its packages; None where there was none.
        after: The newer lock without its packages; None where there is none any more.
        packages: What changed, sorted by name and manager.
    """

    platform: str
    before: Lock | None
    after: Lock | None
    packages: tuple[PackageChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is in a package's archive, beyond what a lock says of it.

    Attributes:
        activation: Scripts that run whenever the environment is activated, paths within the prefix.
        hooks: What runs when it is installed (`post-link`, …) or when Python starts (`*.pth`).
        installed: Bytes on disk, None where its listing does not say.
    """

    activation: tuple[str, ...] = ()
    hooks: tuple[str, ...] = ()
    installed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """What a spec asks for.

    Attributes:
        direct: Platform to the (manager, name) of what is named for it; None where no spec is known.
        texts: World and name (`conda numpy`) to the requirements as people wrote them.
    """

    direct: Mapping[str, frozenset[tuple[str, str]]] | None = None
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """An environment as one side of a comparison has it.

    Attributes:
        name: Its name, or what stands for one.
        settings: Its `envtag.yml`; None for lock files alone.
        ledger: Its `tags.yml`; None for lock files alone.
        requests: What its spec asks for.
        locks: Platform to lock; those that are equal byte for byte on both sides may be left out on both.
        platforms: The platforms that it is locked for.
    """

    name: str
    settings: EnvironmentSettings | None
    ledger: Ledger | None
    requests: Requests
    locks: Mapping[str, Lock]
    platforms: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One change, and all platforms on which it is the same one to a reader.

    Attributes:
        kind: What happened.
        level: See `PackageChange`.
        name: The package's name.
        manager: Its world now, or before where it left.
        direct: Whether the spec names it; None where no spec is known.
        platforms: Sorted.
        changes: Platform to the change itself.
        why: Names from a direct request to this package; empty where none leads to it.
    """

    kind: Kind
    level: Level
    name: str
    manager: str
    direct: bool | None
    platforms: tuple[str, ...]
    changes: Mapping[str, PackageChange] = field(repr=False)
    why: tuple[str, ...] = ()

    @property
    def change(self) -> PackageChange:
        """The change on the first of its platforms."""
        return self.changes[self.platforms[0]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that a reviewer should look at before the rest.

    Attributes:
        kind: One of `findings.KINDS`.
        severity: `red` for what has no harmless explanation that is common, `attention` otherwise.
        name: The package (or the line of the ledger) that it is about.
        before: How it was; empty where there was nothing.
        after: How it is; empty where there is nothing.
        platforms: Where; empty where platforms play no part.
    """

    kind: str
    severity: Severity
    name: str
    before: str = ""
    after: str = ""
    platforms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A setting, a requirement or a line of the ledger that differs; an empty text where there is none."""

    key: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """Bytes before and after, and what makes the difference.

    Attributes:
        before: All that is known before.
        after: All that is known after.
        unknown: How many of the packages that changed have no known size.
        top: (name, difference) of what weighs most, the heaviest first.
    """

    before: int
    after: int
    unknown: int
    top: tuple[tuple[str, int], ...]

    @property
    def delta(self) -> int:
        """How many bytes more."""
        return self.after - self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformChange:
    """One platform of an environment.

    Attributes:
        platform: Its name.
        state: Whether its lock came in, left or changed.
        locks: The older lock and the newer one, None where there is none.
        packages: How many packages it has now, or had where it left.
        alike: Of a platform that came in: packages that are on another platform in the same version, and left out.
        download: Sizes of archives.
        installed: Difference on disk made by what changed, so far as archives are at hand; the totals are not known.
    """

    platform: str
    state: State
    locks: tuple[Lock | None, Lock | None] = field(repr=False)
    packages: int
    alike: int
    download: Weight
    installed: Weight

    @property
    def before(self) -> str:
        """The older lock's id, empty where there was none; computed when it is asked for, since that takes time."""
        return self.locks[0].id if self.locks[0] is not None else ""

    @property
    def after(self) -> str:
        """The newer lock's id, empty where there is none."""
        return self.locks[1].id if self.locks[1] is not None else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentChange:
    """One environment, before and after.

    Attributes:
        name: Its name; `OLD -> NEW` where two different ones are compared.
        state: Whether it came in, left or changed.
        platforms: Those whose lock changed, sorted.
        total: How many platforms it is locked for, before and after together.
        settings: What differs in its `envtag.yml`.
        requirements: What differs in what its spec asks for.
        ledger: What differs in its `tags.yml`.
        rows: What happened to packages.
        findings: What to look at first, sorted by importance.
        unread: Archives that came in and were not at hand to look into.
        looked_into: Archives that came in and were.
    """

    name: str
    state: State
    platforms: tuple[PlatformChange, ...]
    total: int
    settings: tuple[Setting, ...]
    requirements: tuple[Setting, ...]
    ledger: tuple[Setting, ...]
    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]
    unread: int
    looked_into: int

    @property
    def knows_direct(self) -> bool:
        """Whether it is known which packages the spec names."""
        return all(row.direct is not None for row in self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """Two states, and what differs between them.

    Attributes:
        before: The older state in words (`main at 0123456789ab`).
        after: The newer state in words (`the work tree`).
        now: Milliseconds since 1970 from which ages count.
        recent_days: Packages younger than this are pointed out.
        registry: What differs in `[tool.envtag]` of the registry.
        environments: What differs, sorted by name.
    """

    before: str
    after: str
    now: int
    recent_days: int
    registry: tuple[Setting, ...]
    environments: tuple[EnvironmentChange, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs."""
        return not self.registry and not self.environments
