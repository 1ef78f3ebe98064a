"""Rules about git tags: each says what its release line says, is where it was, and stands for a line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.names import MUTABLE_TAGS, Alias
from envtag.registry.environment import LEDGER_FILE, Environment, RevisionFiles
from envtag.registry.release import check_ledger, check_record

if TYPE_CHECKING:
    from envtag.checking.context import Context
    from envtag.checking.subject import Subject
    from envtag.checking.tags import Tag
    from envtag.findings import Finding
    from envtag.git import TagObject
    from envtag.record import TagRecord

_TELL = "tell the registry's owners: a published tag never moves; and see who can move tags on the server"
_LOCK_ID = re.compile(rb"^    envtag-lock: '?([0-9a-f]{40})'?$", re.MULTILINE)


def findings(subject: Subject, context: Context) -> Iterator[Finding]:
    """What is wrong with the git tags of an environment."""
    for tag in context.tags.of(subject.name).values():
        alias = _alias(subject.name, tag.tag)
        if alias is None or alias.mutable:
            why = "moves and has no git tag" if tag.tag in MUTABLE_TAGS else "is no tag that can be released"
            message = f"there is a git tag `{subject.name}@{tag.tag}`, and `{tag.tag}` {why}"
            yield _stray(subject, message)
            continue
        if tag.here and tag.there and tag.here != tag.there:
            message = f"`{alias}` is tag {tag.here[:12]} here and {tag.there[:12]} on `{context.registry.remote}`"
            yield _at_line(subject, "tag-moved", alias, message, _TELL)
        yield from _one(subject, alias, tag, context)


def _one(subject: Subject, alias: Alias, tag: Tag, context: Context) -> Iterator[Finding]:
    git = context.registry.git
    try:
        found = git.tag(tag.there or tag.here)
        record = check_record(alias, found) if found is not None else None
    except FatalError as error:
        yield _at_line(subject, "tag-matches-ledger", alias, error.message, error.hint)
        return
    if found is None or record is None:
        return
    ledgers = (subject.ledger, subject.released)
    lines = [release for ledger in ledgers if ledger is not None and (release := ledger.release(alias.tag))]
    if not lines and None not in (ledgers[:1] if subject.now is not None else ()):
        message = f"there is a git tag of `{alias}` (by {found.tagger}), and no release line of it"
        yield _stray(subject, message)
        return
    if lines and (record.request, dict(record.locks)) != (lines[0].request, dict(lines[0].locks)):
        message = f"the release line of `{alias}` is not what its git tag was published with"
        hint = "put the line back as it was, or release this content under a new tag"
        yield _at_line(subject, "tag-matches-ledger", alias, message, hint)
    yield from _commit(subject, alias, tag, (found, record), context)


def _commit(
    subject: Subject, alias: Alias, tag: Tag, told: tuple[TagObject, TagRecord], context: Context
) -> Iterator[Finding]:
    """A tag is on a merged commit that holds what its record says; one that was moved seldom is."""
    found, record = told
    if not tag.merged:
        message = f"`{alias}` is on commit {found.commit[:12]}, which is not on {context.place}"
        yield _at_line(subject, "tag-moved", alias, message, _TELL)
        return
    git = context.registry.git
    environment = Environment(
        name=subject.name,
        revision=found.commit,
        platforms=tuple(record.locks),
        files=RevisionFiles(git, found.commit),
    )
    try:
        _check_content(alias, record, environment, _line(subject, alias.tag))
    except FatalError as error:
        yield _at_line(subject, "tag-moved", alias, error.message, _TELL)


def _check_content(alias: Alias, record: TagRecord, environment: Environment, line: bytes) -> None:
    """Hold a record to what is at the tag's commit.

    Args:
        alias: The tag.
        record: What it says.
        environment: Its environment at its commit.
        line: The release line of now, which was compared already: the same one at the commit need not be parsed.

    Raises:
        FatalError: It is something else.
    """
    commit = environment.revision[:12]
    ledger = environment.files.read(f"{environment.directory}/{LEDGER_FILE}") or b""
    if not line or line not in ledger:
        check_ledger(alias, record, environment)
    for platform, lock in sorted(record.locks.items()):
        if _lock_id(environment, platform) != lock:
            raise FatalError(f"`{alias}` is on commit {commit}, whose lock for {platform} is another one")


def _lock_id(environment: Environment, platform: str) -> str:
    """The id that a lock states; who uses a lock compares it with the packages."""
    found = _LOCK_ID.search(environment.files.read(f"{environment.directory}/{platform}-lock.yml") or b"")
    return found[1].decode() if found is not None else ""


def _line(subject: Subject, tag: str) -> bytes:
    """The release line of a tag with the line breaks around it; empty for none."""
    number = subject.release_line(tag)
    lines = subject.raw[LEDGER_FILE].split(b"\n") if number else []
    return b"\n%s\n" % lines[number - 1] if 1 < number < len(lines) else b""


def _alias(name: str, tag: str) -> Alias | None:
    try:
        return Alias(name=name, tag=tag)
    except FatalError:
        return None


def _stray(subject: Subject, message: str) -> Finding:
    hint = "nothing reads it: release with `envtag resolve` or `envtag alias`, and have CI create the tags"
    return subject.finding("tag-unreleased", message, hint, file=LEDGER_FILE, severity="warning")


def _at_line(subject: Subject, rule: str, alias: Alias, message: str, hint: str) -> Finding:
    return subject.finding(rule, message, hint, file=LEDGER_FILE, line=subject.release_line(alias.tag))
