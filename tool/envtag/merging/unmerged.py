"""Locks that a merge left as conflicts: git's index still has all three versions, and with them the pins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.lock import read
from envtag.lock_merge import Pins, merge_pins
from envtag.registry.environment import ENVIRONMENTS, platform_of_lock

if TYPE_CHECKING:
    from envtag.git import Git
    from envtag.lock import Lock
    from envtag.registry import Environment

#: How the first line of a lock begins that a merge has left as one side had it.
NOT_MERGED = b"# Not merged"
_BASE, _OURS, _THEIRS = "1", "2", "3"


def unmerged_pins(git: Git) -> dict[str, dict[str, Pins]]:
    """The pins of the locks that are conflicts in git's index: name of the environment to platform to pins.

    Where a side has no lock, or one that cannot be read, nothing is pinned. One call tells of a whole registry.

    Args:
        git: The repository.
    """
    listed = git.run("ls-files", "--unmerged", "-z", "--", ENVIRONMENTS, check="cannot read git's index")
    stages: dict[tuple[str, str], dict[str, str]] = {}
    for entry in listed.stdout.decode("utf-8", "surrogateescape").split("\0"):
        head, _, path = entry.partition("\t")
        directory, _, file = path.removeprefix(f"{ENVIRONMENTS}/").rpartition("/")
        platform = platform_of_lock(file)
        if platform:
            _, blob, stage = head.split()
            stages.setdefault((directory, platform), {})[stage] = blob
    pins: dict[str, dict[str, Pins]] = {}
    for (name, platform), found in stages.items():
        pins.setdefault(name, {})[platform] = _pins(git, platform, found)
    return pins


def is_settled(environment: Environment, platform: str) -> bool:
    """Whether the lock of a conflict is a whole one that is meant as an answer: no markers, no line that it is not."""
    if environment.lock_bytes(platform).startswith(NOT_MERGED):
        return False
    try:
        environment.lock(platform)
    except FatalError:
        return False
    return True


def _pins(git: Git, platform: str, stages: dict[str, str]) -> Pins:
    base, ours, theirs = (_lock(git, platform, stages.get(stage, "")) for stage in (_BASE, _OURS, _THEIRS))
    return merge_pins(base, ours, theirs) if ours is not None and theirs is not None else Pins()


def _lock(git: Git, platform: str, blob: str) -> Lock | None:
    if not blob:
        return None
    data = git.run("cat-file", "blob", blob, check=f"git's index names {blob}, which is not there").stdout
    try:
        return read(data, f"{platform}-lock.yml")
    except FatalError:  # a version that was never a lock pins nothing; the new lock takes its place
        return None
