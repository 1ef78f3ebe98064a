"""The branch of an open namespace: what it holds, and how a change comes onto it without a work tree or a review."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from envtag.errors import FatalError, UnreachableError
from envtag.git.trees import write_blob, write_commit, write_tree
from envtag.namespaces import BRANCHES, branch_of
from envtag.registry.environment import ENVIRONMENTS, SETTINGS_FILE, RevisionFiles
from envtag.util.locks import file_lock

if TYPE_CHECKING:
    from envtag.git import Git

#: How often a change is made anew because somebody else's came first, and how long is waited in between at most.
_ATTEMPTS = 60
_LONGEST_SECONDS = 2.0


class Around(Protocol):
    """What a branch needs of the registry that it is of; see `Registry`."""

    git: Git
    location: str
    offline: bool

    @property
    def remote(self) -> str | None:
        """The remote that holds it."""

    @property
    def is_clone(self) -> bool:
        """Whether it is the clone of a registry that is elsewhere."""

    def fetch(self, *refspecs: str, whole: bool = False) -> bool:
        """Fetch refs; false if the remote lacks one of them."""

    def default_branch(self, *, fresh: bool = False) -> str | None:
        """The head of the default branch."""

    def namespaces_at(self, commit: str) -> tuple[str, ...]:
        """The open namespaces by a commit's settings."""


class OpenBranch:
    """The branch of one open namespace, on the registry's remote, or here where it has none.

    It begins with a commit without parents and holds its own environments alone, so that it is small whatever the
    registry is, and never confused with what was reviewed. What it is at is asked of the remote once per object.

    Args:
        registry: The registry.
        namespace: The namespace.
    """

    def __init__(self, registry: Around, namespace: str) -> None:
        self._registry = registry
        self.namespace = namespace
        self.name = branch_of(namespace)
        self.ref = f"refs/heads/{self.name}"
        self._asked = False

    def head(self, *, fresh: bool = False) -> str | None:
        """The commit that it is at; None where nothing was written to it yet.

        Args:
            fresh: Ask the remote again.

        Raises:
            UnreachableError: The remote does not answer.
        """
        registry = self._registry
        if registry.remote is not None and not registry.offline and (fresh or not self._asked):
            if not registry.fetch(f"+{self.ref}:{self._kept}", whole=True):
                registry.git.run("update-ref", "-d", self._kept)
            self._asked = True
        return registry.git.commit_of(self._kept)

    def known(self) -> str | None:
        """The commit that it is at; where the remote does not answer, as it was last seen."""
        try:
            return self.head()
        except UnreachableError:
            self._asked = True
            return self.head()

    def seen(self) -> str | None:
        """The commit that it is at, found out without leaving a ref behind in a repository of a person's.

        Raises:
            FatalError: The remote does not answer.
        """
        remote = self._registry.remote
        if remote is None or self._registry.is_clone:
            return self.head()
        return self._registry.git.fetch_object(remote, self.ref)

    def names(self) -> list[str]:
        """The names of its environments, sorted; as far as is known here where the remote does not answer."""
        head = self.known()
        paths = RevisionFiles(self._registry.git, head).find(SETTINGS_FILE, self._directory) if head is not None else []
        return sorted(path[len(ENVIRONMENTS) + 1 : -len(SETTINGS_FILE) - 1] for path in paths)

    def check_declared(self, commit: str | None) -> None:
        """Make sure that the default branch says of the namespace that it is open: what a work tree says is not enough.

        Args:
            commit: The head of the default branch; None where it has none.

        Raises:
            FatalError: It does not.
        """
        registry = self._registry
        if commit is None or self.namespace not in registry.namespaces_at(commit):
            raise FatalError(
                f"`{self.namespace}` is not an open namespace on the default branch of `{registry.location}`",
                f'merge `[tool.envtag.namespaces."{self.namespace}"]` and `open = true` of `pyproject.toml` first',
            )

    def change(self, make: Callable[[], Mapping[str, bytes | None]], waiting: Callable[[], None] | None = None) -> bool:
        """Change files of its environments, all or none, by a commit that is pushed at once.

        Where somebody else's commit comes first, the change is made again on top of it: what both write is seen then.

        Args:
            make: Gives path to new content, or to None for a file that goes; called again for each attempt.
            waiting: Called once when another process here has been at it for over a second.

        Returns:
            False if all of it is there already.

        Raises:
            FatalError: The default branch does not say that it is open, the remote cannot be reached or refuses, or
                `make` raises.
        """
        if self._registry.offline:
            raise UnreachableError(
                f"`{self.namespace}` is open, and lives on a branch that is not asked for now", "do it with a network"
            )
        self.check_declared(self._registry.default_branch(fresh=True))
        git = self._registry.git
        place = git.common_directory / "envtag" / f"{self.name.replace('/', '-')}.lock"
        with file_lock(place, waiting=waiting):
            for attempt in range(_ATTEMPTS):
                before = self.head(fresh=True)
                changes = {path: data for path, data in make().items() if self._read(before, path) != data}
                if not changes:
                    return False
                commit = self._commit(changes, before)
                if self._move(before or "", commit):
                    return True
                time.sleep(random.uniform(0, min(0.05 * 2**attempt, _LONGEST_SECONDS)))  # noqa: S311 - not a secret
        raise FatalError(
            f"`{self.name}` of `{self._registry.location}` was moved by others {_ATTEMPTS} times meanwhile",
            "run it again",
        )

    def _commit(self, changes: Mapping[str, bytes | None], before: str | None) -> str:
        git = self._registry.git
        for path in changes:
            if not path.startswith(f"{self._directory}/"):
                raise FatalError(f"`{path}` is not a file of `{self._directory}`, which is all that `{self.name}` has")
        blobs = {path: write_blob(git, data) if data is not None else None for path, data in changes.items()}
        tree = write_tree(git, f"{before}^{{tree}}" if before is not None else "", blobs)
        names = sorted({path[len(ENVIRONMENTS) + 1 :].rpartition("/")[0] for path in changes})
        return write_commit(git, tree, [before] if before is not None else [], f"Change {', '.join(names)}")

    def _move(self, before: str, commit: str) -> bool:
        registry = self._registry
        if registry.remote is None:
            return registry.git.move_forward(self.ref, before, commit)
        if not registry.git.push_forward(registry.remote, self.ref, before, commit):
            return False
        registry.git.run("update-ref", self._kept, commit, check=f"cannot keep `{self._kept}`")
        return True

    def _read(self, commit: str | None, path: str) -> bytes | None:
        return self._registry.git.read(commit, path) if commit is not None else None

    @property
    def _directory(self) -> str:
        return f"{ENVIRONMENTS}/{self.namespace}"

    @property
    def _kept(self) -> str:
        """The ref here that says what it is at."""
        remote = self._registry.remote
        return self.ref if remote is None else f"refs/envtag/{remote}/open/{self.namespace}"


def open_heads(registry: Around) -> list[str]:
    """The commits that branches of open namespaces are at, also of those that settings no longer call open.

    Raises:
        FatalError: The remote cannot be reached.
    """
    here = f"refs/heads/{BRANCHES}"
    if registry.remote is not None:
        theirs, here = here, f"refs/envtag/{registry.remote}/open/"
        listed = registry.git.remote_refs(registry.remote, f"{theirs}*") if not registry.offline else {}
        if listed:
            registry.fetch(*(f"+{ref}:{here}{ref.removeprefix(theirs)}" for ref in listed), whole=True)
    return registry.git.run("for-each-ref", "--format=%(objectname)", here, check="cannot list branches").text().split()
