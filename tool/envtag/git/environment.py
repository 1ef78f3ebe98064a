"""What a git process is started with: where the repository is, and an environment that nobody else points elsewhere."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from envtag.errors import FatalError

#: What a user sets for every git: who they are, how to reach a server, what to trust. Everything else under `GIT_` says
#: which repository a caller (a hook, `git rebase --exec`) was in, and would turn our calls to that one.
_KEPT = re.compile(
    r"GIT_(?:AUTHOR_\w+|COMMITTER_\w+|SSH\w*|ASKPASS|CONFIG_(?:GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY_\d+|VALUE_\d+)"
    r"|ALLOW_PROTOCOL|PROTOCOL_FROM_USER|PROXY_\w+|SSL_\w+|HTTP_\w+|EXEC_PATH)\Z"
)


def git_environment(
    environ: Mapping[str, str], *, ceiling: Path | None = None, settings: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The environment of a git process.

    Args:
        environ: The variables to begin with.
        ceiling: A directory above which git looks for no repository.
        settings: Further git configuration; passed by variable, so that no process list shows it.
    """
    kept = {key: value for key, value in environ.items() if not key.startswith("GIT_") or _KEPT.match(key)}
    kept.update({"LC_ALL": "C", "LANGUAGE": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"})
    if ceiling is not None:
        kept["GIT_CEILING_DIRECTORIES"] = os.fspath(ceiling)
    text = kept.get("GIT_CONFIG_COUNT", "0")
    count = int(text) if text.isdigit() else 0
    for number, (key, value) in enumerate((settings or {}).items(), count):
        kept[f"GIT_CONFIG_KEY_{number}"] = key
        kept[f"GIT_CONFIG_VALUE_{number}"] = value
        kept["GIT_CONFIG_COUNT"] = str(number + 1)
    return kept


def git_directory(worktree: Path) -> Path | None:
    """The git directory of a work tree, also of a linked one or a submodule; None if it is no work tree's top.

    Raises:
        FatalError: `.git` is a file that names no directory.
    """
    found = worktree / ".git"
    if found.is_dir():
        return found
    if not found.is_file():
        return None
    text = found.read_text("utf-8", "replace").strip()
    if not text.startswith("gitdir:"):
        raise FatalError(f"`{found}` does not name a git directory", "clone the repository again")
    return Path(os.path.normpath(worktree / text.removeprefix("gitdir:").strip()))


def is_git_directory(path: Path) -> bool:
    """Whether a path is itself a git directory (a bare repository, or the `.git` of another)."""
    return (path / "HEAD").is_file() and (path / "objects").is_dir() and (path / "refs").is_dir()


def common_directory(git_dir: Path) -> Path:
    """What all work trees of a repository share: its refs, objects and locks."""
    pointer = git_dir / "commondir"
    if not pointer.is_file():
        return git_dir
    return Path(os.path.normpath(git_dir / pointer.read_text("utf-8").strip()))
