"""What there is to check: which environments a change touches, and what it is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from envtag import codeowners
from envtag.errors import FatalError
from envtag.registry.environment import ENVIRONMENTS, SETTINGS_FILE
from envtag.registry.model import PROJECT_FILE
from envtag.util.text import shown

if TYPE_CHECKING:
    from envtag.git import Git
    from envtag.registry import Registry

#: Where the lists lie that signatures are held to (`signatures`).
SIGNERS = ".envtag"
_SHARED = (PROJECT_FILE, SIGNERS, *codeowners.PLACES)
_SHALLOW = "a shallow clone lacks it: fetch all of it (`git fetch --unshallow`, or `fetch-depth: 0` of the checkout)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What one check is about.

    Attributes:
        worktree: The top of the work tree, whose files are checked.
        base: The commit that they are compared with; empty where there is none.
        names: The environments to check, sorted; what was removed is among them.
        paths: The files that differ, sorted.
        whole: Whether every environment is checked.
    """

    worktree: Path
    base: str
    names: tuple[str, ...]
    paths: tuple[str, ...]
    whole: bool


def scope_of(registry: Registry, revision: str, *, whole: bool) -> Scope:
    """Find out what there is to check.

    Args:
        registry: The registry, with a work tree.
        revision: What the change is to be merged into; empty for the default branch.
        whole: Check every environment.

    Raises:
        FatalError: There is no work tree, no such revision, or nothing that the two have in common.
    """
    worktree = registry.work_tree("clone it, and check the clone: `git clone …`")
    base = _merge_base(registry, revision)
    paths = _changed(registry.git, base)
    names = {_owner(path, base, registry) for path in paths if path.startswith(f"{ENVIRONMENTS}/")}
    if whole:
        names.update(registry.names())
    return Scope(worktree=worktree, base=base, names=tuple(sorted(names - {""})), paths=tuple(paths), whole=whole)


def default_branch(registry: Registry) -> str | None:
    """The newest commit of the default branch that is here; None where none is known."""
    remote = registry.remote
    theirs = [f"refs/remotes/{remote}/{name}" for name in ("HEAD", "main", "master")] if remote is not None else []
    found = (registry.git.commit_of(ref) for ref in (*theirs, "refs/heads/main", "refs/heads/master"))
    return next((commit for commit in found if commit is not None), None)


def was_there(registry: Registry, name: str, base: str) -> bool:
    """Whether there was an environment of a name; whatever git cannot be asked for was not."""
    if not base or "\n" in name:
        return False
    return SETTINGS_FILE in registry.git.entries(base, f"{ENVIRONMENTS}/{name}")


def _merge_base(registry: Registry, revision: str) -> str:
    """Where the change began; empty in a repository without a commit."""
    git = registry.git
    if git.commit_of("HEAD") is None and not revision:
        return ""
    if "\n" in revision:
        raise FatalError(f"{shown(revision)} is no revision")
    other = git.commit_of(revision) if revision else default_branch(registry) or git.commit_of("HEAD")
    if other is None:
        raise FatalError(f"there is no revision {shown(revision)} here", f"fetch it, or correct it; {_SHALLOW}")
    done = git.run("merge-base", "HEAD", other)
    if done.returncode != 0:
        raise FatalError(f"HEAD and {shown(revision or other[:12])} have no commit in common here", _SHALLOW)
    return done.text()


def _changed(git: Git, base: str) -> list[str]:
    """The paths of registry files that differ between a commit and the work tree, new files included."""
    where = ("--", ENVIRONMENTS, *_SHARED)
    listed = [git.run("ls-files", "-z", "--others", "--exclude-standard", *where, check="cannot list new files").stdout]
    options = ("--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", "--ignore-submodules=none")
    if base:
        listed.append(git.run("diff", *options, base, *where, check=f"cannot compare with {base}").stdout)
    else:
        listed.append(git.run("ls-files", "-z", "--cached", *where, check="cannot list files").stdout)
    names = b"".join(listed).decode("utf-8", "surrogateescape").split("\0")
    return sorted({name.rstrip("/") for name in names if name})


def _owner(path: str, base: str, registry: Registry) -> str:
    """The innermost environment, now or before, around a file; empty for none."""
    name = path.removeprefix(f"{ENVIRONMENTS}/").rpartition("/")[0]
    while name:
        settings = f"{ENVIRONMENTS}/{name}/{SETTINGS_FILE}"
        now = registry.worktree is not None and (registry.worktree / settings).is_file()
        if now or path == settings or was_there(registry, name, base):
            return name
        name = name.rpartition("/")[0]
    return ""
