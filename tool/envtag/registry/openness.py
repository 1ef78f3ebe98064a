"""The open namespaces of a registry: which they are, what is in them, and changes that go to where a name lives."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, cast

from envtag.errors import FatalError
from envtag.namespaces import branch_of, namespace_of, read_open
from envtag.registry.environment import WorkTreeFiles
from envtag.registry.writing import Writing

if TYPE_CHECKING:
    from pathlib import Path

    from envtag.git import Git
    from envtag.registry.opened import Around, OpenBranch

PROJECT_FILE = "pyproject.toml"
_KEY = b"namespaces"


class Openness(Writing):
    """The part of a registry that knows where an environment lives: in its work tree, or on a branch of its own."""

    def __init__(self, git: Git, worktree: Path | None, location: str) -> None:
        super().__init__(git, worktree, location)
        self._branches: dict[str, OpenBranch] = {}

    @abstractmethod
    def head(self) -> str:
        """See `Registry.head`."""

    @abstractmethod
    def default_branch(self, *, fresh: bool = False) -> str | None:
        """See `Registry.default_branch`."""

    @abstractmethod
    def names(self, prefix: str = "") -> list[str]:
        """See `Registry.names`."""

    @cached_property
    def open_namespaces(self) -> tuple[str, ...]:
        """Its open namespaces: as the work tree says, or the head of the default branch.

        Raises:
            FatalError: Its settings are malformed.
        """
        if self.worktree is not None:
            return _declared(WorkTreeFiles(self.worktree).read(PROJECT_FILE), PROJECT_FILE)
        return self.namespaces_at(self.head())

    def namespaces_at(self, commit: str) -> tuple[str, ...]:
        """The open namespaces by a commit's `pyproject.toml`.

        Raises:
            FatalError: It is malformed.
        """
        return _declared(self.git.read(commit, PROJECT_FILE), f"{PROJECT_FILE} at {commit[:12]}")

    def open_branch(self, name: str) -> OpenBranch | None:
        """The branch that an environment of a name lives on; None where it is not in an open namespace."""
        namespace = namespace_of(name, self.open_namespaces)
        return self._branch(namespace) if namespace else None

    def known_branch(self, name: str) -> str:
        """The name of that branch, as far as it is known here: nothing is asked of a remote. Empty where there is none.

        Raises:
            FatalError: The settings that are known here are malformed.
        """
        if self.worktree is not None:
            namespaces = self.open_namespaces
        else:
            commit = self.default_branch()
            namespaces = self.namespaces_at(commit) if commit is not None else ()
        namespace = namespace_of(name, namespaces)
        return branch_of(namespace) if namespace else ""

    def open_branches(self) -> list[OpenBranch]:
        """The branches of its open namespaces, by name."""
        return [self._branch(namespace) for namespace in self.open_namespaces]

    def open_names(self, prefix: str = "") -> list[str]:
        """The names of the environments of its open namespaces that begin with a text, sorted."""
        found = (name for branch in self.open_branches() for name in branch.names())
        return sorted(name for name in found if name.startswith(prefix))

    def no_environment(self, name: str, revision: str = "") -> FatalError:
        """The error for an environment that is not there, with the names that may have been meant.

        Args:
            name: What was asked for.
            revision: The revision that it was looked for at; empty for where it lives.
        """
        import difflib

        branch = self.open_branch(name) if not revision else None
        names = [*self.names(), *self.open_names()] if not revision else []
        meant = " or ".join(f"`{item}`" for item in difflib.get_close_matches(name, names, 3, 0.6))
        hint = f"did you mean {meant}?" if meant else "`envtag list` shows what there is"
        at = f" at {revision}" if revision else f" on `{branch.name}`" if branch is not None else ""
        return FatalError(f"`{self.location}` has no environment `{name}`{at}", hint)

    def home(self, names: Collection[str]) -> OpenBranch | None:
        """The one branch that environments live on together; None for the work tree.

        Raises:
            FatalError: They live in different places, so that they cannot be changed together.
        """
        homes = {name: self.open_branch(name) for name in names}
        first = next(iter(homes), "")
        for name, branch in homes.items():
            if branch is not homes[first]:
                raise FatalError(
                    f"`{first}` and `{name}` live on different branches, so they cannot be written together",
                    "write one of them first, and then the other",
                )
        return homes.get(first)

    def check_writable(self, names: Collection[str], hint: str) -> None:
        """Refuse, before anything is done, what could not be written in the end.

        Args:
            names: The environments to write.
            hint: What to do without a work tree.

        Raises:
            FatalError: There is no work tree and one is needed, or they live in different places.
        """
        if self.home(names) is None:
            self.work_tree(hint)

    def check_each_writable(self, names: Collection[str], hint: str) -> None:
        """`check_writable` of environments that are written one by one; none for all of the work tree."""
        if not names:
            self.work_tree(hint)
        for name in names:
            self.check_writable([name], hint)

    def change(self, names: Collection[str], make: Callable[[], Mapping[str, bytes | None]]) -> bool:
        """Change environments' files, all or none: in the work tree, or on the branch of their open namespace.

        Args:
            names: The environments.
            make: Gives path to new content, or to None for a file that goes. Nobody else changes them while it runs,
                or it is called again.

        Returns:
            False if all of it is there already.

        Raises:
            FatalError: They cannot be written, or `make` raises.
        """
        branch = self.home(names)
        if branch is not None:
            return branch.change(make)
        files = WorkTreeFiles(self.work_tree())
        with self.lock_for_writing():
            different = {path: data for path, data in make().items() if files.read(path) != data}
            if different:
                self.write(different)
            return bool(different)

    def _is_open(self, name: str) -> bool:
        return bool(namespace_of(name, self.open_namespaces))

    def _branch(self, namespace: str) -> OpenBranch:
        if namespace not in self._branches:
            from envtag.registry.opened import OpenBranch

            self._branches[namespace] = OpenBranch(cast("Around", self), namespace)
        return self._branches[namespace]


def _declared(data: bytes | None, where: str) -> tuple[str, ...]:
    """The open namespaces of a `pyproject.toml`, whatever else of it is wrong; most have none, and are not parsed."""
    if data is None or _KEY not in data:
        return ()
    from envtag.project import registry_table
    from envtag.util.yaml_table import as_table

    table = as_table(registry_table(data.decode("utf-8", "replace"), where) or {}, f"{where} [tool.envtag]")
    return read_open(table.table("namespaces"))
