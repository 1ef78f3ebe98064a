"""Which environments a range of commits changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envtag.errors import FatalError

if TYPE_CHECKING:
    from envtag.registry import Registry

_ENVIRONMENTS = "envs"


def changed_environments(registry: Registry, since: str) -> list[str]:
    """The environments of a registry whose directories at HEAD differ from those at a revision, sorted.

    A file belongs to the innermost environment around it: `envs/a/b/notes.md` to `a/b` where there is one, else to
    `a`. What was removed is not listed, since nothing is left to publish.

    Args:
        registry: The registry, with a work tree.
        since: The revision to compare HEAD with.

    Raises:
        FatalError: There is no such revision here.
    """
    git = registry.git
    if git.commit_of(since) is None:
        raise FatalError(
            f"`{registry.location}` has no revision `{since}`",
            "correct it, or fetch it: a shallow clone lacks what is before its depth (`git fetch --unshallow`)",
        )
    names = set(registry.names())
    changed = (_owner(path, names) for path in git.changed_between(since, "HEAD", _ENVIRONMENTS))
    return sorted({name for name in changed if name})


def _owner(path: str, names: set[str]) -> str:
    """The environment that a file belongs to, or an empty text."""
    name = path.removeprefix(f"{_ENVIRONMENTS}/").rpartition("/")[0]
    while name and name not in names:
        name = name.rpartition("/")[0]
    return name
