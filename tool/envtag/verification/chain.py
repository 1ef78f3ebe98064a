"""The links of a released tag that are in git: ref, tag, record, commit, ledger, locks; and its replica."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from envtag import trust
from envtag.registry.environment import ENVIRONMENTS, SETTINGS_FILE
from envtag.registry.release import check_record
from envtag.replicas import parse_replica
from envtag.signatures import SigningRule, check_signature
from envtag.store import keys

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.git import TagObject
    from envtag.names import Alias
    from envtag.record import TagRecord
    from envtag.registry import Environment, Registry
    from envtag.registry.tags import TagRefs
    from envtag.replicas import Replica
    from envtag.store import Store
    from envtag.verification.findings import Report


class Wanted(NamedTuple):
    """A manifest that must be in the store: for whom, on which platform, by which digest, of which lock."""

    alias: Alias
    platform: str
    digest: str
    lock: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Released tags of one registry.

    Attributes:
        registry: The registry.
        store: Where replicas are.
        config: The client's settings, with its memory of tags.
        refs: The refs of released tags, here and on the remote.
        branch: Head of the default branch; None where there is no commit.
        rule: What it demands of signatures.
        report: Where it is told.
    """

    registry: Registry
    store: Store
    config: Config
    refs: TagRefs
    branch: str | None
    rule: SigningRule
    report: Report
    _current: dict[str, Environment | None] = field(default_factory=dict, repr=False)

    def release(self, alias: Alias) -> list[Wanted]:
        """Check a released tag up to its manifests, which are returned; an unreleased one is told."""
        report = self.report
        sha = self._agreed(alias)
        if sha is None:
            self._unreleased(alias)
            return []
        report.releases += 1
        before = len(report.findings)
        tag = report.tried(
            lambda: self.registry.git.tag(sha), alias, "tag", alias.ref, expected="an annotated tag of envtag's"
        )
        if tag is None:
            if len(report.findings) == before:
                report.broken(alias, "tag", alias.ref, expected="its tag object", found=f"no object {sha}")
            return []
        record = report.tried(
            lambda: check_record(alias, tag), alias, "record", alias.ref, expected=f"the record of `{alias}`"
        )
        if record is None:
            return []
        self._check_digest(alias, record)
        report.tried(
            lambda: check_signature(alias, tag, self.rule, self.registry.git),
            alias, "signature", alias.ref, expected="a signature that the registry allows",
        )  # fmt: skip
        self._check_commit(alias, record, tag)
        if len(report.findings) == before:
            memory = self.config.directories.known_tags
            report.tried(
                lambda: trust.remember(
                    memory, self.registry.identity, alias, record.locks, tag.sha, self.rule.digest
                ),
                alias, "memory", "of this machine", expected="what the tag was when it was first used here",
            )  # fmt: skip
        self._check_replica(alias, record, tag)
        return [
            Wanted(alias, platform, digest, record.locks[platform])
            for platform, digest in sorted(record.manifests.items())
        ]

    def replica(self, alias: Alias, key: str, link: str) -> Replica | None:
        """The replica under a key, if there is one and it is of this alias."""
        data = self.store.read(key)
        if data is None:
            return None
        found = self.report.tried(
            lambda: parse_replica(data, f"`{key}` in {self.store.url}"), alias, link, key, expected="a replica"
        )
        if found is None:
            return None
        if (found.name, found.tag) != (alias.name, alias.tag):
            self.report.broken(
                alias, link, key, expected=f"a replica of `{alias.name}:{alias.tag}`",
                found=f"one of `{found.name}:{found.tag}`",
                hint="it was tampered with: remove it, and publish the environment again",
            )  # fmt: skip
            return None
        return found

    def _agreed(self, alias: Alias) -> str | None:
        """The tag object to check: the remote's where there is one, since that is what others see."""
        bare = _bare(alias)
        here = self.refs.here.get(bare)
        if self.refs.there is None:
            return here
        there = self.refs.there.get(bare)
        if there is None and here is not None:
            self.report.notes.append(f"`{bare}` is tagged in this clone only: `envtag publish {bare.name}` pushes it")
        if here is not None and there is not None and here != there:
            self.report.broken(
                alias, "tag", f"{alias.ref} here", expected=f"{there}, as on `{self.registry.remote}`", found=here,
                hint=f"one of the two moved; if it is the one here: `git tag --delete {bare.name}@{bare.tag}`",
            )  # fmt: skip
        return there or here

    def _unreleased(self, alias: Alias) -> None:
        current = self.current(alias)
        if current is not None and current.ledger.release(alias.tag) is not None:
            self.report.notes.append(f"`{alias}` is in the ledger and not published yet: `envtag publish {alias.name}`")
            return
        self.report.broken(
            alias, "tag", alias.ref, expected="an annotated tag", found="no such tag, here or on the remote",
            hint="`envtag list` shows what there is",
        )  # fmt: skip

    def current(self, alias: Alias) -> Environment | None:
        """The environment at the head of the branch that it lives on; None where there is none."""
        name = alias.name
        if name not in self._current:
            head = self.head(name)
            there = head is not None and SETTINGS_FILE in self.registry.git.entries(head, f"{ENVIRONMENTS}/{name}")
            self._current[name] = self.registry.environment(name, head or "") if there else None
        return self._current[name]

    def head(self, name: str) -> str | None:
        """The head of the branch that an environment lives on: of its open namespace, or else the default one."""
        branch = self.registry.open_branch(name)
        return self.branch if branch is None else branch.head()

    def place(self, name: str) -> str:
        """The name of that branch, for people."""
        branch = self.registry.open_branch(name)
        return "the default branch" if branch is None else f"`{branch.name}`"

    def _check_digest(self, alias: Alias, record: TagRecord) -> None:
        wanted = alias.digest.removeprefix("sha256:")
        known = {record.digest.removeprefix("sha256:"), *record.manifests.values()}
        if wanted and wanted not in known:
            self.report.broken(alias, "record", alias.ref, expected=alias.digest, found=record.digest)

    def _check_commit(self, alias: Alias, record: TagRecord, tag: TagObject) -> None:
        """Commit, ledger and locks."""
        report = self.report
        where = f"envs/{alias.name} at {tag.commit[:12]}"
        environment = report.tried(
            lambda: self.registry.environment(alias.name, tag.commit),
            alias, "commit", tag.commit[:12], expected="a commit that holds the environment",
        )  # fmt: skip
        if environment is None:
            return
        self._check_ledger(alias, record, environment, f"tags.yml of {where}")
        pushed = self.refs.there is None or _bare(alias) in self.refs.there
        current = self.current(alias) if pushed and self.head(alias.name) != tag.commit else None
        if current is not None:
            self._check_ledger(alias, record, current, f"tags.yml of {self.place(alias.name)}")
        for platform, wanted in sorted(record.locks.items()):
            self._check_lock(alias, platform, wanted, environment)

    def _check_ledger(self, alias: Alias, record: TagRecord, environment: Environment, where: str) -> None:
        report = self.report
        ledger = report.tried(lambda: environment.ledger, alias, "ledger", where, expected="a ledger")
        if ledger is None:
            return
        release = ledger.release(alias.tag)
        if release is None:
            report.broken(
                alias, "ledger", where, expected=f"a line for `{alias.tag}`", found="none",
                hint="a ledger is only ever appended to: bring the line back",
            )  # fmt: skip
            return
        if release.request != record.request:
            report.broken(alias, "ledger", where, expected=f"request {record.request}", found=release.request)
        report.differing(alias, "ledger", where, record.locks, release.locks)

    def _check_lock(self, alias: Alias, platform: str, wanted: str, environment: Environment) -> None:
        where = environment.where(f"{platform}-lock.yml")
        lock = self.report.tried(
            lambda: environment.lock(platform), alias, "lock", where, expected=f"lock {wanted}", platform=platform
        )
        if lock is not None and lock.id != wanted:
            self.report.broken(
                alias, "lock", where, platform=platform, expected=f"lock {wanted}", found=f"lock {lock.id}"
            )

    def _check_replica(self, alias: Alias, record: TagRecord, tag: TagObject) -> None:
        report = self.report
        key = keys.tag_key(alias)
        before = len(report.findings)
        found = self.replica(alias, key, "replica")
        if found is None:
            shared = self.refs.there is None or _bare(alias) in self.refs.there
            if len(report.findings) == before and shared:
                report.broken(
                    alias, "replica", key, expected=f"a replica in {self.store.url}", found="none",
                    hint=f"`envtag publish {alias.name}` writes it",
                )  # fmt: skip
            return
        for what, told, wanted in (("commit", found.commit, tag.commit), ("request", found.request, record.request)):
            if told != wanted:
                report.broken(alias, "replica", key, expected=f"{what} {wanted}", found=told)
        report.differing(alias, "replica", f"locks of {key}", record.locks, found.locks)
        report.differing(alias, "replica", f"manifests of {key}", record.manifests, found.manifests)


def _bare(alias: Alias) -> Alias:
    """An alias without its digest, as refs know it."""
    return alias._replace(digest="") if alias.digest else alias
