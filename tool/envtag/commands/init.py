"""`envtag init`: a new registry, and what GitHub needs to serve it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.git import Git, git_directory
from envtag.registry import Registry
from envtag.registry.create import create_registry
from envtag.registry.environment import ENVIRONMENTS
from envtag.registry.scaffold import github_files, install_command, owned, replaceable
from envtag.settings import check_store

if TYPE_CHECKING:
    from envtag.output import Output


def init(
    directory: Path,
    *,
    store: str,
    github: bool = False,
    owner: str = "",
    force: bool = False,
    output: Output,
) -> int:
    """Make a registry and say what to do next; nothing is committed.

    Args:
        directory: A new or empty directory, or a git repository; with `github` a registry too.
        store: URL of the store, empty for each person's own local one.
        github: Write what GitHub needs to serve it.
        owner: Who reviews changes of what protects the registry; empty to leave CODEOWNERS as it is.
        force: Replace files of `github` that were edited.
        output: Where it is told.

    Raises:
        FatalError: The directory cannot become a registry, the store's URL is not one, or a file was edited; nothing
            is changed.
    """
    if store and "://" not in store:
        path = Path(store).expanduser().absolute().as_uri()
        raise FatalError(f"the store `{store}` is not an absolute URL", f"for a directory, `--store {path}`")
    url = check_store(store) if store else ""
    root = directory.expanduser().absolute()
    if github:
        _check_replaceable(root, force=force)
    there = github and (root / ENVIRONMENTS).is_dir() and git_directory(root) is not None
    if there and store:
        raise FatalError(f"`{directory}` is a registry already", "edit `store` in its `pyproject.toml`")
    written = [] if there else create_registry(root, url)
    free: Sequence[str] = ()
    if github:
        more, free = _serve(root, owner, force=force)
        written = sorted({*written, *more})
    _tell(root, url, written, free, there=there, output=output)
    return 0


def _check_replaceable(root: Path, *, force: bool) -> None:
    """Refuse before anything is written; what is written does not depend on a name that is not there yet."""
    if root.is_dir() and git_directory(root) is not None:
        with Registry(Git(root), location=str(root), worktree=root) as registry:
            replaceable(root, _wanted(registry), force=force)


def _serve(root: Path, owner: str, *, force: bool) -> tuple[list[str], Sequence[str]]:
    """Write what GitHub needs; the paths that were written, and the guarded ones that nobody owns."""
    with Registry(Git(root), location=str(root), worktree=root) as registry:
        changes = replaceable(root, _wanted(registry), force=force)
        owners, free = owned(root, owner)
        registry.write({**changes, **owners})
    return [*changes, *owners], free


def _wanted(registry: Registry) -> dict[str, bytes]:
    return github_files(install=install_command(registry.settings.store), branch=_branch(registry))


def _branch(registry: Registry) -> str:
    """Name of the default branch: the remote's, as far as it is known here, or the one that is checked out."""
    theirs = registry.git.run("symbolic-ref", "--quiet", f"refs/remotes/{registry.remote or 'origin'}/HEAD").text()
    own = registry.git.run("symbolic-ref", "--quiet", "--short", "HEAD").text()
    return theirs.partition("refs/remotes/")[2].partition("/")[2] or own or "main"


def _tell(root: Path, url: str, written: Sequence[str], free: Sequence[str], *, there: bool, output: Output) -> None:
    for path in written:
        output.say(f"wrote {os.path.relpath(root / path)}")
    if there and not written:
        output.say(f"`{root}` has all that GitHub needs already")
    if not there:
        output.say(
            f"`{root}` is a registry; its store is {f'`{url}`' if url else 'the local one of each person who uses it'}"
        )
    if free:
        listed = ", ".join(f"`{path}`" for path in free)
        output.warn(f"nobody has to review changes of {listed}: say who, with `--owner @ORG/TEAM` or in CODEOWNERS")
    if not written:
        return
    output.say("next:")
    if root != Path.cwd():
        output.say(f"  cd {shlex.quote(os.path.relpath(root))}")
    output.say(f"  git add -- {shlex.join(written)}")
    output.say(f'  git commit -m "{"Let GitHub serve the registry" if there else "Make a registry of environments"}"')
    if not there:
        output.say("  envtag resolve -r requirements.txt --alias team/base:v1")
