"""One environment of a registry: its directory's files, in a work tree or at a commit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

from envtag.errors import FatalError
from envtag.platforms import check_platform, order

if TYPE_CHECKING:
    from envtag.git import Git
    from envtag.ledger import Ledger
    from envtag.lock import Lock
    from envtag.request import Login
    from envtag.settings import EnvironmentSettings
    from envtag.spec import SpecFile

ENVIRONMENTS = "envs"
SETTINGS_FILE = "envtag.yml"
LEDGER_FILE = "tags.yml"
LOCK_SUFFIX = "-lock.yml"
#: A spec without these says nothing of logins, and need not be parsed.
_MAY_LOG_IN = (b"${", b"tool.uv.index", b"tool.poetry.source")


class Files(Protocol):
    """The files of a registry at one place in time; paths are relative to its root, with `/`."""

    def read(self, path: str) -> bytes | None:
        """A file's content, or None where there is no such file."""

    def entries(self, directory: str) -> list[str]:
        """The names in a directory, none where there is no such directory."""

    def find(self, name: str, directory: str) -> list[str]:
        """The paths of the files of one name, at any depth below a directory."""


class WorkTreeFiles(NamedTuple):
    """The files as they are on disk."""

    root: Path

    def read(self, path: str) -> bytes | None:
        """A file's content, or None where there is no such file.

        Raises:
            FatalError: It cannot be read, or is a link to a place outside the registry.
        """
        target = self.root / path
        try:
            if not target.resolve().is_relative_to(self.root.resolve()):
                raise FatalError(f"`{path}` is a link out of the registry", "put the file itself there")
            return target.read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, before Python 3.13
            raise FatalError(f"`{target}` cannot be read: {error}") from error

    def entries(self, directory: str) -> list[str]:
        """The names in a directory, sorted."""
        try:
            return sorted(entry.name for entry in (self.root / directory).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []

    def find(self, name: str, directory: str) -> list[str]:
        """The paths of the files of one name, at any depth below a directory; links are not followed."""
        walk = os.walk(self.root / directory)
        return [f"{Path(place).relative_to(self.root).as_posix()}/{name}" for place, _, files in walk if name in files]


class RevisionFiles(NamedTuple):
    """The files at a commit."""

    git: Git
    commit: str

    def read(self, path: str) -> bytes | None:
        """A file's content, or None where there is no such file."""
        return self.git.read(self.commit, path)

    def entries(self, directory: str) -> list[str]:
        """The names in a directory, sorted."""
        return self.git.entries(self.commit, directory)

    def find(self, name: str, directory: str) -> list[str]:
        """The paths of the files of one name, at any depth below a directory."""
        return [path for path in self.git.list_tree(self.commit, directory) if path.endswith(f"/{name}")]


class Environment:
    """An environment as a registry holds it.

    Attributes:
        name: Its name.
        revision: The commit that it is read from, empty for the work tree.
        platforms: The platforms that it has a lock for.
        files: Where its files are read from.
    """

    __slots__ = ("_read", "files", "name", "platforms", "revision")

    def __init__(self, *, name: str, revision: str, platforms: tuple[str, ...], files: Files) -> None:
        self.name = name
        self.revision = revision
        self.platforms = platforms
        self.files = files
        self._read: dict[str, Any] = {}

    def limited(self, platforms: tuple[str, ...]) -> Environment:
        """The same environment as if it were locked for some of its platforms alone."""
        return Environment(name=self.name, revision=self.revision, platforms=platforms, files=self.files)

    @property
    def directory(self) -> str:
        """Its directory, relative to the registry's root."""
        return f"{ENVIRONMENTS}/{self.name}"

    def settings_bytes(self) -> bytes:
        """The bytes of its `envtag.yml`; none where there is no such file."""
        return self.files.read(f"{self.directory}/{SETTINGS_FILE}") or b""

    @property
    def settings(self) -> EnvironmentSettings:
        """Its `envtag.yml`; read once, when it is first asked for.

        Raises:
            FatalError: It is malformed.
        """
        if SETTINGS_FILE not in self._read:
            from envtag.settings import EnvironmentSettings

            self._read[SETTINGS_FILE] = EnvironmentSettings.parse(self.settings_bytes(), self.where(SETTINGS_FILE))
        return cast("EnvironmentSettings", self._read[SETTINGS_FILE])

    @property
    def ledger(self) -> Ledger:
        """Its `tags.yml`, empty where there is none; read once, when it is first asked for.

        Raises:
            FatalError: It is malformed.
        """
        if LEDGER_FILE not in self._read:
            from envtag.ledger import Ledger

            data = self.files.read(f"{self.directory}/{LEDGER_FILE}")
            self._read[LEDGER_FILE] = Ledger.parse(data, self.where(LEDGER_FILE)) if data is not None else Ledger()
        return cast("Ledger", self._read[LEDGER_FILE])

    def where(self, file: str) -> str:
        """How an error names one of its files."""
        path = f"{self.directory}/{file}"
        return f"{path} at {self.revision[:12]}" if self.revision else path

    def lock_bytes(self, platform: str) -> bytes:
        """The bytes of the lock for a platform.

        Raises:
            FatalError: There is none.
        """
        data = self.files.read(f"{self.directory}/{platform}-lock.yml") if platform in self.platforms else None
        if data is None:
            listed = ", ".join(f"`{name}`" for name in self.platforms) or "none"
            raise FatalError(f"`{self.name}` has no lock for `{platform}`", f"platforms with a lock: {listed}")
        return data

    def lock(self, platform: str) -> Lock:
        """The lock for a platform; read once.

        Raises:
            FatalError: There is none, or it is malformed.
        """
        if platform not in self._read:
            from envtag.lock import read

            self._read[platform] = read(self.lock_bytes(platform), self.where(f"{platform}-lock.yml"))
        return cast("Lock", self._read[platform])

    def lock_ids(self) -> dict[str, str]:
        """Platform to the id of its lock.

        Raises:
            FatalError: A lock is malformed.
        """
        return {platform: self.lock(platform).id for platform in self.platforms}

    def spec_files(self) -> tuple[SpecFile, ...]:
        """The spec files that its settings name, in order, then the files that these include.

        Raises:
            FatalError: One is not there.
        """
        from envtag.spec import SpecFile, includes

        files: dict[str, SpecFile] = {}
        wanted = [(name, SETTINGS_FILE) for name in self.settings.files]
        for name, named_by in wanted:  # grows while it is read
            if name in files:
                continue
            data = self.files.read(f"{self.directory}/{name}")
            if data is None:
                raise FatalError(
                    f"`{self.directory}/{name}` is not there, and `{named_by}` names it",
                    f"add it, or correct `{named_by}`",
                )
            files[name] = SpecFile(name=name, data=data)
            wanted += [(included, name) for included in includes(files[name])]
        return tuple(files.values())

    def logins(self) -> tuple[Login, ...]:
        """How its specs say to log in at hosts; none where they cannot be read (any more)."""
        try:
            files = {file.name: file for file in self.spec_files()}
            if not any(mark in file.data for file in files.values() for mark in _MAY_LOG_IN):
                return ()
            spec = self.settings.read_spec({name: file.data for name, file in files.items()}.__getitem__)
        except FatalError:  # its lock says what is fetched; a host that wants a login will say so
            return ()
        return spec.logins


def platform_of_lock(file: str) -> str:
    """The platform that a file name is a lock for; empty for the name of another file."""
    platform = file.removesuffix(LOCK_SUFFIX)
    try:
        return check_platform(platform) if platform != file else ""
    except FatalError:
        return ""


def load_environment(name: str, revision: str, files: Files) -> Environment | None:
    """The environment in a directory, its files yet to be read; None where it has no `envtag.yml`."""
    present = frozenset(files.entries(f"{ENVIRONMENTS}/{name}"))
    if SETTINGS_FILE not in present:
        return None
    platforms = tuple(sorted(filter(None, map(platform_of_lock, present)), key=order))
    return Environment(name=name, revision=revision, platforms=platforms, files=files)
