"""Which commits are merged, and the tree that git makes of them.

Git tells a driver one file and no more, and index and work tree are our side's until all files are merged. A lock is
the answer to a spec that may be merged after it, so the commits that hold the versions at hand are looked for, and git
merges their trees on the side, with the same drivers for specs: what comes out is the spec that there will be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.git import Git
from envtag.registry import Registry

if TYPE_CHECKING:
    from envtag.util.process import Completed

_GITHEAD = re.compile(r"GITHEAD_([0-9a-f]{40,64})")
_LOOKED_AT = 50
#: For the merge on the side: locks are what is being merged, and ledgers decide no request.
SETTINGS: Mapping[str, str] = {
    "user.name": "envtag",
    "user.email": "envtag@localhost",
    "merge.envtag-lock.driver": "exit 1",
    "merge.envtag-ledger.driver": "exit 1",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Commits that are merged.

    Attributes:
        base: The commit before both changes; empty for a merge of histories, whose base git finds, or makes, itself.
        ours: The commit that is checked out.
        theirs: The other.
    """

    base: str
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedTree:
    """A merge on the side: a commit that no ref leads to, and the paths that are conflicts in it."""

    commit: str
    conflicts: frozenset[str]


class MergedRegistry(Registry):
    """The registry as a merge will leave it.

    Args:
        git: The repository.
        location: Where it is, for people.
        commit: The merged commit, which `latest` is read from.
    """

    def __init__(self, git: Git, *, location: str, commit: str) -> None:
        super().__init__(git, location=location)
        self._commit = commit
        found = git.remotes()
        chosen = git.configured(r"^envtag\.remote$").get("envtag.remote", "origin")
        self.__dict__["remote"] = chosen if chosen in found else next(iter(found), None)

    def head(self) -> str:
        """The merged commit."""
        return self._commit


def find_sides(git: Git, path: str, versions: tuple[bytes, bytes, bytes], environ: Mapping[str, str]) -> Sides | None:
    """Find the commits that are merged, by what they hold at a path.

    A merge names their commit (`GITHEAD_<commit>`); a rebase, a cherry-pick, a revert and a stash do not, so it is the
    one that brought their version, or had it. A lock names its request: whichever commit holds it asks for the same.

    Args:
        git: The repository.
        path: The file, from the top.
        versions: Its bytes in base, ours and theirs; empty where it is not there.
        environ: The driver's variables.

    Returns:
        None where one of them is not to be found.
    """
    base, ours, theirs = versions
    head = git.commit_of("HEAD")
    if head is None or not _holds(git, head, path, ours):
        return None
    named = [found[1] for key in environ if (found := _GITHEAD.fullmatch(key))]
    for their in dict.fromkeys((*named, "refs/stash", *_holders(git, path, theirs))):
        commit = git.commit_of(their)
        if commit is None or not _holds(git, commit, path, theirs):
            continue
        if their in named:
            return Sides(base="", ours=head, theirs=commit)
        for before in _bases(git, path, base, head, commit):
            if _holds(git, before, path, base):
                return Sides(base=before, ours=head, theirs=commit)
    return None


def merge_trees(git: Git, sides: Sides) -> MergedTree:
    """Let git merge three commits on the side; nothing but objects is written.

    Args:
        git: The repository, with `SETTINGS`.
        sides: What is merged.

    Raises:
        FatalError: Git cannot; older than 2.38, it does not know how.
    """
    ours, theirs = sides.ours, sides.theirs
    if sides.base:
        base = _commit(git, f"{sides.base}^{{tree}}")
        ours, theirs = (_commit(git, f"{side}^{{tree}}", base) for side in (ours, theirs))
    done = git.run("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs)
    if done.returncode not in (0, 1):
        raise done.failure("git cannot merge the specs beside this lock", "git 2.38 and later can")
    tree, *conflicts = [text for text in _texts(done) if text]
    return MergedTree(commit=_commit(git, tree, ours, theirs), conflicts=frozenset(conflicts))


def _bases(git: Git, path: str, base: bytes, head: str, their: str) -> Iterator[str]:
    """Commits that a picked one may be compared with, the likeliest first."""
    parent = git.commit_of(f"{their}^")
    if parent is not None:
        yield parent
    yield from git.run("merge-base", "--all", head, their).text().split()
    yield from _holders(git, path, base)


def _holders(git: Git, path: str, data: bytes) -> Iterator[str]:
    """Commits that brought or took away some content of a file, newest first; lazily, since history may be long."""
    if not data:
        return
    blob = git.run("hash-object", "--stdin", stdin=data, check="git cannot hash").text()
    options = (f"--find-object={blob}", f"--max-count={_LOOKED_AT}", "--format=%H", "--full-history")
    done = git.run("log", "--all", "--reflog", *options, "--", path, check=f"cannot read the history of `{path}`")
    yield from done.text().split()


def _holds(git: Git, commit: str, path: str, data: bytes) -> bool:
    return (git.read(commit, path) or b"") == data


def _commit(git: Git, tree: str, *parents: str) -> str:
    options = [word for parent in parents for word in ("-p", parent)]
    sha = git.run("rev-parse", "--verify", tree, check=f"there is no tree `{tree}`").text()
    return git.run("commit-tree", *options, "-m", "merge", sha, check="git cannot write a commit").text()


def _texts(done: Completed) -> list[str]:
    return done.stdout.decode("utf-8", "surrogateescape").split("\0")


def open_git(directory_environ: Mapping[str, str]) -> Git:
    """The repository that git runs a driver in, from its working directory and variables.

    Raises:
        FatalError: There is none.
    """
    from pathlib import Path

    here = Path.cwd()
    named = directory_environ.get("GIT_DIR", "")
    if named and not (here / ".git").exists():
        return Git(here / named, worktree=here, settings=SETTINGS)
    try:
        return Git(here, settings=SETTINGS)
    except FatalError as error:
        raise FatalError(error.message, "git runs this command itself, during a merge") from error
