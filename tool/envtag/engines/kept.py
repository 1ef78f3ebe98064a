"""What an answer must hold of locks that were there before: the very packages, or the error that says which is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envtag.errors import UnsolvableError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envtag.engines import CondaProblem
    from envtag.package import Package


def settled(solved: Iterable[Package], problem: CondaProblem) -> tuple[Package, ...]:
    """An answer by name, with what was locked before in its own words.

    Args:
        solved: What a solver answered.
        problem: What it was asked; each of its `pinned` is in the answer, and each of its `kept` that is needed.

    Raises:
        UnsolvableError: A locked package is not there, or with other bytes.
    """
    packages = {package.name: package for package in solved}
    for locked in problem.pinned:
        found = packages.get(locked.name)
        if found is None or found.sha256 != locked.sha256:
            raise UnsolvableError(
                f"locked `{locked}` cannot be kept on `{problem.platform}`",
                "the base's packages are kept exactly; ask for something that goes with them",
                f"the solver would have {f'`{found}` ({found.sha256[:12]}…)' if found else 'nothing'} in its place",
            )
        packages[locked.name] = locked
    for locked in (*problem.kept, *problem.preferred):
        found = packages.get(locked.name)
        if found is not None and found.sha256 == locked.sha256:
            packages[locked.name] = locked
        elif found is not None and locked in problem.kept:
            raise UnsolvableError(
                f"`{locked}` cannot be kept on `{problem.platform}`",
                "lock it without what is to be kept: `envtag resolve --force`",
                f"the solver would have `{found}` ({found.sha256[:12]}…) in its place",
                frozenset({locked.name}),
            )
    return tuple(package for _, package in sorted(packages.items()))
