"""What happened to an environment's tags: releases and moves of pointers, by whom, and who reviewed them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.ledger import Ledger
from envtag.registry.environment import ENVIRONMENTS, LEDGER_FILE
from envtag.signatures import signed_by

if TYPE_CHECKING:
    from envtag.git import Commit
    from envtag.registry import Registry

_PULL = re.compile(r"^Merge (?:pull request|PR) #(\d+)|\(#(\d+)\)$|^See merge request \S*!(\d+)$", re.MULTILINE)
_REVIEWED = ("Reviewed-by", "Approved-by", "Acked-by")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One release, or one move of a pointer.

    Attributes:
        kind: `released`, `pointed`, or `unpointed`.
        tag: The tag or pointer.
        before: The release that a pointer named before; empty for none.
        after: The release that it names now; empty for none.
        commit: The commit that wrote it into the ledger.
        author: `Name <mail>` of that commit.
        date: When it was written, `YYYY-MM-DDTHH:MM:SSZ`.
        merged: The commit that brought it to the branch, where that is another one.
        pull_request: Number of the pull request, 0 where git does not say.
        reviewers: Who reviewed it, as trailers of the commits say.
        published: When the git tag of a release was made, empty where there is none here.
        signed_by: Who signed that tag, as far as is known.
    """

    kind: str
    tag: str
    before: str = ""
    after: str = ""
    commit: str
    author: str
    date: str
    merged: str = ""
    pull_request: int = 0
    reviewers: tuple[str, ...] = ()
    published: str = ""
    signed_by: str = ""


def chronicle(name: str, registry: Registry) -> list[Event]:
    """What happened to the tags of an environment up to now, the newest first; what is not committed is left out.

    Args:
        name: An environment.
        registry: Where it is.
    """
    git, path = registry.git, f"{ENVIRONMENTS}/{name}/{LEDGER_FILE}"
    branch = registry.open_branch(name)
    head = (branch.head() if branch is not None else None) or registry.head()
    events: list[Event] = []
    for commit in git.log(path, head):
        changed = list(_changes(_ledger(registry, f"{commit.sha}^", path), _ledger(registry, commit.sha, path), commit))
        if changed:
            merged, number, reviewers = _review(registry, commit.sha, head)
            events += [
                replace(event, merged=merged, pull_request=number, reviewers=reviewers) for event in reversed(changed)
            ]
    return [_published(name, event, registry) for event in events]


def _ledger(registry: Registry, revision: str, path: str) -> Ledger:
    """The ledger at a revision; empty where there is none, or none that can be read."""
    data = registry.git.read(revision, path)
    try:
        return Ledger.parse(data, path) if data is not None else Ledger()
    except FatalError:  # an earlier format, or half merged: what came of it is in the next one
        return Ledger()


def _changes(old: Ledger, new: Ledger, commit: Commit) -> Iterator[Event]:
    plain = Event(kind="released", tag="", commit=commit.sha, author=commit.author, date=commit.date)
    for release in new.releases:
        if old.release(release.tag) is None:
            yield replace(plain, tag=release.tag)
    for pointer in sorted({*old.pointers, *new.pointers}):
        before, after = old.pointers.get(pointer, ""), new.pointers.get(pointer, "")
        if before != after:
            yield replace(plain, kind="pointed" if after else "unpointed", tag=pointer, before=before, after=after)


def _review(registry: Registry, sha: str, head: str) -> tuple[str, int, tuple[str, ...]]:
    """The merge that brought a commit, its pull request's number, and who reviewed it, where git says so."""
    git = registry.git
    path = git.run("rev-list", "--ancestry-path", "--merges", "--first-parent", "--reverse", f"{sha}..{head}")
    merges = [found for found in path.text().split() if not git.is_ancestor(sha, f"{found}^1")]
    merged = merges[0] if merges else ""
    number, reviewers = 0, dict[str, None]()
    for commit in filter(None, (merged, sha)):
        message = git.run("log", "-1", "--format=%B", commit, check=f"cannot read {commit}").text()
        found = _PULL.search(message)
        if found is not None and not number:
            number = int(next(digits for digits in found.groups() if digits))
        for line in message.splitlines():
            key, _, who = line.partition(":")
            if key in _REVIEWED and who.strip():
                reviewers[who.strip()] = None
    return merged, number, tuple(reviewers)


def _published(name: str, event: Event, registry: Registry) -> Event:
    """With what the git tag of a release says, where that is here."""
    if event.kind != "released":
        return event
    from envtag.names import Alias

    tag = registry.git.tag(Alias(name=name, tag=event.tag).ref)
    if tag is None:
        return event
    signer = signed_by(tag, registry.git, registry.default_branch(), registry.signers)
    return replace(event, published=tag.date, signed_by=signer)
