"""Trying to move and delete tags on a remote: on tags of the doctor's own, never on a released one."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envtag.doctoring.rules import well
from envtag.errors import AliasExistsError, FatalError
from envtag.findings import Finding
from envtag.git.repository import NETWORK_SECONDS

if TYPE_CHECKING:
    from envtag.registry import Registry
    from envtag.util.process import Completed

#: One tag at each depth. They have the form of released tags (`NAME@TAG`), so what guards those guards these, but an
#: upper-case letter, so that none of them is ever an alias. Made once: where all is well they cannot be removed.
PROBES = ("refs/tags/envtag-probe@V1", "refs/tags/envtag/probe@V1", "refs/tags/envtag/probe/deep@V1")
_MESSAGE = "Made by `envtag doctor --probe`, which tries to move and delete it\n"
_RULE = "tags-guarded"
_HINT = "`envtag protect --github OWNER/REPO --apply`, or `envtag hook install` on a server of your own"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Move:
    """One attempt: what it is called, and the object that the tag is to be; empty to delete it."""

    name: str
    value: str


def attempt_tags(registry: Registry) -> list[Finding]:
    """Findings about what a remote does when a tag of each depth is moved forward, sideways and backward, and deleted.

    Args:
        registry: The registry; its user must be allowed to push.
    """
    remote = registry.remote
    if remote is None:
        return [_untried("the registry has no remote", "`git remote add origin URL`")]
    return [_tried(registry, remote, ref) for ref in PROBES]


def _tried(registry: Registry, remote: str, ref: str) -> Finding:
    try:
        return _attempt(registry, remote, ref)
    except FatalError as error:
        return _untried(f"`{ref}`: {error.message}", error.hint)


def _attempt(registry: Registry, remote: str, ref: str) -> Finding:
    git = registry.git
    head = _default_head(registry, remote)
    with suppress(AliasExistsError):  # made by an earlier doctor: what there is to try it on
        git.push_create(remote, ref, git.make_tag(ref, head, _MESSAGE))
    before = git.remote_refs(remote, ref).get(ref)
    done: list[str] = []
    for move in _moves(registry, ref, head):
        pushed = git.run(
            "push", "--porcelain", "--no-verify", "--no-follow-tags", "--", remote, f"+{move.value}:{ref}",
            timeout=NETWORK_SECONDS,
        )  # fmt: skip
        now = git.remote_refs(remote, ref).get(ref)
        if now != before:
            done.append(move.name)
            if now is None:
                break
            before = now
        elif not _said_no(pushed):
            raise FatalError("the server did not come to decide", "its words: " + _words(pushed))
    if done:
        message = f"`{remote}` let `{ref}` be {' and '.join(done)}"
        return Finding(rule=_RULE, severity="error", message=message, hint=_HINT)
    return well(_RULE, f"`{remote}` refuses to move or delete `{ref}`")


def _moves(registry: Registry, ref: str, head: str) -> list[_Move]:
    """What is tried, the deletion last: to a commit after the head, to one beside it, to one before it, to nothing."""
    git = registry.git
    tree = f"{head}^{{tree}}"
    message = _MESSAGE.encode()
    what = "cannot make a commit to try tags with"
    after = git.run("commit-tree", tree, "-p", head, stdin=message, check=what).text()
    beside = git.run("commit-tree", tree, stdin=message, check=what).text()
    before = git.commit_of(f"{head}^") or head
    commits = {"moved forward": after, "moved sideways": beside, "moved backward": before}
    tags = [
        _Move(name=name, value=git.make_tag(ref, commit, f"{_MESSAGE}{name}\n")) for name, commit in commits.items()
    ]
    return [*tags, _Move(name="deleted", value="")]


def _default_head(registry: Registry, remote: str) -> str:
    """The commit that the remote's default branch is at, fetched."""
    head = registry.git.fetch_object(remote, "HEAD")
    commit = registry.git.commit_of(head) if head is not None else None
    if commit is None:
        raise FatalError(f"`{remote}` has no commit yet", "push a first one to its default branch")
    return commit


def _said_no(pushed: Completed) -> bool:
    """Whether the server itself refused the ref; without the right to push, it is not even asked."""
    return b"[remote rejected]" in pushed.stdout


def _words(pushed: Completed) -> str:
    return " ".join(pushed.stderr.decode("utf-8", "replace").split())[:300] or "none"


def _untried(why: str, hint: str) -> Finding:
    return Finding(
        rule=_RULE,
        severity="warning",
        message=f"whether tags are guarded cannot be tried: {why}",
        hint=hint or "it takes the right to push",
    )
