"""Rules about the ledger: what is released stays released, and what is new names what is committed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.ledger import Ledger, Release
from envtag.registry.environment import LEDGER_FILE, RevisionFiles, load_environment

if TYPE_CHECKING:
    from envtag.checking.context import Context
    from envtag.checking.subject import Subject
    from envtag.findings import Finding

_KEEP = "put the line back as it was: a published tag never changes, a new one costs nothing"
_PUBLISH = "publish it first (`envtag publish`), then point at it in a change of its own"


def findings(subject: Subject, context: Context) -> Iterator[Finding]:
    """What is wrong with the ledger of an environment."""
    if subject.released is None or (subject.now is not None and subject.ledger is None):
        return  # what cannot be read was told
    ledger = subject.ledger or Ledger()
    yield from _kept(subject, subject.released, ledger, context)
    yield from _appended(subject, subject.released, ledger)
    if subject.now is not None:
        for release in ledger.releases:
            if subject.released.release(release.tag) != release:
                yield from _matches(subject, release, context)
        yield from _pointers(subject, subject.released, ledger, context)
        yield from _canonical(subject, ledger)


def _kept(subject: Subject, before: Ledger, ledger: Ledger, context: Context) -> Iterator[Finding]:
    for release in before.releases:
        now = ledger.release(release.tag)
        if now == release:
            continue
        published = context.tags.is_published(subject.name, release.tag)
        done = "changes" if now is not None else "removes"
        gone = " with the whole environment" if subject.now is None else ""
        message = f"{done} the release line of `{subject.name}:{release.tag}`{gone}, "
        line = subject.release_line(release.tag)
        if published is None:
            yield subject.finding(
                "ledger-append-only", f"{message}and it is not known whether that tag is published",
                "check where the remote can be asked for its tags", file=LEDGER_FILE, line=line,
            )  # fmt: skip
        elif published:
            yield subject.finding(
                "ledger-append-only", f"{message}which is published", _KEEP, file=LEDGER_FILE, line=line
            )
        else:
            yield subject.finding(
                "ledger-append-only", f"{message}which was never published", file=LEDGER_FILE, line=line,
                severity="note",
            )  # fmt: skip


def _appended(subject: Subject, before: Ledger, ledger: Ledger) -> Iterator[Finding]:
    """The lines that were there are still the first ones, in their order."""
    old = {release.tag for release in before.releases}
    kept = [release.tag for release in before.releases if ledger.release(release.tag) is not None]
    for wanted, release in zip(kept, ledger.releases, strict=False):
        if release.tag != wanted:
            what = "moves" if release.tag in old else "puts a new line before"
            message = f"{what} the release line of `{subject.name}:{wanted if what != 'moves' else release.tag}`"
            line = subject.release_line(release.tag)
            yield subject.finding(
                "ledger-append-only", message, "append new lines at the end", file=LEDGER_FILE, line=line
            )
            return


def _matches(subject: Subject, release: Release, context: Context) -> Iterator[Finding]:
    """A new line names the locks beside it, or those of an earlier commit of the same change."""
    now = {platform: lock.id for platform, lock in subject.locks.items()}
    if subject.now is not None and set(now) != set(subject.now.platforms):
        return  # a lock cannot be read, which was told
    line = subject.release_line(release.tag)
    if now == dict(release.locks):
        for platform, lock in sorted(subject.locks.items()):
            if lock.request != release.request:
                message = f"`{subject.name}:{release.tag}` is of request {release.request}, and its lock for {platform}"
                yield subject.finding(
                    "ledger-matches-locks", f"{message} of {lock.request}", "`envtag lock --alias` writes the line",
                    file=LEDGER_FILE, line=line,
                )  # fmt: skip
        return
    if context.tags.is_published(subject.name, release.tag):
        return  # a line that comes back for a tag that exists; `refs` compares the two
    commit = _commit_of(subject, release.locks, context)
    if commit:
        message = f"`{subject.name}:{release.tag}` releases the locks of commit {commit[:12]}, not the ones of now"
        hint = "keep that commit when it is merged: no squash"
        yield subject.finding("ledger-matches-locks", message, hint, file=LEDGER_FILE, line=line, severity="warning")
        return
    wrong = sorted(name for name in {*now, *release.locks} if now.get(name) != release.locks.get(name))
    message = f"`{subject.name}:{release.tag}` does not release the committed locks for {', '.join(wrong)}"
    hint = "remove the line and release again: `envtag alias` or `envtag lock --alias`"
    yield subject.finding("ledger-matches-locks", message, hint, file=LEDGER_FILE, line=line)


def _commit_of(subject: Subject, locks: Mapping[str, str], context: Context) -> str:
    """The newest commit of the change whose locks are the ones of a release; empty for none."""
    git, base = context.registry.git, context.scope.base
    for commit in git.log(subject.directory, "HEAD", 100):
        if base and git.is_ancestor(commit.sha, base):
            break
        environment = load_environment(subject.name, commit.sha, RevisionFiles(git, commit.sha))
        try:
            if environment is not None and locks == environment.lock_ids():
                return commit.sha
        except FatalError:
            continue
    return ""


def _pointers(subject: Subject, before: Ledger, ledger: Ledger, context: Context) -> Iterator[Finding]:
    for pointer, tag in sorted(ledger.pointers.items()):
        if before.pointers.get(pointer) == tag:
            continue
        published = context.tags.is_published(subject.name, tag)
        line = subject.line(LEDGER_FILE, f"\n  {pointer}:")
        if published is False:
            message = f"`{subject.name}:{pointer}` points at `{tag}`, which is not published"
            yield subject.finding("pointer-released", message, _PUBLISH, file=LEDGER_FILE, line=line + 1)
        elif published is None:
            message = f"`{subject.name}:{pointer}` points at `{tag}`, and it is not known whether that is published"
            yield subject.finding(
                "pointer-released", message, _PUBLISH, file=LEDGER_FILE, line=line + 1, severity="warning"
            )


def _canonical(subject: Subject, ledger: Ledger) -> Iterator[Finding]:
    data = subject.raw.get(LEDGER_FILE)
    if data is not None and data != ledger.to_bytes():
        message = f"`{subject.directory}/{LEDGER_FILE}` is not written as envtag writes it"
        yield subject.finding(
            "ledger-canonical", message, "the next release rewrites it, and comments are lost then",
            file=LEDGER_FILE, severity="warning",
        )  # fmt: skip
