"""Trees and commits made from objects alone: no index, no work tree, and none of the blobs that stay as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envtag.git.local import LocalGit


def write_blob(git: LocalGit, data: bytes) -> str:
    """Keep the bytes of a file; the name of the blob."""
    return git.run("hash-object", "-w", "--stdin", stdin=data, check="git cannot keep a file").text()


def write_tree(git: LocalGit, tree: str, files: Mapping[str, str | None]) -> str:
    """Write a tree with some files replaced, added or removed; a directory that is empty then goes.

    Args:
        git: The repository; of a partial clone, what it lacks of the other files is not asked for.
        tree: The tree to begin with; empty for one without entries.
        files: Path to blob, or to None for a file that goes.

    Returns:
        The name of the tree.
    """
    entries = _entries(git, tree) if tree else {}
    inner: dict[str, dict[str, str | None]] = {}
    for path, blob in files.items():
        first, sign, rest = path.partition("/")
        if sign:
            inner.setdefault(first, {})[rest] = blob
        elif blob is None:
            entries.pop(first, None)
        else:
            mode = entries[first].split()[0] if " blob " in entries.get(first, "") else "100644"
            entries[first] = f"{mode} blob {blob}"
    for first, below in inner.items():
        before = entries[first].split()[2] if " tree " in entries.get(first, "") else ""
        after = write_tree(git, before, below)
        entries.pop(first, None)
        if git.run("ls-tree", "-z", after, check=f"git cannot read {after}").stdout:
            entries[first] = f"040000 tree {after}"
    data = "".join(f"{head}\t{name}\0" for name, head in entries.items()).encode("utf-8", "surrogateescape")
    return git.run("mktree", "-z", "--missing", stdin=data, check="git cannot write a tree").text()


def write_commit(git: LocalGit, tree: str, parents: Sequence[str], message: str) -> str:
    """Write a commit that no ref leads to yet; its name.

    Raises:
        FatalError: Git does not know who the user is, or refuses.
    """
    options = [word for parent in parents for word in ("-p", parent)]
    done = git.run("commit-tree", *options, tree, stdin=f"{message.rstrip()}\n".encode())
    if done.returncode != 0:
        raise done.failure("git cannot write a commit", '`git config user.name "…"` and `git config user.email "…"`')
    return done.text()


def _entries(git: LocalGit, tree: str) -> dict[str, str]:
    """Name to `MODE TYPE OBJECT` of what is in a tree itself."""
    done = git.run("ls-tree", "-z", tree, check=f"git cannot read {tree}")
    lines = filter(None, done.stdout.decode("utf-8", "surrogateescape").split("\0"))
    return {name: head for head, _, name in (line.partition("\t") for line in lines)}
