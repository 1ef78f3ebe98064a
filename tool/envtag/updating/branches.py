"""Branches that updates are proposed on: made from objects alone, moved forward alone, and only if nobody else did."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.git.trees import write_blob, write_commit, write_tree

if TYPE_CHECKING:
    from envtag.git import Git

PREFIX = "envtag/update/"
#: The trailer of the commits that envtag made itself.
TRAILER = "Envtag-Update"


def branch_of(name: str, names: Collection[str]) -> str:
    """The branch of an environment's update.

    Args:
        name: The environment.
        names: All environments; where some are below this one, its branch is another name, since refs are files.
    """
    below = any(other.startswith(f"{name}/") for other in names)
    return f"{PREFIX}{name}{'@latest' if below else ''}"


def tip_of(git: Git, branch: str, remote: str | None) -> str:
    """The commit that a branch is at: here, else as the remote was last seen to have it; empty for none."""
    places = [f"refs/heads/{branch}", *([f"refs/remotes/{remote}/{branch}"] if remote else [])]
    return next((found for place in places if (found := git.commit_of(place))), "")


def propose(
    git: Git, *, branch: str, name: str, base: str, files: Mapping[str, bytes | None], message: str, remote: str | None
) -> tuple[str, bool]:
    """Put files on a branch, on top of a commit; index and work tree are not touched.

    A branch that is there is moved forward only, by a commit that has it for a parent, and only if all that is on it
    and not on the base was made here.

    Args:
        git: The repository.
        branch: The branch.
        name: The environment, for the trailer.
        base: The commit that the files belong on.
        files: Path to bytes, or to None for a file that goes.
        message: What the commit says.
        remote: The remote whose branch of this name goes on here, None for none.

    Returns:
        The branch's commit, and whether it is a new one.

    Raises:
        FatalError: Somebody else's commits are on it, it was moved meanwhile, or git refuses.
    """
    tip = tip_of(git, branch, remote)
    if tip:
        _refuse_others(git, branch, base, tip)
    for path in files:
        directory = path.rpartition("/")[0]
        if directory and not git.entries(base, directory):
            raise FatalError(f"`{directory}` is not a directory of the commit", "commit the environment first")
    blobs = {path: write_blob(git, data) if data is not None else None for path, data in files.items()}
    tree = write_tree(git, f"{base}^{{tree}}", blobs)
    local = git.commit_of(f"refs/heads/{branch}") or ""
    if tip and git.is_ancestor(base, tip) and _sha(git, f"{tip}^{{tree}}") == tree:
        if not local:
            _move(git, branch, tip, "")
        return tip, False
    parents = [base] if not tip else [tip] if git.is_ancestor(base, tip) else [tip, base]
    commit = write_commit(git, tree, parents, f"{message.rstrip()}\n\n{TRAILER}: {name}")
    _move(git, branch, commit, local)
    return commit, True


def _move(git: Git, branch: str, to: str, before: str) -> None:
    """Move a branch from where it was seen to be; nobody's move in between is lost."""
    checked_out = git.run("symbolic-ref", "--quiet", "HEAD").text()
    if checked_out == f"refs/heads/{branch}":
        raise FatalError(f"`{branch}` is checked out", "check another branch out, then update")
    done = git.run("update-ref", f"refs/heads/{branch}", to, before or "0" * len(to))
    if done.returncode != 0:
        raise done.failure(
            f"`{branch}` cannot be moved: it was moved meanwhile, or a ref is in its way", "run it again"
        )


def _refuse_others(git: Git, branch: str, base: str, tip: str) -> None:
    listed = git.run("log", "-z", "--format=%H%x1f%B", f"{base}..{tip}", check=f"cannot read `{branch}`")
    for entry in listed.stdout.decode("utf-8", "replace").split("\0"):
        sha, _, message = entry.partition("\x1f")
        if sha and not re.search(rf"^{TRAILER}: ", message, re.MULTILINE):
            raise FatalError(
                f"`{branch}` has a commit that is not of an update: {sha[:12]}",
                "merge it, or delete the branch: what others put on it is not overwritten",
            )


def _sha(git: Git, revision: str) -> str:
    return git.run("rev-parse", "--verify", revision, check=f"there is no `{revision}`").text()
