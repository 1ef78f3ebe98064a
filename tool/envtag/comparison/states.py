"""What the two words of `envtag diff` can name: a tree of environments, one environment, or one lock file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from envtag.project import registry_table
from envtag.registry.environment import ENVIRONMENTS, SETTINGS_FILE, Environment, Files, load_environment
from envtag.registry.model import PROJECT_FILE

if TYPE_CHECKING:
    from envtag.git import Git
    from envtag.lock import Lock


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """All environments of a registry at one place in time.

    Attributes:
        words: What people are told that it is.
        files: Its files.
        commit: The commit; empty for files on disk.
        git: The repository that it is of, commit or work tree; None for a directory elsewhere.
    """

    words: str
    files: Files
    commit: str = ""
    git: Git | None = None

    def environment(self, name: str) -> Environment | None:
        """An environment, or None where there is none of this name."""
        return load_environment(name, self.commit, self.files)

    def owner(self, path: str) -> str:
        """The environment that a file belongs to, the innermost around it; empty where there is none."""
        name = path.removeprefix(f"{ENVIRONMENTS}/").rpartition("/")[0]
        while name and SETTINGS_FILE not in self.files.entries(f"{ENVIRONMENTS}/{name}"):
            name = name.rpartition("/")[0]
        return name

    def names(self) -> list[str]:
        """The names of all environments."""
        paths = self.files.find(SETTINGS_FILE, ENVIRONMENTS)
        return sorted(path[len(ENVIRONMENTS) + 1 : -len(SETTINGS_FILE) - 1] for path in paths)

    def settings(self) -> Mapping[str, object]:
        """The registry's `[tool.envtag]`; empty where there is none.

        Raises:
            FatalError: Its file is not TOML.
        """
        data = self.files.read(PROJECT_FILE) or b""
        return registry_table(data.decode("utf-8", "replace"), PROJECT_FILE) or {}


@dataclass(frozen=True, slots=True, kw_only=True)
class One:
    """One environment.

    Attributes:
        words: What people are told that it is.
        environment: Its files.
        commit: The commit; empty for files on disk.
        git: The repository of the commit; None for files on disk.
    """

    words: str
    environment: Environment
    commit: str = ""
    git: Git | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LockFile:
    """One lock, without a spec.

    Attributes:
        words: What people are told that it is.
        lock: The lock.
        commit: The commit; empty for files on disk.
        git: The repository of the commit; None for files on disk.
    """

    words: str
    lock: Lock = field(repr=False)
    commit: str = ""
    git: Git | None = None


State: TypeAlias = "Tree | One | LockFile"


@dataclass(frozen=True, slots=True)
class PlacedFiles:
    """The files of one directory anywhere, as if it were an environment's.

    Attributes:
        files: The files around it.
        directory: Where it is among them; empty for their root.
        name: The environment's name.
    """

    files: Files
    directory: str
    name: str

    def read(self, path: str) -> bytes | None:
        """A file's content, or None where there is no such file."""
        return self.files.read(self._moved(path))

    def entries(self, directory: str) -> list[str]:
        """The names in a directory, none where there is no such directory."""
        return self.files.entries(self._moved(directory))

    def find(self, name: str, directory: str) -> list[str]:  # noqa: ARG002 - the protocol's
        """Nothing: one environment has none below it."""
        return []

    def _moved(self, path: str) -> str:
        rest = path.removeprefix(f"{ENVIRONMENTS}/{self.name}").lstrip("/")
        return "/".join(part for part in (self.directory, rest) if part) or "."


def name_of(path: Path) -> str:
    """The name of an environment by its directory: what is behind the last `envs`, else the directory's own."""
    parts = path.parts
    if ENVIRONMENTS in parts[:-1]:
        at = len(parts) - 1 - parts[::-1].index(ENVIRONMENTS)
        if at < len(parts) - 1:
            return "/".join(parts[at + 1 :])
    return path.name
