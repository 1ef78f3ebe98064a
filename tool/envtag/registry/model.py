"""A registry: what a repository holds of environments, in its work tree and at any revision."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from envtag.errors import FatalError, UnreachableError
from envtag.names import Alias, parse_name
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
from envtag.registry.openness import PROJECT_FILE, Openness
from envtag.registry.release import ReleasedTag, check_ledger, check_record
from envtag.registry.remote import HEAD_REF, Clone
from envtag.signatures import SigningRule, check_signature, own_rule, read_rule

if TYPE_CHECKING:
    from envtag.git import Git, TagObject
    from envtag.settings import RegistrySettings

__all__ = ["PROJECT_FILE", "Registry"]


class Registry(Openness):
    """A repository of environments: a work tree, a bare repository, or the clone of a remote one.

    `close` (or `with`) ends the git process that reads keep. What `latest` is comes from the work tree where there is
    one, and from the head of the default branch otherwise, fetched once per object.

    Attributes:
        git: The repository.
        worktree: Its work tree, or None.
        location: Where it is, for people: a path, or a URL without credentials.
        offline: Use what is here, and never ask a remote.
        signers: Path of the user's own list of who may sign, to which tags are held then; empty for the registry's.
    """

    def __init__(
        self,
        git: Git,
        *,
        location: str,
        worktree: Path | None = None,
        clone: Clone | None = None,
        offline: bool = False,
        signers: str = "",
    ) -> None:
        super().__init__(git, worktree, location)
        self.offline = offline
        self._clone = clone
        self.signers = signers
        self._head: str | None = None
        self._default: str | None = None
        self.recover()

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
        from envtag.settings import RegistrySettings

        if self.worktree is not None:
            data = WorkTreeFiles(self.worktree).read(PROJECT_FILE)
        else:
            known = self.git.commit_of(HEAD_REF) if self._clone is not None and self._head is None else None
            data = self.git.read(known or self.head(), PROJECT_FILE)
        return RegistrySettings.read(data or b"", PROJECT_FILE)

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
            if self.offline:
                self._head = self.git.commit_of(HEAD_REF)
            else:
                self._head = self._default = self._clone.fetch_head()
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
        self._default = self.git.commit_of(private) if self.fetch(f"+HEAD:{private}") else None
        if self._clone is not None:
            self._head = self._default
        return self._default

    def default_branch(self, *, fresh: bool = False) -> str | None:
        """The newest head of the default branch that is known here; HEAD where no other is.

        Args:
            fresh: Ask the remote, once per object; one that does not answer is let be where something is known.

        Raises:
            UnreachableError: Nothing is known of it, and the remote does not answer.
        """
        if self._default is None and fresh and not self.offline and self.remote is not None:
            try:
                self.fetch_default_branch()
            except UnreachableError:
                if self._clone is not None and self.git.commit_of(HEAD_REF) is None:
                    raise
        if self._default is not None or self.remote is None:
            return self._default or self.git.commit_of("HEAD")
        known = self.git.commit_of(f"refs/envtag/{self.remote}/head")
        if self._clone is not None:
            return known
        tracked = self.git.commit_of(f"refs/remotes/{self.remote}/HEAD")
        if known is None or (tracked is not None and tracked != known and self.git.is_ancestor(known, tracked)):
            known = tracked
        return known or self.git.commit_of("HEAD")

    def signing_rule(self, *, fresh: bool = False) -> SigningRule:
        """What released tags are held to: by the user's own list of signers, or by the default branch.

        Args:
            fresh: Ask the remote for it; otherwise what is known here decides.

        Raises:
            UnreachableError: Nothing is known of it here, and the remote does not answer.
            FatalError: It is malformed.
        """
        if self.signers:
            return own_rule(self.signers)
        commit = self.default_branch(fresh=fresh)
        if commit is None and self._clone is not None:
            raise UnreachableError(
                f"nothing is here of the default branch of `{self.location}`, which says what must be signed",
                "use it with a network; its `HEAD` must name a branch that has a commit",
            )
        return read_rule(self.git, commit, PROJECT_FILE) if commit is not None else SigningRule()

    @property
    def is_clone(self) -> bool:
        """Whether it is the clone of a registry that is elsewhere, which has no history of its own."""
        return self._clone is not None

    def fetch_content(self, commit: str, directory: str) -> None:
        """Fetch what is missing here of a directory at a commit; nothing is where a repository is whole.

        Raises:
            FatalError: The remote cannot be reached.
        """
        if self._clone is not None and not self.offline:
            self._clone.fetch_content(commit, directory)

    def names(self, prefix: str = "") -> list[str]:
        """The names of its environments that begin with a text, sorted; without those of open namespaces."""
        below = prefix.rpartition("/")[0]
        directory = f"{ENVIRONMENTS}/{below}" if below else ENVIRONMENTS
        paths = self._files("")[1].find(SETTINGS_FILE, directory)
        found = (path[len(ENVIRONMENTS) + 1 : -len(SETTINGS_FILE) - 1] for path in paths)
        return sorted(name for name in found if name and name.startswith(prefix) and not self._is_open(name))

    def has(self, name: str) -> bool:
        """Whether there is an environment of a name, as `latest` has it.

        Raises:
            FatalError: The name is malformed.
        """
        directory = f"{ENVIRONMENTS}/{parse_name(name)}"
        branch = self.open_branch(name)
        if branch is not None:
            head = branch.head()
            return head is not None and SETTINGS_FILE in self.git.entries(head, directory)
        return SETTINGS_FILE in self._files("")[1].entries(directory)

    def environment(self, name: str, revision: str = "") -> Environment:
        """An environment at a revision.

        Args:
            name: Its name.
            revision: Any revision that git knows; if empty, as `latest` has it, of an open namespace its branch.

        Raises:
            FatalError: There is no such revision, or no such environment at it; or its files are malformed.
        """
        directory = f"{ENVIRONMENTS}/{parse_name(name)}"
        branch = self.open_branch(name) if not revision else None
        head = branch.head() if branch is not None else None
        if branch is not None and head is None:
            raise self.no_environment(name)
        commit, files = self._files(revision or head or "")
        if commit:
            self.fetch_content(commit, directory)
        found = load_environment(name, commit, files)
        if found is None:
            raise self.no_environment(name, revision)
        return found

    def released(self, alias: Alias, checked: str = "", signers: str = "") -> ReleasedTag | None:
        """The released tag of an immutable alias, every link of it checked; None if it is not released.

        A tag that is here is not asked for again. The ids of its locks are checked by who reads their bytes.

        Args:
            alias: An immutable tag.
            checked: Name of a tag object that was checked before; the same object has the same ledger.
            signers: What its signature was held to then (`SigningRule.digest`).

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
                found = self.fetch(f"{alias.ref}:{alias.ref}", whole=self._is_open(alias.name))
            except FatalError:
                if self.git.tag(alias.ref) is None:  # otherwise another process fetched it meanwhile
                    raise
                found = True
            tag = self.git.tag(alias.ref) if found else None
        if tag is None:
            return None
        known = tag.sha == checked
        record = check_record(alias, tag)
        signers = self._held_to(alias, tag, signers if known else None)
        environment = self.environment(alias.name, tag.commit)
        if not known:
            check_ledger(alias, record, environment)
        return ReleasedTag(tag=tag, record=record, environment=environment, signers=signers)

    def _held_to(self, alias: Alias, tag: TagObject, before: str | None) -> str:
        """Hold a tag to what must be signed.

        Args:
            alias: Its alias.
            tag: Its object.
            before: What this very object was held to when it was accepted; None if it never was.
        """
        try:
            rule = self.signing_rule(fresh=before is None)
        except UnreachableError:
            if before is None:
                raise
            return before  # nothing else is known, and it is the same object
        if rule.digest != before:
            check_signature(alias, tag, rule, self.git)
        return rule.digest

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

    def fetch(self, *refspecs: str, whole: bool = False) -> bool:
        """Fetch refs of its remote, `whole` with all of their history; false if that lacks one of them.

        Raises:
            FatalError: The remote cannot be reached, or a ref here is in the way.
        """
        if self._clone is not None:
            return self._clone.fetch(*refspecs, whole=whole)
        return self.git.fetch(self.remote or "origin", *refspecs, whole=whole)
