"""`envtag merge-driver`: what git runs to merge a registry's files, and telling git to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.merging import Versions, merge_ledger_file, merge_lock_file, merge_spec_file
from envtag.merging.sides import open_git
from envtag.registry import drivers
from envtag.util.text import number_of

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.git import Git
    from envtag.output import Output
    from envtag.registry import Registry


def merge(kind: str, versions: Versions, *, config: Config, environ: Mapping[str, str], output: Output) -> int:
    """Merge one file, as git asks for it.

    Args:
        kind: `lock`, `ledger` or `spec`.
        versions: The file.
        config: The client's settings.
        environ: The variables that git set.
        output: Where it is told.

    Returns:
        0; 1 where the file is left as a conflict.

    Raises:
        FatalError: It cannot be merged at all.
    """
    with open_git(environ) as git:
        if kind == "lock":
            return _merge_lock(versions, git, config=config, environ=environ, output=output)
        conflicts = (merge_ledger_file if kind == "ledger" else merge_spec_file)(versions, git)
    if conflicts and kind == "ledger":
        listed = ", ".join(f"`{text}`" for text in conflicts)
        output.warn(f"{versions.path}: {listed}: both sides changed it, differently")
    return 1 if conflicts else 0


def install(registry: Registry, *, user: bool, output: Output) -> int:
    """Tell git to merge a registry's files with envtag.

    Args:
        registry: The registry, with a work tree.
        user: Write the user's configuration, which holds for each clone, instead of this clone's.
        output: Where it is told.

    Raises:
        FatalError: There is no work tree, or a file cannot be written.
    """
    worktree = registry.work_tree("clone it, and install the merge driver there")
    changed = drivers.install(registry.git, "global" if user else "local")
    where = "your git configuration" if user else "`.git/config` of this clone"
    output.say(f"{'wrote' if changed else 'nothing to do in'} {where}: git merges locks, ledgers and specs by envtag")
    present = drivers.read_attributes(worktree)
    attributes = drivers.with_attributes(present)
    if attributes != present:
        registry.write({drivers.ATTRIBUTES_FILE: attributes.encode()})
        output.say(f"wrote {drivers.ATTRIBUTES_FILE}: commit it, so that it holds for every clone")
    return 0


def _merge_lock(versions: Versions, git: Git, *, config: Config, environ: Mapping[str, str], output: Output) -> int:
    try:
        pins = merge_lock_file(versions, git, config=config, environ=environ, output=output)
    except FatalError as error:
        name = versions.path.removeprefix("envs/").rpartition("/")[0]
        hint = f"bring its spec in order, then `envtag lock {name}` keeps the pins of both sides"
        raise FatalError(f"{versions.path} is left as a conflict: {error.message}", hint, error.detail) from error
    output.say(f"{versions.path}: solved again; both sides keep {number_of(len(pins.kept), 'package')}")
    return 0
