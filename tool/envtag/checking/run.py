"""One check: what there is to look at, then every rule on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timezone
from typing import TYPE_CHECKING, TypeAlias

from envtag.checking import files as plain
from envtag.checking import hosts, ledger, locks, naming, opened, owners, policies, refs, replicas, secrets, signing
from envtag.checking.context import Context
from envtag.checking.files import PlainFiles
from envtag.checking.scope import default_branch, scope_of
from envtag.checking.subject import Subject, read_subject
from envtag.checking.tags import read_tags
from envtag.findings import Finding, in_order
from envtag.registry.environment import ENVIRONMENTS

if TYPE_CHECKING:
    from envtag.checking.scope import Scope
    from envtag.config import Config
    from envtag.registry import Registry
    from envtag.store import Store

_Rules: TypeAlias = "Callable[[Subject, Context], Iterable[Finding]]"
#: What is asked of each environment, in this order.
GROUPS: tuple[_Rules, ...] = (
    ledger.findings,
    refs.findings,
    replicas.findings,
    locks.findings,
    secrets.findings,
    hosts.findings,
    policies.findings,
)


def check(
    registry: Registry, *, base: str, whole: bool, store: Store | None, config: Config, now: int
) -> tuple[Finding, ...]:
    """Check a change of a registry: its work tree against where it began.

    Args:
        registry: The registry, with a work tree.
        base: What the change is to be merged into; empty for the default branch.
        whole: Check every environment, not only the ones that differ.
        store: The store whose replicas are compared; None for none.
        config: The client's settings.
        now: Milliseconds since 1970.

    Returns:
        What was found, the worst first.

    Raises:
        FatalError: There is no work tree, or nothing to compare it with.
    """
    scope = scope_of(registry, base, whole=whole)
    files = PlainFiles(scope.worktree)
    policy, found = policies.read_policies(files, scope, registry.git)
    context = Context(
        registry=registry,
        config=config,
        scope=scope,
        tags=read_tags(registry, scope.names, default_branch(registry)),
        owners=owners.read_owners(files),
        policy=policy,
        store=store,
        today=datetime.fromtimestamp(now / 1000, timezone.utc).date(),
        now=now,
    )
    found += [*owners.of_file(context.owners, scope), *signing.findings(files, scope, registry.git), *_unknown(context)]
    neighbours = naming.Neighbours(files)
    for name in scope.names:
        found += _of_one(read_subject(name, files, registry, scope.base), context, neighbours)
    found += _links(scope, {item.path for item in found})
    found += opened.findings(files, scope, registry)
    if whole:
        for branch in registry.open_branches():
            found += opened.on_branch(branch, context, _rules_of_one)
    return in_order(found)


def _of_one(subject: Subject, context: Context, neighbours: naming.Neighbours) -> Iterator[Finding]:
    """What every rule finds in one environment."""
    yield from owners.findings(subject, context.owners)
    yield from _rules_of_one(subject, context, neighbours)


def _rules_of_one(subject: Subject, context: Context, neighbours: naming.Neighbours) -> Iterator[Finding]:
    """What the rules find in one environment that hold wherever it lives."""
    yield from plain.findings(context.scope.worktree, subject.name, list(subject.files.items()))
    yield from naming.findings(subject, context, neighbours)
    for rules in GROUPS:
        yield from rules(subject, context)
    yield from subject.problems  # at the end: rules add to them


def _links(scope: Scope, told: set[str]) -> Iterator[Finding]:
    """Changed paths outside of every environment that are no plain files: a link that is to look like one."""
    for path in scope.paths:
        place = scope.worktree / path
        if path.startswith(f"{ENVIRONMENTS}/") and path not in told and (place.is_symlink() or place.is_dir()):
            yield plain.not_plain(scope.worktree, path)


def _unknown(context: Context) -> Iterator[Finding]:
    if context.tags.problem:
        message = f"what is published is not known: {context.tags.problem}"
        hint = "check again where the remote can be reached"
        yield Finding(rule="tags-unknown", severity="warning", message=message, hint=hint)
