"""Updates of a whole registry: environments side by side, one branch each, and no work tree touched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.git import Git
from envtag.merging.sides import MergedRegistry
from envtag.output import Output
from envtag.updating import words
from envtag.updating.branches import branch_of, propose
from envtag.updating.environment import Updated, Wanted, update
from envtag.util.parallel import in_parallel
from envtag.util.text import number_of

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.registry import Registry

_WORKERS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What became of one environment.

    Attributes:
        name: The environment.
        branch: Its branch.
        state: `proposed`, `unchanged` (the branch has it already), `fresh` (nothing is newer), or `failed`.
        commit: The branch's commit; empty where there is no branch to tell of.
        updated: The update; None where it failed.
        error: Why it failed.
    """

    name: str
    branch: str
    state: str
    commit: str = ""
    updated: Updated | None = None
    error: FatalError | None = None


def propose_every(
    wanted: Callable[[str], Wanted],
    *,
    dry_run: bool,
    registry: Registry,
    config: Config,
    output: Output,
) -> list[Proposal]:
    """Update environments as HEAD has them, each on a branch of its own; one that fails stops no other.

    Args:
        wanted: What is asked for of an environment, by its name.
        dry_run: Solve and tell; make no branch.
        registry: The registry, whose HEAD is updated.
        config: The client's settings.
        output: For progress.

    Returns:
        What became of each environment that HEAD has, in order of names.
    """
    commit = registry.head()
    with _at(registry, commit) as there:
        names = there.names()

    def one(name: str) -> Proposal:
        found = Proposal(name=name, branch=branch_of(name, names), state="failed")
        with _at(registry, commit) as there:  # git's reading process is not to be shared by threads
            try:
                updated = update(
                    there.environment(name), wanted(name), registry=there, config=config, output=Output(quiet=True)
                )
                written = updated.files()
                if not written:
                    return replace(found, state="fresh", updated=updated)
                if dry_run:
                    return replace(found, state="proposed", updated=updated)
                message = f"Update {name}\n\n{words.text(updated)}"
                made, is_new = propose(
                    there.git, branch=found.branch, name=name, base=commit, files=written, message=message,
                    remote=registry.remote,
                )  # fmt: skip
            except FatalError as error:
                return replace(found, error=error)
            finally:
                task.advance()
        return replace(found, state="proposed" if is_new else "unchanged", commit=made, updated=updated)

    with output.task(f"updating {number_of(len(names), 'environment')}", len(names)) as task:
        return in_parallel(one, names, threads=_WORKERS)


def _at(registry: Registry, commit: str) -> MergedRegistry:
    """The registry as a commit has it, with a git of its own."""
    return MergedRegistry(Git(registry.worktree or registry.git.directory), location=registry.location, commit=commit)
