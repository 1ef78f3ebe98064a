"""A lock of two branches: the merged spec, solved with the pins that both keep.

Until it is solved, and where it cannot be, git is given our own lock, whole and readable, under a line that says what
to do; it states the request that it answers, so that nobody takes it for the merged one's.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from envtag.authoring import draft, solve_draft
from envtag.errors import FatalError
from envtag.lock import read
from envtag.lock import write as lock_bytes
from envtag.lock_merge import Pins, merge_pins
from envtag.merging.sides import MergedRegistry, MergedTree, find_sides, merge_trees
from envtag.merging.unmerged import NOT_MERGED
from envtag.names import Alias, parse_reference
from envtag.registry.environment import ENVIRONMENTS
from envtag.registry.model import PROJECT_FILE
from envtag.spec_files import SpecFiles

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.git import Git
    from envtag.lock import Lock
    from envtag.merging.model import Versions
    from envtag.output import Output
    from envtag.registry import Environment

_SUFFIX = "-lock.yml"


def merge_lock_file(
    versions: Versions, git: Git, *, config: Config, environ: Mapping[str, str], output: Output
) -> Pins:
    """Merge a lock.

    Args:
        versions: What git gives.
        git: The repository, with `sides.SETTINGS`.
        config: The client's settings.
        environ: The driver's variables.
        output: For progress.

    Returns:
        What was kept.

    Raises:
        FatalError: It cannot be merged here; our version is there, with a line on top that says what to do.
    """
    path = PurePosixPath(versions.path)
    name = str(path.parent).removeprefix(f"{ENVIRONMENTS}/")
    data = versions.read()
    versions.write(unmerged(data[1], name))
    base, ours, theirs = (
        read(text, f"{path} ({side})") if text else None
        for text, side in zip(data, ("base", "ours", "theirs"), strict=True)
    )
    if ours is None or theirs is None:
        raise FatalError("one side has an empty lock", "lock it again")
    sides = find_sides(git, versions.path, data, environ)
    if sides is None:
        raise FatalError("the commits that are merged cannot be told, and with them the merged spec")
    pins = merge_pins(base, ours, theirs)
    merged = _solved(git, merge_trees(git, sides), name, path.name.removesuffix(_SUFFIX), pins, config, output)
    versions.write(lock_bytes(merged))
    return pins


def unmerged(ours: bytes, name: str) -> bytes:
    """Our lock with a first line that says that it is not merged, and what to do."""
    line = f", this is one side's lock: bring the spec in order, `envtag lock {name}`, then `git add` both.\n"
    head, newline, rest = ours.partition(b"\n")
    return NOT_MERGED + line.encode() + (rest if newline and head.startswith(b"#") else ours)


def _solved(git: Git, tree: MergedTree, name: str, platform: str, pins: Pins, config: Config, output: Output) -> Lock:
    _refuse({path for path in tree.conflicts if path == PROJECT_FILE or _is_spec(path, name)})
    registry = MergedRegistry(git, location=str(git.worktree or git.directory), commit=tree.commit)
    environment = registry.environment(name)
    _refuse(_base_conflicts(environment, tree))
    files = SpecFiles(specs=environment.settings.spec, files=environment.spec_files())
    drafted = draft(environment.settings, files, registry, config)
    if platform not in drafted.settings.platforms:
        raise FatalError(
            f"`{platform}` is not a platform of the merged environment", f"`git rm` its {platform}{_SUFFIX}"
        )
    return solve_draft(drafted, [platform], config=config, output=output, pins={platform: pins})[platform]


def _is_spec(path: str, name: str) -> bool:
    directory = f"{ENVIRONMENTS}/{name}/"
    return path.startswith(directory) and not path.endswith((_SUFFIX, "/tags.yml"))


def _base_conflicts(environment: Environment, tree: MergedTree) -> set[str]:
    """Conflicts in the environment that it extends; a released one is read from its tag, and has none."""
    reference = parse_reference(environment.settings.base) if environment.settings.base else None
    if not isinstance(reference, Alias) or not reference.mutable:
        return set()
    return {path for path in tree.conflicts if path.startswith(f"{ENVIRONMENTS}/{reference.name}/")}


def _refuse(conflicts: set[str]) -> None:
    if conflicts:
        listed = ", ".join(f"`{path}`" for path in sorted(conflicts))
        raise FatalError(f"{listed} {'is a conflict itself' if len(conflicts) == 1 else 'are conflicts themselves'}")
