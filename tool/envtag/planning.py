"""What a merge has to do: the environments that it changes, and which machines bring them to the store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from envtag.authoring import answered, draft
from envtag.errors import FatalError
from envtag.names import parse_name
from envtag.platforms import base_platform
from envtag.registry.environment import ENVIRONMENTS, SETTINGS_FILE
from envtag.spec_files import SpecFiles
from envtag.util.text import shown

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.ledger import Release
    from envtag.registry import Environment, Registry

VERSION = 1
#: GitHub starts at most 256 jobs for the matrices of a run ("Actions limits"); some are left for other matrices.
JOBS = 250
#: The machines of GitHub's own by platform ("GitHub-hosted runners reference").
RUNNERS: Mapping[str, str] = MappingProxyType(
    {
        "linux-64": "ubuntu-latest",
        "linux-aarch64": "ubuntu-24.04-arm",
        "osx-64": "macos-15-intel",
        "osx-arm64": "macos-latest",
        "win-64": "windows-latest",
    }
)
#: Where everything is stored that needs no machine of its own platform.
ANYWHERE = "linux-64"


@dataclass(frozen=True, slots=True, order=True)
class Job:
    """One machine's part of a publication: `envtag publish` of some environments for some platforms.

    Attributes:
        runner: Label of the machine.
        platforms: What it stores; one that differs from the machine's own has nothing to build.
        environments: Names, sorted.
    """

    runner: str
    platforms: tuple[str, ...]
    environments: tuple[str, ...]

    @property
    def name(self) -> str:
        """What people see of it: `mlp/base (linux-64, osx-arm64)`."""
        more = f" and {len(self.environments) - 1} more" if len(self.environments) > 1 else ""
        return f"{self.environments[0]}{more} ({', '.join(self.platforms)})"

    @property
    def arguments(self) -> str:
        """What `envtag publish` is called with; no name or platform holds a blank."""
        return " ".join([*(f"--platform {platform}" for platform in self.platforms), *self.environments])


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a merge has to do.

    Attributes:
        base: The commit before; empty where everything is new.
        head: The commit after.
        environments: What is to be published, sorted.
        releases: Aliases that the ledgers release after and did not before.
        resolve: Environments whose locks do not answer their specs, or that are malformed: name to reason.
        removed: Environments that are gone: of their tags everything stays.
        jobs: What is stored where, in a stable order; tags come after all of them.
    """

    base: str
    head: str
    environments: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()
    resolve: Mapping[str, str] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    jobs: tuple[Job, ...] = ()

    def matrix(self) -> dict[str, Any]:
        """What a workflow needs of it; small, since the outputs of a job are bounded."""
        jobs = [{"name": job.name, "runner": job.runner, "arguments": job.arguments} for job in self.jobs]
        return {"version": VERSION, "base": self.base, "head": self.head, "jobs": jobs}

    def document(self) -> dict[str, Any]:
        """All of it, for programs."""
        jobs = [
            {
                "name": job.name,
                "runner": job.runner,
                "platforms": list(job.platforms),
                "environments": list(job.environments),
                "arguments": job.arguments,
            }
            for job in self.jobs
        ]
        return {
            "version": VERSION,
            "base": self.base,
            "head": self.head,
            "environments": list(self.environments),
            "releases": list(self.releases),
            "resolve": dict(self.resolve),
            "removed": list(self.removed),
            "jobs": jobs,
        }


def plan(registry: Registry, config: Config, *, base: str, head: str = "HEAD") -> Plan:
    """Find out what a merge has to do. Its cost grows with the change, not with the registry.

    Args:
        registry: The registry.
        config: The client's settings.
        base: The revision before the merge; empty for none: everything is new then.
        head: The revision after it.

    Raises:
        FatalError: There is no such revision, or a directory whose name no environment can have.
    """
    older = _commit(registry, base) if base else ""
    newer = _commit(registry, head)
    names, removed = _changed(registry, older, newer)
    releases: list[str] = []
    resolve: dict[str, str] = {}
    builds: dict[str, set[str]] = {}
    platforms: dict[str, tuple[str, ...]] = {}
    for name in names:
        try:
            environment = registry.environment(name, newer)
            new = _new_releases(registry, environment, older)
            why = _stale(registry, config, environment)
            whole = [environment, *_overtaken(registry, environment, new, older)]
            builds[name] = {platform for state in whole for platform in _sources(state)}
            platforms[name] = tuple(sorted({platform for state in whole for platform in state.platforms}))
            releases += [f"{name}:{release.tag}" for release in new]
        except FatalError as error:  # its publication will fail and say so; that of the others need not
            why = error.message
        if why:
            resolve[name] = why
    return Plan(
        base=older,
        head=newer,
        environments=tuple(names),
        releases=tuple(releases),
        resolve=resolve,
        removed=tuple(removed),
        jobs=jobs(platforms, builds, registry.settings.runners),
    )


def jobs(
    platforms: Mapping[str, Sequence[str]],
    builds: Mapping[str, Iterable[str]],
    runners: Mapping[str, str],
    limit: int = JOBS,
) -> tuple[Job, ...]:
    """Share the work out: one environment a job while there are not too many, several of a kind in each beyond that.

    Args:
        platforms: Environment to the platforms that it has locks for.
        builds: Environment to those on which it has something to build.
        runners: Platform to the label of its machines, over `RUNNERS`.
        limit: The most jobs; kinds of work are never mixed, and there are fewer than 40 of them.
    """
    labels = {**RUNNERS, **runners}
    kinds: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for name in sorted(platforms):
        apart = set(builds.get(name, ())) - {ANYWHERE}
        together = tuple(sorted(set(platforms[name]) - apart))
        if together:
            kinds[labels[ANYWHERE], together].append(name)
        for platform in sorted(apart):
            kinds[labels[base_platform(platform)], (platform,)].append(name)
    size = 1
    while sum(-(-len(names) // size) for names in kinds.values()) > max(limit, len(kinds)):
        size += 1
    return tuple(
        sorted(
            Job(runner, wanted, tuple(names[start : start + size]))
            for (runner, wanted), names in kinds.items()
            for start in range(0, len(names), size)
        )
    )


def _commit(registry: Registry, revision: str) -> str:
    commit = registry.git.commit_of(revision) if "\n" not in revision else None
    if commit is None:
        raise FatalError(
            f"`{registry.location}` has no revision {shown(revision)}",
            "correct it, or fetch it: a shallow clone lacks what is before its depth (`git fetch --unshallow`)",
        )
    return commit


def _changed(registry: Registry, older: str, newer: str) -> tuple[list[str], list[str]]:
    """The environments that differ and are there after, and those that are gone; sorted."""
    git = registry.git
    if not older:
        ends = f"/{SETTINGS_FILE}"
        paths = [path for path in git.list_tree(newer, ENVIRONMENTS) if path.endswith(ends)]
    else:
        paths = git.changed_between(older, newer, ENVIRONMENTS)
    directories = {path.removeprefix(f"{ENVIRONMENTS}/").rpartition("/")[0] for path in paths}
    now = {_owner(registry, directory, newer) for directory in directories} - {""}
    before = {_owner(registry, directory, older) for directory in directories} - {""} if older else set()
    gone = {name for name in before if not _has(registry, name, newer)}
    return [parse_name(name) for name in sorted(now)], sorted(gone)


def _owner(registry: Registry, directory: str, commit: str) -> str:
    """The innermost environment around a directory at a commit; empty for none."""
    while directory and not _has(registry, directory, commit):
        directory = directory.rpartition("/")[0]
    return directory


def _has(registry: Registry, name: str, commit: str) -> bool:
    return SETTINGS_FILE in registry.git.entries(commit, f"{ENVIRONMENTS}/{name}")


def _stale(registry: Registry, config: Config, environment: Environment) -> str:
    """Why an environment has to be locked again; empty where its locks answer its spec."""
    try:
        files = SpecFiles(specs=environment.settings.spec, files=environment.spec_files())
        drafted = draft(environment.settings, files, registry, config)
        fresh = answered(drafted, environment)
    except FatalError as error:  # told as the reason
        return error.message
    stale = [platform for platform in drafted.settings.platforms if platform not in fresh]
    return f"the locks for {', '.join(stale)} do not answer the spec" if stale else ""


def _sources(environment: Environment) -> set[str]:
    """The platforms for which an environment has something to build."""
    return {
        platform
        for platform in environment.platforms
        if any(package.is_source for package in environment.lock(platform).packages)
    }


def _new_releases(registry: Registry, environment: Environment, older: str) -> list[Release]:
    """What its ledger releases and did not before."""
    if not older or not _has(registry, environment.name, older):
        return list(environment.ledger.releases)
    before = registry.environment(environment.name, older).ledger.releases
    return [release for release in environment.ledger.releases if release not in before]


def _overtaken(
    registry: Registry, environment: Environment, new: Sequence[Release], older: str
) -> Iterator[Environment]:
    """An environment as the merged commits left it in turn, where one of them holds a release that its end does not."""
    locks = environment.lock_ids()
    if not older or all(dict(release.locks) == locks for release in new):
        return
    span = ("rev-list", f"{older}..{environment.revision}", "--", environment.directory)
    done = registry.git.run(*span, check=f"cannot read the history of `{environment.name}`")
    for commit in done.text().split():
        if _has(registry, environment.name, commit):
            found = registry.environment(environment.name, commit)
            with suppress(FatalError):  # what is malformed there is no release
                for platform in found.platforms:
                    found.lock(platform)
                yield found
