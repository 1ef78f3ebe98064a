"""What every command needs, made when it is first asked for."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from envtag.errors import FatalError

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.lookup import Found
    from envtag.output import Output
    from envtag.registry import Registry
    from envtag.signatures import SigningRule
    from envtag.store import Store

T = TypeVar("T")


class Session:
    """One run of the program.

    Attributes:
        where: `--registry`, empty where it was not given.
        quiet: `--quiet`.
        offline: `--offline` of the command that runs.
        datastore: The kind of Metaflow's datastore.
    """

    def __init__(self, *, where: str = "", quiet: bool = False) -> None:
        self.where = where
        self.quiet = quiet
        self.offline = False
        self.datastore = "local"

    @cached_property
    def output(self) -> Output:
        """Where it is told."""
        from envtag.output import Output

        return Output(quiet=self.quiet)

    @cached_property
    def config(self) -> Config:
        """The client's settings."""
        from envtag.config import load

        return load()

    @cached_property
    def registry(self) -> Registry:
        """The registry: `--registry`, `ENVTAG_REGISTRY`, the config file, or upward from the working directory."""
        from envtag.registry import open_registry

        return open_registry(self.where, Path.cwd(), self.config, offline=self.offline)

    @cached_property
    def store(self) -> Store:
        """The store: `ENVTAG_STORE`, the config file, the registry's, or the embedded default."""
        from envtag.store import open_store

        default = self.config.directories.default_store.as_uri()
        return open_store(self.config.store or self.registry.settings.store or default)

    def find(self, reference: str) -> Found:
        """Look an environment up by what names it: in git, or among the replicas where no git is in reach.

        `step:Flow/Run/Step` is looked up by what its task recorded, which Metaflow's client is asked for.
        """
        from envtag.lookup import find
        from envtag.names import PATHSPEC_PREFIX

        if reference.startswith(PATHSPEC_PREFIX):
            return self._find_step(reference)

        def in_git() -> Found:
            return find(reference, self.registry, self.config, os.environ)

        def in_store(store: Store, why: FatalError) -> Found:
            from envtag.stored import find_stored

            self._check_replica_will_do(reference, store)
            memory = self.config.directories.known_tags
            found = find_stored(reference, store, memory, os.environ, self._identities())
            if found is None:
                raise FatalError(
                    f"{why.message}, and there is no replica of `{reference}` in {store.url}", why.hint, why.detail
                )
            self._check_reviewed(found, store)
            at = f" at commit {found.commit[:12]}" if found.alias.mutable else ""
            self._tell(f"{found.alias}{at}", store, why)
            return found

        return self.read(in_git, in_store)

    def pinned(self, reference: str) -> str:
        """What names the same environment for good in a file: a pathspec's alias or full id; anything else as it is."""
        from envtag.names import PATHSPEC_PREFIX

        if not reference.startswith(PATHSPEC_PREFIX):
            return reference
        found = self.find(reference)
        if not found.alias.mutable and found.record is not None:
            return str(found.alias)
        lock = found.lock(found.platforms[0])
        return f"{lock.request}:{lock.id}"

    def _find_step(self, reference: str) -> Found:
        from envtag.names import parse_pathspec, substitute
        from envtag.pathspecs import find_step

        pathspec = parse_pathspec(substitute(reference, os.environ))
        return find_step(pathspec, lambda: self.registry, lambda: self.store, self.config)

    def list(self, in_git: Callable[[], int], in_store: Callable[[Store], int]) -> int:
        """Call what lists environments of the registry, or of the store's replicas where no git is in reach."""

        def told(store: Store, why: FatalError) -> int:
            self._tell("what follows", store, why)
            return in_store(store)

        return self.read(in_git, told)

    def read(self, in_git: Callable[[], T], in_store: Callable[[Store, FatalError], T]) -> T:
        """Read something of the registry, or of a store that can be named without it.

        Args:
            in_git: Reads the registry.
            in_store: Reads the store instead; is told why the registry is not in reach.
        """
        from envtag.errors import UnreachableError

        try:
            return in_git()
        except UnreachableError as error:
            return in_store(self._store_in_reach(error), error)
        except FatalError as error:
            from shutil import which

            if which("git") is not None:
                raise
            return in_store(self._store_in_reach(error), error)

    def _store_in_reach(self, why: FatalError) -> Store:
        """The store, where it takes no registry to know which it is, or where its settings are here."""
        try:
            return self.store
        except FatalError as error:
            if self.config.store:
                raise
            hint = f"{why.hint}; or let `ENVTAG_STORE` name a store: its replicas are read then"
            raise FatalError(why.message, hint.removeprefix("; "), why.detail) from error

    def _identities(self) -> tuple[str, ...]:
        """What tags of the registry are remembered under, as far as that can be told."""
        from shutil import which

        named = self.where or self.config.registry
        if "registry" in vars(self) and which("git") is not None:
            return (self.registry.identity,)
        if named and "registry" not in vars(self):
            from envtag.registry.address import identity_of

            return (identity_of(named, Path.cwd()),)
        return ()

    def _check_replica_will_do(self, reference: str, store: Store) -> None:
        """Refuse a replica where it is known here that releases must be signed: no replica is."""
        from envtag.lookup import parse
        from envtag.names import Alias
        from envtag.signatures import refuse_unsigned

        alias = parse(reference, os.environ)
        if not isinstance(alias, Alias):
            return
        rule = self._known_rule()
        if rule is not None:
            refuse_unsigned(alias, rule, store.url)

    def _check_reviewed(self, found: Found, store: Store) -> None:
        """Refuse a replica of what nobody reviewed, where it is known here that releases must be signed."""
        rule = self._known_rule() if found.branch() else None
        if rule is not None and rule.required:
            raise FatalError(
                f"`{found.alias}` must be signed, since its namespace is open, and its replica in {store.url} is not",
                "use it with its registry in reach",
            )

    def _known_rule(self) -> SigningRule | None:
        """What releases are held to, as far as it is known here: who has a store alone trusts who writes to it."""
        from shutil import which

        from envtag.errors import UnreachableError
        from envtag.signatures import own_rule

        if self.config.allowed_signers:
            return own_rule(self.config.allowed_signers)
        if "registry" in vars(self) and which("git") is not None:
            try:
                return self.registry.signing_rule()
            except UnreachableError:
                return None
        return None

    def _tell(self, what: str, store: Store, why: FatalError) -> None:
        self.output.say(f"{what} was read from the replicas in {store.url} (no registry in reach: {why.message})")
