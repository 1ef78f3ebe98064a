"""The rule about the store: its replica of a published tag says what the tag says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.names import Alias
from envtag.record import TagRecord
from envtag.registry.environment import LEDGER_FILE
from envtag.replicas import check_agreement, read_replica

if TYPE_CHECKING:
    from envtag.checking.context import Context
    from envtag.checking.subject import Subject
    from envtag.findings import Finding
    from envtag.store import Store


def findings(subject: Subject, context: Context) -> Iterator[Finding]:
    """What is wrong with the replicas of an environment; nothing where no store was named."""
    if context.store is None:
        return
    released = [release.tag for release in subject.ledger.releases] if subject.ledger is not None else []
    for name in released:
        yield from _one(subject, Alias(name=subject.name, tag=name), context.store, context)


def _one(subject: Subject, alias: Alias, store: Store, context: Context) -> Iterator[Finding]:
    line = subject.release_line(alias.tag)
    try:
        replica = read_replica(store, alias)
        tag = context.tags.of(subject.name).get(alias.tag)
        found = context.registry.git.tag(tag.there or tag.here) if tag is not None else None
        if replica is not None and found is not None:
            check_agreement(replica, found.commit, TagRecord.parse(found.message, alias.ref), store.url)
    except FatalError as error:
        yield subject.finding("replica-matches-tag", error.message, error.hint, file=LEDGER_FILE, line=line)
        return
    if replica is None or found is not None or subject.ledger is None:
        return
    release = subject.ledger.release(alias.tag)
    if release is not None and dict(replica.locks) != dict(release.locks):
        message = f"{store.url} holds `{alias}` with other locks than its release line"
        hint = "it was published before: take another tag"
        yield subject.finding("replica-matches-tag", message, hint, file=LEDGER_FILE, line=line)
