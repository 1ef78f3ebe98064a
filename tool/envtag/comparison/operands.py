"""From the words of `envtag diff` to two states.

A word is, in this order: a path that exists; an alias or full id, where the registry has an environment of its name; a
revision, or a path in one (`REV:PATH`). `./PATH`, `NAME:TAG` and `refs/heads/BRANCH` can be only one of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from envtag import lock as locks
from envtag import lookup
from envtag.comparison.states import LockFile, One, PlacedFiles, State, Tree, name_of
from envtag.errors import FatalError
from envtag.names import Alias, FullId, parse_reference
from envtag.registry.environment import (
    ENVIRONMENTS,
    SETTINGS_FILE,
    Environment,
    Files,
    RevisionFiles,
    WorkTreeFiles,
    load_environment,
)
from envtag.util.text import shown

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.registry import Registry

WORK_TREE = "the work tree"
#: A name of a branch or tag that a refspec can hold; git refuses what is still wrong with it.
_REF = re.compile(r"(?!.*(?:\.\.|//|@\{))[A-Za-z0-9_](?:[A-Za-z0-9_./@+-]*[A-Za-z0-9_+-])?")
_HINT = "name a path, an alias (`name:tag`), a revision, or a path in a revision (`REV:PATH`)"


class Operands:
    """Reads what the words name; the registry is opened when a word first needs it.

    Args:
        open_registry: Gives the registry; raises `FatalError` where there is none.
        config: The client's settings.
        environ: Variables for `@{VAR}`.
        start: What relative paths are relative to.
    """

    def __init__(
        self, *, open_registry: Callable[[], Registry], config: Config, environ: Mapping[str, str], start: Path
    ) -> None:
        self._open = open_registry
        self._config = config
        self._environ = environ
        self._start = start

    def pair(self, first: str, second: str) -> tuple[State, State, str]:
        """The older and the newer state, and the beginning of the names that are compared.

        Args:
            first: The first word; empty for the merge base with the default branch.
            second: The second word; empty for the work tree.

        Returns:
            Both, and a name: only that environment and those below it are meant; empty for all.

        Raises:
            FatalError: A word names nothing, or the two cannot be compared.
        """
        if not first:
            return self._merge_base(), self._now(), ""
        if not second:
            below = self._in_work_tree(first)
            if below is not None:
                return self._merge_base(), self._now(), below
            older = self.parse(first)
            if isinstance(older, LockFile):
                raise FatalError(f"with what is the lock file {shown(first)} to be compared?", "name a second one")
            return older, self._now(), ""
        return self.parse(first), self.parse(second), ""

    def parse(self, text: str) -> State:
        """What one word names.

        Raises:
            FatalError: It names nothing.
        """
        path = self._start / text
        if "\0" not in text and path.exists():
            return self._directory(path, text) if path.is_dir() else self._file(path, text)
        return self._alias(text) or self._revision(text)

    @cached_property
    def _registry(self) -> Registry:
        return self._open()

    def _now(self) -> Tree:
        """The work tree; without one, the head of the default branch."""
        registry = self._registry
        if registry.worktree is None:
            return self._tree(registry.head(), "the default branch")
        return Tree(words=WORK_TREE, files=WorkTreeFiles(registry.worktree), git=registry.git)

    def _merge_base(self) -> Tree:
        """Where the checked out branch left the default branch; HEAD where that is not known."""
        registry = self._registry
        for ref in self._default_branches():
            other = registry.git.commit_of(ref)
            if other is not None and registry.worktree is not None:
                done = registry.git.run("merge-base", "HEAD", other)
                if done.returncode == 0:
                    return self._tree(done.text(), f"merge base with {ref}")
                raise FatalError(
                    f"HEAD and `{ref}` have no common commit here",
                    "a shallow clone lacks it: `git fetch --unshallow`; or name a revision: `envtag diff REV`",
                )
        return self._tree(registry.head(), "HEAD")

    def _default_branches(self) -> tuple[str, ...]:
        remote = self._registry.remote
        names = ("main", "master")
        theirs = (f"{remote}/HEAD", *(f"{remote}/{name}" for name in names)) if remote is not None else ()
        return (*theirs, *names)

    def _tree(self, commit: str, words: str) -> Tree:
        git = self._registry.git
        return Tree(words=f"{words} at {commit[:12]}", files=RevisionFiles(git, commit), commit=commit, git=git)

    def _in_work_tree(self, text: str) -> str | None:
        """The name of an environment of the work tree, or of what is above some; None for anything else."""
        path = (self._start / text).absolute()
        if "\0" not in text and path.is_dir():
            try:
                root = self._registry.worktree
            except FatalError:  # a directory that is in no registry is compared as it is
                return None
            below = f"{root}/{ENVIRONMENTS}/" if root is not None else ""
            return f"{path}".removeprefix(below) if below and f"{path}".startswith(below) else None
        reference = _reference(text)
        if not isinstance(reference, Alias) or f"{reference.name}" != text or self._registry.worktree is None:
            return None
        return text if self._registry.has(text) else None

    def _directory(self, path: Path, text: str) -> State:
        files = WorkTreeFiles(path)
        if (path / ENVIRONMENTS).is_dir():
            return Tree(words=text, files=files)
        return One(words=text, environment=_placed(files, "", name_of(path.resolve()), "", text))

    def _file(self, path: Path, text: str) -> LockFile:
        try:
            return LockFile(words=text, lock=locks.read(path.read_bytes(), text))
        except OSError as error:
            raise FatalError(f"{shown(text)} cannot be read: {error.strerror}") from error

    def _alias(self, text: str) -> One | None:
        reference = _reference(text)
        if reference is None:
            return None
        registry = self._registry
        if isinstance(reference, Alias) and not registry.has(reference.name):
            revision, _, rest = text.partition(":")
            if registry.git.commit_of(revision) is not None or not rest:
                return None
        found = lookup.find(text, registry, self._config, self._environ)
        commit = found.commit
        at = f" at {commit[:12]}" if commit else ""
        git = registry.git if commit else None
        return One(words=f"{found.alias}{at}", environment=found.environment, commit=commit, git=git)

    def _revision(self, text: str) -> State:
        revision, colon, path = text.partition(":")
        git = self._registry.git
        commit = self._commit(revision)
        if commit is None:
            raise FatalError(f"{shown(text)} is no path, environment or revision here", _HINT)
        if not colon:
            return self._tree(commit, text)
        path = path.strip("/")
        files = RevisionFiles(git, commit)
        words = f"{text} at {commit[:12]}"
        data = files.read(path)
        if data is not None:
            return LockFile(words=words, lock=locks.read(data, text), commit=commit, git=git)
        environment = _placed(files, path, name_of(Path("/", path)), commit, text)
        return One(words=words, environment=environment, commit=commit, git=git)

    def _commit(self, revision: str) -> str | None:
        """The commit that a revision means; a branch or tag of a registry that is elsewhere is fetched."""
        registry = self._registry
        if not revision or "\n" in revision:
            return None
        found = registry.git.commit_of(revision)
        if found is not None or registry.worktree is not None or registry.remote is None or registry.offline:
            return found
        if _REF.fullmatch(revision):
            for kind in ("heads", "tags"):
                kept = f"refs/envtag/asked/{kind}/{revision}"
                if registry.fetch(f"+refs/{kind}/{revision}:{kept}"):
                    return registry.git.commit_of(kept)
        return None


def _reference(text: str) -> Alias | FullId | None:
    """What names an environment, or None where a word is no such name."""
    try:
        reference = parse_reference(text)
    except FatalError:
        return None
    return reference if isinstance(reference, (Alias, FullId)) else None


def _placed(files: Files, directory: str, name: str, commit: str, text: str) -> Environment:
    found = load_environment(name, commit, PlacedFiles(files, directory, name))
    if found is None:
        raise FatalError(
            f"{shown(text)} is no environment: it has no `{SETTINGS_FILE}`",
            "name the directory of one environment, or the top of a registry",
        )
    return found
