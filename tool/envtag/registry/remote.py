"""Registries that are elsewhere: a bare partial clone each, which fetches the refs and blobs that are asked for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from envtag.errors import FatalError, UnreachableError
from envtag.git import Git, is_git_directory
from envtag.git.repository import SHALLOW
from envtag.util.canonical import sha256_hex
from envtag.util.files import remove_tree
from envtag.util.locks import file_lock
from envtag.util.pattern import pattern

if TYPE_CHECKING:
    from envtag.registry.address import Address

REMOTE = "origin"
HEAD_REF = "refs/envtag/origin/head"
_FETCH_OPTIONS = (SHALLOW, "--filter=blob:none")
_COMMIT = pattern(r"[0-9a-f]{40}")
_LEFT_LOCK = pattern(r"Unable to create '.*\.lock': File exists")


class Clone:
    """The cached clone of one remote registry; any number of processes may use it at once.

    It is built beside its place and renamed, fetches under a lock, and is built again if it turns out to be damaged.
    """

    def __init__(self, address: Address, directory: Path) -> None:
        """Open a clone, building it if there is none; nothing is fetched.

        Args:
            address: Where the registry is.
            directory: The directory of all clones.
        """
        self.url = address.url
        name = re.sub(r"[^A-Za-z0-9.-]+", "-", address.url.rstrip("/").removesuffix(".git").rpartition("/")[2])
        self.path = directory / f"{name[:40]}-{sha256_hex(address.url.encode())[:16]}.git"
        self._lock = self.path.with_suffix(".lock")
        if not self._is_whole():
            with file_lock(self._lock):
                if not self._is_whole():
                    self._build()
        self.git = Git(self.path, settings=address.settings, fetch_options=_FETCH_OPTIONS, secrets=address.secrets)

    def fetch(self, *refspecs: str, whole: bool = False) -> bool:
        """Fetch refs, `whole` with all of their history; false if the registry lacks one of them.

        Raises:
            UnreachableError: The registry cannot be reached.
        """
        with file_lock(self._lock):
            try:
                return self.git.fetch(REMOTE, *refspecs, whole=whole)
            except FatalError as error:
                if not self._is_damaged(error):
                    raise self._unreachable(error) from error
            self.git.close()
            self._build()
            try:
                return self.git.fetch(REMOTE, *refspecs, whole=whole)
            except FatalError as error:
                raise self._unreachable(error) from error

    def fetch_head(self) -> str:
        """Fetch the head of the default branch; the name of its commit.

        Raises:
            FatalError: The registry cannot be reached, or is empty.
        """
        found = self.git.commit_of(HEAD_REF) if self.fetch(f"+HEAD:{HEAD_REF}") else None
        if found is None:
            raise FatalError(f"the registry `{self.url}` has no commit yet", "push a first one to its default branch")
        return found

    def fetch_revision(self, revision: str) -> str | None:
        """Fetch a commit, branch or tag by its name; the name of its commit, or None if the registry has none such.

        Raises:
            UnreachableError: The registry cannot be reached.
        """
        exact = _COMMIT.fullmatch(revision) is not None or revision.startswith("refs/")
        for source in (revision,) if exact else (f"refs/heads/{revision}", f"refs/tags/{revision}"):
            kept = f"refs/envtag/asked/{source.removeprefix('refs/')}"
            if self.fetch(f"+{source}:{kept}"):
                return self.git.commit_of(kept)
        return None

    def fetch_content(self, commit: str, path: str) -> None:
        """Fetch what is missing here of a directory at a commit, in one go.

        Args:
            commit: A commit that is here.
            path: From the registry's top; one that is not there needs nothing.

        Raises:
            FatalError: The registry cannot be reached, or refuses.
        """
        try:
            self.git.fetch_missing(REMOTE, f"{commit}:{path}")
        except FatalError as error:
            raise self._unreachable(error) from error

    def _is_whole(self) -> bool:
        return is_git_directory(self.path) and (self.path / "config").is_file()

    def _is_damaged(self, error: FatalError) -> bool:
        """Whether a fetch failed because of this clone: a killed git left a lock in it, or an object is missing."""
        if _LEFT_LOCK.search(error.detail) or not self._is_whole():
            return True
        return self.git.run("fsck", "--connectivity-only", "--no-dangling", "--no-progress").returncode != 0

    def _build(self) -> None:
        """Make an empty clone at its place, in place of whatever is there."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        for left in self.path.parent.glob(f".{self.path.name}.*.tmp"):
            remove_tree(left)
        import tempfile

        staged = Path(tempfile.mkdtemp(prefix=f".{self.path.name}.", suffix=".tmp", dir=self.path.parent))
        try:
            settings = {
                "core.repositoryformatversion": "1",
                "extensions.partialClone": REMOTE,
                f"remote.{REMOTE}.url": self.url,
                f"remote.{REMOTE}.promisor": "true",
                f"remote.{REMOTE}.partialclonefilter": "blob:none",
                "gc.autoDetach": "false",
            }
            with Git.init(staged / "new", bare=True) as git:
                for key, value in settings.items():
                    git.run("config", key, value, check="cannot configure the registry's clone")
            if self.path.exists():
                self.path.rename(staged / "old")
            (staged / "new").rename(self.path)
        finally:
            remove_tree(staged)

    def _unreachable(self, error: FatalError) -> UnreachableError:
        return UnreachableError(
            f"the registry `{self.url}` cannot be read",
            "check its address, the network and your credentials: `git ls-remote` with it says more",
            f"{error.message}\n{error.detail}".strip(),
        )
