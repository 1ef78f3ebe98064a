"""A new registry: the files that make a git repository one."""

from __future__ import annotations

import json
from pathlib import Path

from envtag.errors import FatalError
from envtag.git import Git, git_directory, is_git_directory
from envtag.project import registry_table
from envtag.registry import drivers
from envtag.registry.environment import ENVIRONMENTS
from envtag.registry.model import PROJECT_FILE, Registry
from envtag.settings import RegistrySettings
from envtag.util.files import read_text

_PROJECT = """\
[tool.envtag]
# The store holds packages, manifests and replicas of tags: file://, s3://, gs:// or az://.
"""
_NO_STORE = """\
# None is named yet, so each person uses the local one of their own; name one to share it.
# store = "s3://BUCKET/PREFIX"
"""
_ATTRIBUTES = f"""\
# Locks are written by envtag and reviewed through it: folded in pull requests, the same bytes on every system.
{ENVIRONMENTS}/**/*-lock.yml text eol=lf linguist-generated=true
{ENVIRONMENTS}/**/tags.yml text eol=lf

# Merged by meaning, in clones that ran `envtag merge-driver install`; as text in others.
"""
_OWNERS = f"""\
# Who reviews a change of which environments; the last line that matches counts. For example:
#
#   *                         @your-org/platform
#   /{ENVIRONMENTS}/mlp/                @your-org/ml-platform
#   /{ENVIRONMENTS}/**/tags.yml         @your-org/platform
"""
_README = """\
# Environments

Python environments by name, kept in git by envtag: each directory below `envs/` that has an `envtag.yml` is one.

```
envtag resolve -r requirements.txt --alias team/base:v1    # write a directory with locks, then open a pull request
envtag publish                                             # after the merge: fill the store, create the tags
envtag run team/base:v1 -- python                          # anywhere
```
"""
_OWNERS_PLACES = ("CODEOWNERS", ".github/CODEOWNERS", "docs/CODEOWNERS")


def create_registry(directory: Path, store: str) -> list[str]:
    """Make a directory a registry: in git, with everything a registry has; nothing is committed.

    Args:
        directory: A new or empty directory, or a git repository that is no registry yet; its files are kept.
        store: The store's URL, already checked; empty for none.

    Returns:
        The paths that were written, relative to the directory, sorted.

    Raises:
        FatalError: It is a registry already, or holds files and is not in git; nothing is changed.
    """
    _check_free(directory)
    changes = _changes(directory, store)
    if git_directory(directory) is None:
        Git.init(directory).close()
    with Registry(Git(directory), location=str(directory), worktree=directory) as registry:
        registry.write(changes)
        drivers.install(registry.git)
    return sorted(changes)


def _check_free(directory: Path) -> None:
    if directory.exists() and not directory.is_dir():
        raise FatalError(f"`{directory}` is a file", "name a directory")
    if is_git_directory(directory):
        raise FatalError(f"`{directory}` is a bare repository", "make the registry in a clone of it")
    if (directory / ENVIRONMENTS).exists():
        raise FatalError(f"`{directory}` has `{ENVIRONMENTS}/` already", "`envtag list` shows what is in a registry")
    if directory.is_dir() and git_directory(directory) is None and any(directory.iterdir()):
        raise FatalError(
            f"`{directory}` is neither empty nor the top of a git repository",
            f"`git init {directory}` first, or name a new directory",
        )


def _changes(directory: Path, store: str) -> dict[str, bytes | None]:
    texts = {
        f"{ENVIRONMENTS}/.gitkeep": "",
        PROJECT_FILE: _project(directory / PROJECT_FILE, store),
        ".gitattributes": _attributes(directory),
    }
    if not any((directory / place).exists() for place in _OWNERS_PLACES):
        texts["CODEOWNERS"] = _OWNERS
    if not any(directory.glob("[Rr][Ee][Aa][Dd][Mm][Ee]*")):
        texts["README.md"] = _README
    return {path: text.encode() for path, text in texts.items()}


def _attributes(directory: Path) -> str:
    return drivers.with_attributes(_behind(drivers.read_attributes(directory), _ATTRIBUTES))


def _project(path: Path, store: str) -> str:
    """The project file with our table behind whatever it holds; every byte of that stays."""
    present = read_text(path)
    if registry_table(present, str(path)) is not None:
        raise FatalError(
            f"`{path}` has `[tool.envtag]` already", f"only `{ENVIRONMENTS}/` is missing: make that directory"
        )
    text = _behind(present, _PROJECT + (f"store = {json.dumps(store)}\n" if store else _NO_STORE))
    if RegistrySettings.parse(text, str(path)).store != store:
        raise FatalError(f"`{path}` ends in a way that `[tool.envtag]` cannot follow", "add that table by hand")
    return text


def _behind(present: str, added: str) -> str:
    if not present:
        return added
    return f"{present}{'' if present.endswith(chr(10)) else chr(10)}\n{added}"
