"""What git holds of an environment's releases, here and on the remote: what may be published, and what is already."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from envtag.errors import AliasExistsError, FatalError
from envtag.names import Alias
from envtag.registry.model import PROJECT_FILE
from envtag.registry.release import ReleasedTag, check_ledger, check_record
from envtag.signatures import SigningRule, check_signature, read_rule

if TYPE_CHECKING:
    from envtag.ledger import Release
    from envtag.record import TagRecord
    from envtag.registry import Environment, Registry
    from envtag.registry.opened import OpenBranch


@dataclass(kw_only=True)
class History:
    """One registry's history as a publisher needs it. What it asked of the remote it keeps, so make one a run.

    Attributes:
        registry: The registry, with a work tree or open namespaces.
        push: Tags go to the registry's remote where it has one.
        dry_run: Leave no ref behind, not even a private one: objects alone are fetched.
    """

    registry: Registry
    push: bool = True
    dry_run: bool = False

    @cached_property
    def remote(self) -> str | None:
        """The remote that tags are pushed to."""
        return self.registry.remote if self.push else None

    @property
    def replicated(self) -> bool:
        """Whether replicas are made: not where the tags that they copy stay in this clone."""
        return self.registry.remote is None or self.push

    @cached_property
    def _remote_tags(self) -> dict[str, str]:
        """The tags of the remote that look like releases, asked for once."""
        remote = self.registry.remote
        return self.registry.git.remote_refs(remote, "refs/tags/*@*") if remote is not None else {}

    @cached_property
    def _merged(self) -> str | None:
        """The head of the remote's default branch."""
        remote = self.registry.remote
        if self.dry_run and remote is not None:
            return self.registry.git.fetch_object(remote, "HEAD")
        return self.registry.fetch_default_branch()

    @cached_property
    def _heads(self) -> dict[str, str | None]:
        """Open namespace to the commit that its branch is at, for those that were asked for."""
        return {}

    def _head_of(self, branch: OpenBranch) -> str | None:
        if branch.namespace not in self._heads:
            self._heads[branch.namespace] = branch.seen() if self.dry_run else branch.head(fresh=True)
        return self._heads[branch.namespace]

    @property
    def merged(self) -> str | None:
        """The head of the default branch, which says what is demanded of a publication; None where it has no commit."""
        return self._merged

    @cached_property
    def rule(self) -> SigningRule:
        """What the default branch demands of the signatures of released tags.

        Raises:
            FatalError: It is malformed, or the remote cannot be reached.
        """
        if self.dry_run and not self.registry.signers and self._merged is not None:
            return read_rule(self.registry.git, self._merged, PROJECT_FILE)
        return self.registry.signing_rule(fresh=not self.dry_run)

    def environment(self, name: str) -> Environment:
        """An environment at HEAD, or at the head of its open namespace, once it is certain that it may be published.

        Raises:
            FatalError: It has changes that are not committed, there is no commit, or the remote's default branch does
                not hold the commit and its releases: others see only what review let in. Or it does not say that the
                namespace is open.
        """
        git = self.registry.git
        branch = self.registry.open_branch(name)
        if branch is not None:
            branch.check_declared(self._merged)
            found = self._head_of(branch)
            if found is None:
                raise self.registry.no_environment(name)
            return self.registry.environment(name, found)
        if git.changed(f"envs/{name}"):
            raise FatalError(
                f"`envs/{name}` has changes that are not committed", f"commit them: `git commit envs/{name}`"
            )
        head = git.commit_of("HEAD")
        if head is None:
            raise FatalError("the registry has no commit yet", "`git add --all && git commit`")
        environment = self.registry.environment(name, head)
        if self.remote is not None:
            self._check_merged(self.remote, environment)
        return environment

    def released(self, alias: Alias) -> ReleasedTag | None:
        """The released tag of an alias, every link of it checked; None if it is not released.

        Raises:
            FatalError: A link does not hold, or the remote cannot be reached.
        """
        git, remote = self.registry.git, self.registry.remote
        if not self.dry_run or remote is None:
            return self.registry.released(alias)
        tag = git.tag(alias.ref)
        if tag is None and alias.ref in self._remote_tags:
            sha = git.fetch_object(remote, alias.ref)
            tag = git.tag(sha) if sha is not None else None
        if tag is None:
            return None
        record = check_record(alias, tag)
        check_signature(alias, tag, self.rule, git)
        environment = self.registry.environment(alias.name, tag.commit)
        check_ledger(alias, record, environment)
        return ReleasedTag(tag=tag, record=record, environment=environment, signers=self.rule.digest)

    def must_be_shared(self, alias: Alias, released: ReleasedTag) -> bool:
        """Whether a tag that is here is missing on the remote (of `--no-push`, or of a clone without a remote).

        Raises:
            AliasExistsError: The remote has another tag under this name.
            FatalError: The tag is on a commit that was never merged.
        """
        if self.remote is None:
            return False
        there = self._remote_tags.get(alias.ref, "")
        if there == released.tag.sha:
            return False
        if there:
            raise AliasExistsError(
                f"Alias already exists: `{alias}` on `{self.remote}` is another tag than here",
                f"`git tag --delete {alias.name}@{alias.tag}` forgets the one here; then publish again",
                f"there: {there}\nhere: {released.tag.sha}",
            )
        branch = self.registry.open_branch(alias.name)
        merged = self._merged if branch is None else self._head_of(branch)
        if merged is None or not self.registry.git.is_ancestor(released.tag.commit, merged):
            where = "the default branch" if branch is None else f"`{branch.name}`"
            raise FatalError(
                f"the tag of `{alias}` here is on commit {released.tag.commit[:12]}, which is not on {where} of "
                f"`{self.remote}`",
                f"`git tag --delete {alias.name}@{alias.tag}`, then publish again",
            )
        return True

    def commit_of(self, alias: Alias, release: Release, current: Environment) -> Environment:
        """The newest commit up to HEAD that is whole and whose locks are the ones that the ledger releases.

        Raises:
            FatalError: There is none.
        """
        malformed: list[str] = []
        for environment in self._versions(current, malformed):
            try:
                if environment.ledger.release(alias.tag) == release and environment.lock_ids() == dict(release.locks):
                    environment.spec_files()
                    return environment
            except FatalError as error:  # noqa: PERF203 - not that commit, then; told if no other is found
                malformed.append(error.message)
        raise FatalError(
            f"`{alias}` is in the ledger, but no commit of this branch holds the locks that it releases",
            "its line was edited, or its commit was squashed away before it was published: remove that line, and "
            "release what is there now under a new tag",
            "\n".join(dict.fromkeys(malformed)),
        )

    def _versions(self, current: Environment, malformed: list[str]) -> Iterator[Environment]:
        """An environment as it is at HEAD, then at each earlier commit that changed it; notes what cannot be read."""
        yield current
        for commit in self.registry.git.log(current.directory, current.revision, 0):
            try:
                yield self.registry.environment(current.name, commit.sha)
            except FatalError as error:  # noqa: PERF203 - it was not there, or malformed
                malformed.append(error.message)

    def _check_merged(self, remote: str, environment: Environment) -> None:
        where = f"the default branch of `{remote}`"
        if self._merged is None or not self.registry.git.is_ancestor(environment.revision, self._merged):
            raise FatalError(
                f"commit {environment.revision[:12]} is not on {where}",
                "push or merge it first, then publish from there (or `--no-push` to try it with this clone alone)",
            )
        reviewed = self.registry.environment(environment.name, self._merged).ledger
        for release in environment.ledger.releases:
            if reviewed.release(release.tag) != release:
                alias = Alias(name=environment.name, tag=release.tag)
                raise FatalError(f"{where} does not release `{alias}` as this commit does", "`git pull`, then publish")


def is_of(record: TagRecord, release: Release) -> bool:
    """Whether a tag is of what the ledger releases."""
    return (record.request, dict(record.locks)) == (release.request, dict(release.locks))


def check_content(alias: Alias, record: TagRecord, release: Release) -> None:
    """Check that a tag is of what the ledger releases.

    Raises:
        AliasExistsError: It is of other content.
    """
    if not is_of(record, release):
        raise AliasExistsError(
            f"Alias already exists: `{alias}` was released with other content",
            "immutable tags never move: release this content under a new tag",
        )
