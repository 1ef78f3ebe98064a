"""A registry: what a repository holds of environments, in its work tree and at any revision."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from envtag.errors import FatalError, UnreachableError
from envtag.names import Alias, parse_name
from envtag.registry import journal
from envtag.registry.address import identity_of
from envtag.registry.environment import (
    ENVIRONMENTS,
    SETTINGS_FILE,
    Environment,
    Files,
    RevisionFiles,
    WorkTreeFiles,
    load_environment,
)
from envtag.registry.release import ReleasedTag, check_ledger, check_record
from envtag.registry.remote import HEAD_REF, Clone
from envtag.settings import RegistrySettings
from envtag.util.locks import file_lock

if TYPE_CHECKING:
    from envtag.git import Git

PROJECT_FILE = "pyproject.toml"


class Registry:
    """A repository of environments: a work tree, a bare repository, or the clone of a remote one.

    `close` (or `with`) ends the git process that reads keep. What `latest` is comes from the work tree where there is
    one, and from the head of the default branch otherwise, fetched once per object.

    Attributes:
        git: The repository.
        worktree: Its work tree, or None.
        location: Where it is, for people: a path, or a URL without credentials.
        offline: Use what is here, and never ask a remote.
    """

    def __init__(
        self,
        git: Git,
        *,
        location: str,
        worktree: Path | None = None,
        clone: Clone | None = None,
        offline: bool = False,
    ) -> None:
        self.git = git
        self.worktree = worktree
        self.location = location
        self.offline = offline
        self._clone = clone
        self._mutex = threading.RLock()
        self._holds = 0
        self._head: str | None = None
        if worktree is not None and journal.is_pending(self._journal):
            self.write({})

    def __enter__(self) -> Registry:  # noqa: PYI034 - `Self` is of Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the git process that reads keep; a later read starts another."""
        self.git.close()

    @cached_property
    def remote(self) -> str | None:
        """The name of the remote that holds the tags; None where there is none.

        It is git's setting `envtag.remote`, else `origin`, else the only one.

        Raises:
            FatalError: There are several, and none of them is `origin`.
        """
        if self.worktree is None:
            return "origin" if self._clone is not None else None
        found = self.git.remotes()
        chosen = self.git.configured(r"^envtag\.remote$").get("envtag.remote", "") if len(found) > 1 else ""
        if chosen and chosen not in found:
            raise FatalError(f"git's `envtag.remote` is `{chosen}`, and there is no such remote", "correct it")
        if chosen or "origin" in found or len(found) < 2:  # noqa: PLR2004 - more than one
            return chosen or ("origin" if "origin" in found else next(iter(found), None))
        listed = ", ".join(f"`{name}`" for name in found)
        raise FatalError(f"which of the remotes {listed} is the registry's?", "`git config envtag.remote NAME`")

    @cached_property
    def identity(self) -> str:
        """A stable text for this registry, the same for each of its clones that has its remote."""
        base = self.worktree or self.git.directory
        if self._clone is not None:
            return identity_of(self._clone.url, base)
        if self.remote is not None:
            return identity_of(self.git.remote_url(self.remote), base)
        return identity_of(os.fspath(self.git.common_directory), base)

    @cached_property
    def settings(self) -> RegistrySettings:
        """Its `[tool.envtag]`: of the work tree, or of the head of the default branch as it was last fetched.

        Raises:
            FatalError: It is malformed.
        """
        if self.worktree is not None:
            data = WorkTreeFiles(self.worktree).read(PROJECT_FILE)
        else:
            known = self.git.commit_of(HEAD_REF) if self._clone is not None and self._head is None else None
            data = self.git.read(known or self.head(), PROJECT_FILE)
        try:
            return RegistrySettings.parse((data or b"").decode("utf-8"), PROJECT_FILE)
        except UnicodeDecodeError as error:
            raise FatalError(f"{PROJECT_FILE}: not UTF-8 text: {error.reason} at byte {error.start}") from error

    def head(self) -> str:
        """The commit that `latest` is read from without a work tree, or the work tree's HEAD.

        Raises:
            FatalError: There is no commit, the remote cannot be reached, or nothing of it is here and it may not be.
        """
        if self._clone is None:
            found = self.git.commit_of("HEAD")
            if found is None:
                raise FatalError(f"the registry `{self.location}` has no commit yet", "`git add --all && git commit`")
            return found
        if self._head is None:
            self._head = self.git.commit_of(HEAD_REF) if self.offline else self._clone.fetch_head()
        if self._head is None:
            raise UnreachableError(f"nothing is here of the registry `{self.location}`", "use it once with a network")
        return self._head

    def fetch_default_branch(self) -> str | None:
        """Fetch the head of the remote's default branch; HEAD itself without a remote; None where there is no commit.

        Raises:
            FatalError: The remote cannot be reached.
        """
        if self.remote is None or self.offline:
            return self.git.commit_of("HEAD" if self._clone is None else HEAD_REF)
        private = f"refs/envtag/{self.remote}/head"
        return self.git.commit_of(private) if self.fetch(f"+HEAD:{private}") else None

    def names(self, prefix: str = "") -> list[str]:
        """The names of its environments that begin with a text, sorted."""
        below = prefix.rpartition("/")[0]
        directory = f"{ENVIRONMENTS}/{below}" if below else ENVIRONMENTS
        paths = self._files("")[1].find(SETTINGS_FILE, directory)
        found = (path[len(ENVIRONMENTS) + 1 : -len(SETTINGS_FILE) - 1] for path in paths)
        return sorted(name for name in found if name and name.startswith(prefix))

    def names_holding(self, lock: str) -> list[str]:
        """The names of environments whose ledger or locks, as `latest` has them, hold a lock id; ledgers' first."""
        revision = "" if self.worktree is not None else self.head()
        if self._clone is not None and not self.offline:
            self._clone.fetch_content(revision, ENVIRONMENTS)
        names: dict[str, None] = {}
        for pattern in (f"{ENVIRONMENTS}/*/tags.yml", f"{ENVIRONMENTS}/*-lock.yml"):
            for path in self.git.grep(lock, (pattern,), revision):
                names[path[len(ENVIRONMENTS) + 1 :].rpartition("/")[0]] = None
        return list(names)

    def has(self, name: str) -> bool:
        """Whether there is an environment of a name, as `latest` has it.

        Raises:
            FatalError: The name is malformed.
        """
        directory = f"{ENVIRONMENTS}/{parse_name(name)}"
        return SETTINGS_FILE in self._files("")[1].entries(directory)

    def environment(self, name: str, revision: str = "") -> Environment:
        """An environment at a revision.

        Args:
            name: Its name.
            revision: Any revision that git knows; as `latest` has it if empty.

        Raises:
            FatalError: There is no such revision, or no such environment at it; or its files are malformed.
        """
        directory = f"{ENVIRONMENTS}/{parse_name(name)}"
        commit, files = self._files(revision)
        if commit and self._clone is not None and not self.offline:
            self._clone.fetch_content(commit, directory)
        found = load_environment(name, commit, files)
        if found is None:
            import difflib

            close = [] if revision else difflib.get_close_matches(name, self.names(), 3, 0.6)
            meant = " or ".join(f"`{item}`" for item in close)
            hint = f"did you mean {meant}?" if close else "`envtag list` shows what there is"
            at = f" at {revision}" if revision else ""
            raise FatalError(f"`{self.location}` has no environment `{name}`{at}", hint)
        return found

    def released(self, alias: Alias, checked: str = "") -> ReleasedTag | None:
        """The released tag of an immutable alias, every link of it checked; None if it is not released.

        A tag that is here is not asked for again. The ids of its locks are checked by who reads their bytes.

        Args:
            alias: An immutable tag.
            checked: Name of a tag object whose ledger was compared before; the same object has the same ledger.

        Raises:
            FatalError: A link does not hold, the remote cannot be reached, or it would have to be asked offline.
        """
        if alias.mutable:
            raise FatalError(f"`{alias.tag}` moves and has no git tag", f"name an immutable tag of `{alias.name}`")
        tag = self.git.tag(alias.ref)
        if tag is None and self.remote is not None:
            if self.offline:
                raise UnreachableError(
                    f"`{alias}` is not in what is here of `{self.location}`", "use it once with a network"
                )
            try:
                found = self.fetch(f"{alias.ref}:{alias.ref}")
            except FatalError:
                if self.git.tag(alias.ref) is None:  # otherwise another process fetched it meanwhile
                    raise
                found = True
            tag = self.git.tag(alias.ref) if found else None
        if tag is None:
            return None
        record = check_record(alias, tag)
        environment = self.environment(alias.name, tag.commit)
        if tag.sha != checked:
            check_ledger(alias, record, environment)
        return ReleasedTag(tag=tag, record=record, environment=environment)

    def write(self, changes: Mapping[str, bytes | None]) -> None:
        """Change files of the work tree, all or none, also when this process is killed.

        Args:
            changes: Path relative to the root to new content, or None to remove the file.

        Raises:
            FatalError: There is no work tree, or a path is not one of its files.
        """
        worktree = self._writable()
        with self.lock_for_writing():
            try:
                journal.recover(self._journal, worktree)
                if changes:
                    journal.apply(self._journal, worktree, changes)
            except OSError as error:
                raise FatalError(
                    f"cannot write to `{self.location}`: {error}", "the next command finishes it"
                ) from error

    @contextmanager
    def lock_for_writing(self, waiting: Callable[[], None] | None = None) -> Iterator[None]:
        """Keep other envtag processes from writing, in every work tree of this repository; may be nested.

        Args:
            waiting: Called once when another process has held the lock for over a second.
        """
        self._writable()
        with self._mutex:
            if self._holds:
                self._holds += 1
                try:
                    yield
                finally:
                    self._holds -= 1
                return
            with file_lock(self.git.common_directory / "envtag" / "write.lock", waiting=waiting):
                self._holds = 1
                try:
                    yield
                finally:
                    self._holds = 0

    @property
    def _journal(self) -> Path:
        return self.git.directory / "envtag" / "journal"

    def _writable(self) -> Path:
        if self.worktree is None:
            raise FatalError(f"`{self.location}` has no work tree to write to", "clone it, and work in the clone")
        return self.worktree

    def _files(self, revision: str) -> tuple[str, Files]:
        """The commit that a revision means (empty for the work tree), and the files at it."""
        if not revision:
            if self.worktree is not None:
                return "", WorkTreeFiles(self.worktree)
            return self.head(), RevisionFiles(self.git, self.head())
        commit = self.git.commit_of(revision)
        if commit is None and self._clone is not None and not self.offline:
            commit = self._clone.fetch_revision(revision)
        if commit is None:
            raise FatalError(f"`{self.location}` has no revision `{revision}`", "`git log` shows what there is")
        return commit, RevisionFiles(self.git, commit)

    def fetch(self, *refspecs: str) -> bool:
        """Fetch refs of its remote; false if that lacks one of them.

        Raises:
            FatalError: The remote cannot be reached, or a ref here is in the way.
        """
        if self._clone is not None:
            return self._clone.fetch(*refspecs)
        return self.git.fetch(self.remote or "origin", *refspecs)
