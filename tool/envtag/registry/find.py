"""Finding a registry: from a directory upward, by path, or by URL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from envtag.errors import FatalError, UnreachableError
from envtag.git import Git, git_directory, is_git_directory
from envtag.project import has_registry_table
from envtag.registry.address import is_url, parse_address
from envtag.registry.environment import ENVIRONMENTS
from envtag.registry.model import PROJECT_FILE, Registry
from envtag.registry.remote import Clone

if TYPE_CHECKING:
    from envtag.config import Config


def find_registry(start: Path) -> Path | None:
    """The root of the registry that a directory is in: the first one upward with `envs/` and `[tool.envtag]`.

    Runs no process.

    Raises:
        FatalError: A `pyproject.toml` beside an `envs/` on the way is not TOML.
    """
    start = start.absolute()
    return next((directory for directory in (start, *start.parents) if is_registry(directory)), None)


def is_registry(directory: Path) -> bool:
    """Whether a directory is the root of a registry.

    Raises:
        FatalError: Its `pyproject.toml` is not TOML.
    """
    project = directory / PROJECT_FILE
    if not (directory / ENVIRONMENTS).is_dir() or not project.is_file():
        return False
    return has_registry_table(project.read_text("utf-8", "replace"), str(project))


def open_registry(where: str, start: Path, config: Config, *, offline: bool = False) -> Registry:
    """Open the registry that a person means.

    Args:
        where: A path of a work tree or a bare repository, or any git URL; if empty, what the user's settings name, and
            if they name none, the one that `start` is in.
        start: The directory to begin at, and what a relative path is relative to.
        config: The client's settings.
        offline: Ask no remote: use what is here of it.

    Raises:
        UnreachableError: None is named, and `start` is in none.
        FatalError: What is named is no registry.
    """
    named = where or config.registry
    if not named:
        root = find_registry(start)
        if root is None:
            hint = "`envtag init DIR` makes one; `--registry URL|PATH` or `ENVTAG_REGISTRY` names one"
            raise UnreachableError(f"`{start.absolute()}` is in no registry", hint)
        return _in_work_tree(root, config, offline=offline)
    path = start.absolute() / Path(named).expanduser()
    if git_directory(path) is not None:
        if not is_registry(path):
            raise FatalError(f"`{path}` is a repository, but no registry", f"`envtag init {path}` makes it one")
        return _in_work_tree(path, config, offline=offline)
    if is_git_directory(path):
        return Registry(Git(path), location=str(path), offline=offline, signers=config.allowed_signers)
    if not path.exists() and is_url(named):
        clone = Clone(parse_address(named), config.directories.registries)
        return Registry(clone.git, location=clone.url, clone=clone, offline=offline, signers=config.allowed_signers)
    raise FatalError(
        f"`{named}` is neither a git repository nor a URL", "name a registry's top directory, or a git URL"
    )


def _in_work_tree(root: Path, config: Config, *, offline: bool) -> Registry:
    if git_directory(root) is None:
        raise FatalError(f"`{root}` is a registry that is not in git", f"`git init {root}`")
    return Registry(Git(root), location=str(root), worktree=root, offline=offline, signers=config.allowed_signers)
