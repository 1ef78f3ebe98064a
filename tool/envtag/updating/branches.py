"""Branches that updates are proposed on: made from objects alone, moved forward alone, and only if nobody else did."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from envtag.errors import FatalError

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
    tree = _tree(
        git, f"{base}^{{tree}}", {path: _blob(git, data) if data is not None else None for path, data in files.items()}
    )
    local = git.commit_of(f"refs/heads/{branch}") or ""
    if tip and git.is_ancestor(base, tip) and _sha(git, f"{tip}^{{tree}}") == tree:
        if not local:
            _move(git, branch, tip, "")
        return tip, False
    parents = [base] if not tip else [tip] if git.is_ancestor(base, tip) else [tip, base]
    options = [word for parent in parents for word in ("-p", parent)]
    text = f"{message.rstrip()}\n\n{TRAILER}: {name}\n".encode()
    done = git.run("commit-tree", *options, tree, stdin=text)
    if done.returncode != 0:
        raise done.failure("git cannot write a commit", '`git config user.name "…"` and `git config user.email "…"`')
    _move(git, branch, done.text(), local)
    return done.text(), True


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


def _blob(git: Git, data: bytes) -> str:
    return git.run("hash-object", "-w", "--stdin", stdin=data, check="git cannot keep a file").text()


def _tree(git: Git, tree: str, blobs: Mapping[str, str | None]) -> str:
    """A tree with some files replaced, added or (None) removed."""
    done = git.run("ls-tree", "-z", tree, check=f"git cannot read {tree}")
    entries: dict[str, str] = {}
    for line in filter(None, done.stdout.decode("utf-8", "surrogateescape").split("\0")):
        head, _, name = line.partition("\t")
        entries[name] = head
    inner: dict[str, dict[str, str | None]] = {}
    for path, blob in blobs.items():
        first, sign, rest = path.partition("/")
        if sign:
            inner.setdefault(first, {})[rest] = blob
        elif blob is None:
            entries.pop(first, None)
        else:
            mode = entries[first].split()[0] if first in entries else "100644"
            entries[first] = f"{mode} blob {blob}"
    for first, rest_of in inner.items():
        if first not in entries or " tree " not in entries[first]:
            raise FatalError(f"`{first}` is not a directory of the commit", "commit the environment first")
        entries[first] = f"040000 tree {_tree(git, entries[first].split()[2], rest_of)}"
    data = "".join(f"{head}\t{name}\0" for name, head in entries.items()).encode("utf-8", "surrogateescape")
    return git.run("mktree", "-z", stdin=data, check="git cannot write a tree").text()


def _sha(git: Git, revision: str) -> str:
    return git.run("rev-parse", "--verify", revision, check=f"there is no `{revision}`").text()
