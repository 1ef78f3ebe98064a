"""Writing a registry's work tree: all files of a change or none, and one process at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.registry import journal
from envtag.util.locks import file_lock

if TYPE_CHECKING:
    from envtag.git import Git


class Writing:
    """The part of a registry that changes its work tree.

    Attributes:
        git: The repository.
        worktree: Its work tree, or None: then nothing can be written.
        location: Where it is, for people.
    """

    def __init__(self, git: Git, worktree: Path | None, location: str) -> None:
        self.git = git
        self.worktree = worktree
        self.location = location
        self._mutex = threading.RLock()
        self._holds = 0

    def recover(self) -> None:
        """Finish what a killed process left unfinished.

        Raises:
            FatalError: A file of it was edited in between.
        """
        if self.worktree is not None and journal.is_pending(self._journal):
            self.write({})

    def write(self, changes: Mapping[str, bytes | None]) -> None:
        """Change files of the work tree, all or none, also when this process is killed.

        Args:
            changes: Path relative to the root to new content, or None to remove the file.

        Raises:
            FatalError: There is no work tree, or a path is not one of its files.
        """
        worktree = self.work_tree()
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
        self.work_tree()
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

    def work_tree(self, hint: str = "clone it, and work in the clone: `git clone …`") -> Path:
        """The work tree, for what cannot do without one.

        Args:
            hint: What to do where there is none.

        Raises:
            FatalError: There is none.
        """
        if self.worktree is None:
            raise FatalError(f"`{self.location}` has no work tree", hint)
        return self.worktree

    @property
    def _journal(self) -> Path:
        return self.git.directory / "envtag" / "journal"
