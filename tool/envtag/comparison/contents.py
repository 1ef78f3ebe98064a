"""Two states as pairs of environments, and each pair as what is compared: what is equal is not even read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from envtag.comparison.states import LockFile, One, State, Tree
from envtag.diff import Content, Diff, EnvironmentChange, Facts, Requests, compare, registry_settings
from envtag.errors import FatalError
from envtag.registry.environment import ENVIRONMENTS, Environment
from envtag.request import is_for
from envtag.urls import channel_name
from envtag.util.parallel import in_parallel

if TYPE_CHECKING:
    from envtag.git import Git
    from envtag.package import Package
    from envtag.request import PypiRequirement
    from envtag.spec import Spec

#: What is in the archives of packages, so far as they are at hand.
FindFacts = Callable[[Sequence["Package"]], Mapping[str, Facts]]


@dataclass(frozen=True, slots=True)
class _Pair:
    before: Content | None
    after: Content | None


def compared(older: State, newer: State, *, below: str, today: int, recent_days: int, find_facts: FindFacts) -> Diff:
    """What differs between two states.

    Args:
        older: The state before.
        newer: The state after.
        below: Only the environment of this name and those below it; empty for all.
        today: Milliseconds since 1970; ages count from the newer state's commit where it has one, and from here
            otherwise.
        recent_days: How old a package is that is no longer recent.
        find_facts: Looks into archives.

    Raises:
        FatalError: The two cannot be compared, or one of them is malformed.
    """
    now = _commit_time(newer.git, newer.commit) if newer.commit and newer.git is not None else today
    pairs = list(_pairs(older, newer, below))
    facts = find_facts([package for pair in pairs for package in _changed(pair)])
    changes: list[EnvironmentChange] = []
    for pair in pairs:
        change = compare(pair.before, pair.after, facts=facts, now=now, recent_days=recent_days)
        if change is not None:
            changes.append(change)
    both = isinstance(older, Tree) and isinstance(newer, Tree) and not below
    registry = registry_settings(older.settings(), newer.settings()) if both else ()  # type: ignore[union-attr]
    return Diff(
        before=older.words,
        after=newer.words,
        now=now,
        recent_days=recent_days,
        registry=registry,
        environments=tuple(changes),
    )


def changed_names(older: Tree, newer: Tree) -> list[str]:
    """The environments of either tree that may differ: what git says where both are of one repository, else all."""
    if older.git is None or older.git is not newer.git:
        return sorted({*older.names(), *newer.names()})
    paths = _changed_paths(older, newer, older.git)
    directories = {path.rpartition("/")[0] for path in paths}
    owners = {tree.owner(f"{directory}/") for directory in directories for tree in (older, newer)}
    return sorted(name for name in owners if name)


def _changed_paths(older: Tree, newer: Tree, git: Git) -> list[str]:
    if older.commit and newer.commit:
        return git.changed_between(older.commit, newer.commit, ENVIRONMENTS)
    if not older.commit and not newer.commit:
        return []
    commit = older.commit or newer.commit
    calls = (
        ("diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", commit, "--", ENVIRONMENTS),
        ("ls-files", "--others", "-z", "--", ENVIRONMENTS),
    )
    wrong = f"cannot compare {commit} with the work tree"
    changed, new = in_parallel(lambda arguments: git.run(*arguments, check=wrong), calls, threads=len(calls))
    texts = (changed.stdout + new.stdout).decode("utf-8", "surrogateescape").split("\0")
    return sorted(path for path in texts if path)


def _pairs(older: State, newer: State, below: str) -> Iterator[_Pair]:
    if isinstance(older, LockFile) or isinstance(newer, LockFile):
        yield _lock_pair(older, newer)
        return
    if isinstance(older, Tree) and isinstance(newer, Tree):
        for name in changed_names(older, newer):
            if not below or f"{name}/".startswith(f"{below}/"):
                yield _pair(older.environment(name), newer.environment(name))
        return
    name = next(side.environment.name for side in (newer, older) if isinstance(side, One))
    yield _pair(_one(older, name), _one(newer, name))


def _one(side: Tree | One, name: str) -> Environment | None:
    return side.environment if isinstance(side, One) else side.environment(name)


def _lock_pair(older: State, newer: State) -> _Pair:
    platform = next(side.lock.platform for side in (newer, older) if isinstance(side, LockFile))
    contents = []
    for side in (older, newer):
        if isinstance(side, Tree):
            raise FatalError(
                f"a lock file cannot be compared with all of {side.words}",
                "name the other lock file (`REV:PATH`), or an environment",
            )
        lock = side.lock if isinstance(side, LockFile) else side.environment.lock(platform)
        if lock.platform != platform:
            raise FatalError(
                f"the locks are of two platforms: {older.words} and {newer.words}", "name two locks of one platform"
            )
        locks = {platform: lock}
        contents.append(
            Content(
                name="lock file", settings=None, ledger=None, requests=Requests(), locks=locks, platforms=(platform,)
            )
        )
    return _Pair(*contents)


def _pair(before: Environment | None, after: Environment | None) -> _Pair:
    """Both environments, without the locks that are the same bytes on both sides."""
    sides = [side for side in (before, after) if side is not None]
    wanted = {platform for side in sides for platform in side.platforms}
    if before is not None and after is not None and set(after.platforms) <= set(before.platforms):
        wanted -= {name for name in after.platforms if before.lock_bytes(name) == after.lock_bytes(name)}
    return _Pair(_content(before, wanted), _content(after, wanted))


def _content(environment: Environment | None, wanted: set[str]) -> Content | None:
    if environment is None:
        return None
    locks = {name: environment.lock(name) for name in environment.platforms if name in wanted}
    pythons = {name: lock.python for name, lock in locks.items()}
    return Content(
        name=environment.name,
        settings=environment.settings,
        ledger=environment.ledger,
        requests=_requests(environment, pythons),
        locks=locks,
        platforms=environment.platforms,
    )


def _requests(environment: Environment, pythons: Mapping[str, str]) -> Requests:
    """What the spec of an environment names, per platform."""
    spec = environment.settings.read_spec({file.name: file.data for file in environment.spec_files()}.__getitem__)
    texts = {key: [", ".join(values)] for key, values in _sources(spec).items() if values}
    for conda in spec.conda:
        texts.setdefault(f"conda {conda.name}", []).append(_on(conda.match_spec(), conda.platforms))
    for pypi in spec.pypi:
        world = "constraint" if pypi.constraint else "pypi"
        texts.setdefault(f"{world} {pypi.name}", []).append(_on(pypi.text, pypi.platforms))
    named = environment.settings.python or spec.python
    direct = {name: _direct(spec, name, python, python_named=bool(named)) for name, python in pythons.items()}
    return Requests(direct=direct, texts={key: " and ".join(sorted(items)) for key, items in texts.items()})


def _sources(spec: Spec) -> dict[str, tuple[str, ...]]:
    """Where a spec wants packages from, on its variants too, and the Python it wants."""
    own = {
        f"{what} {name}": values
        for name, sources in sorted(spec.variants.items())
        for what, values in (
            ("channels", tuple(channel_name(url) for url in sources.channels)),
            ("index-url", (sources.index_url,) if sources.index_url else ()),
            ("extra-index-urls", sources.extra_index_urls),
            ("find-links", sources.find_links),
        )
    }
    return own | {
        "channels": tuple(channel_name(url) for url in spec.channels),
        "index-url": (spec.index_url,) if spec.index_url else (),
        "extra-index-urls": spec.extra_index_urls,
        "requires-python": (spec.python,) if spec.python else (),
        "platforms": spec.platforms,
        "find-links": spec.pypi_options.find_links,
        "no-index": ("yes",) if spec.pypi_options.no_index else (),
        "pre": ("yes",) if spec.pypi_options.prereleases else (),
        "only-binary": spec.pypi_options.only_binary,
        "no-binary": spec.pypi_options.no_binary,
    }


def _on(text: str, platforms: frozenset[str] | None) -> str:
    return text if platforms is None else f"{text} [{', '.join(sorted(platforms))}]"


def _direct(spec: Spec, platform: str, python: str, *, python_named: bool) -> frozenset[tuple[str, str]]:
    names = {("conda", item.name) for item in spec.conda if is_for(item, platform)}
    names |= {("pypi", item.name) for item in spec.pypi if _is_asked_for(item, platform, python)}
    return frozenset(names | ({("conda", "python")} if python_named else set()))


def _is_asked_for(item: PypiRequirement, platform: str, python: str) -> bool:
    if item.constraint or not is_for(item, platform):
        return False
    if ";" not in item.text or not python:
        return True
    from packaging.requirements import Requirement

    from envtag.wheels import marker_environment

    marker = Requirement(item.text).marker
    return marker is None or marker.evaluate(dict(marker_environment(platform, python)))


def _changed(pair: _Pair) -> Iterator[Package]:
    """The packages whose archives differ, of both sides."""
    before = pair.before.locks if pair.before is not None else {}
    after = pair.after.locks if pair.after is not None else {}
    for platform in {*before, *after}:
        sides = [
            {package.sha256: package for package in (locks[platform].packages if platform in locks else ())}
            for locks in (before, after)
        ]
        for sha256 in sides[0].keys() ^ sides[1].keys():
            yield (sides[0].get(sha256) or sides[1][sha256])


def _commit_time(git: Git, commit: str) -> int:
    found = git.commit(commit)
    if found is None:
        raise FatalError(f"the commit {commit[:12]} is gone", "try again")
    return int(datetime.fromisoformat(found.date.replace("Z", "+00:00")).timestamp() * 1000)
