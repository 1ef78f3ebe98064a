"""From what a person names to what is locked: alias, digest or full id, on one platform, every link checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from envtag import trust
from envtag.errors import FatalError
from envtag.found import Found, InRegistry, no_platform
from envtag.names import Alias, FullId, Pathspec, Reference, parse_reference, substitute
from envtag.registry.holding import names_holding
from envtag.signatures import refuse_unsigned

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.record import TagRecord
    from envtag.registry import Registry

__all__ = ["Found", "InRegistry", "check_digest", "find", "no_platform", "parse"]


def find(text: str, registry: Registry, config: Config, environ: Mapping[str, str]) -> InRegistry:
    """Look an environment up by anything that names one.

    Args:
        text: `name[:tag][@sha256:…]` or `REQUEST:LOCK`; `@{VAR}` is substituted from `environ`.
        registry: Where to look.
        config: The client's settings; its memory of tags is compared and extended.
        environ: Variables for `@{VAR}`.

    Raises:
        FatalError: There is no such environment, it is malformed, or one link of its chain does not hold.
    """
    reference = parse(text, environ)
    if isinstance(reference, FullId):
        return _by_id(reference, registry, config)
    return _by_alias(reference, registry, config)


def parse(text: str, environ: Mapping[str, str]) -> Alias | FullId:
    """What names an environment, with `@{VAR}` substituted.

    Raises:
        FatalError: It is malformed, or names something else.
    """
    reference: Reference = parse_reference(substitute(text, environ))
    if isinstance(reference, Pathspec):
        raise FatalError(
            f"`{text}` is the pathspec of a Metaflow step, which a registry does not hold",
            "name an alias (`name:tag`) or a full id (`REQUEST:LOCK`)",
        )
    if isinstance(reference, Alias) and reference.tag == "latest" and reference.digest:
        raise FatalError(f"`{reference}`: a digest goes with an immutable tag, and `latest` is not one")
    return reference


def check_digest(alias: Alias, record: TagRecord) -> None:
    """Hold a release to the digest that it was asked for by, if any: that of its record, or of one of its manifests.

    Raises:
        FatalError: It is another one.
    """
    if alias.digest and alias.digest.removeprefix("sha256:") not in {
        *record.manifests.values(),
        record.digest.removeprefix("sha256:"),
    }:
        raise FatalError(
            f"`{alias.name}:{alias.tag}` is not {alias.digest}",
            f"it was released as {record.digest}; either the digest is of another environment or the tag moved",
        )


def _by_alias(alias: Alias, registry: Registry, config: Config) -> InRegistry:
    if alias.tag == "latest":
        return _latest(alias, registry, config)
    if alias.mutable:
        environment = registry.environment(alias.name)
        target = environment.ledger.pointers.get(alias.tag)
        if target is None:
            raise FatalError(
                f"`{alias.name}` has no `{alias.tag}`",
                f"point it at a release: `envtag alias {alias.name}:TAG {alias}`",
            )
        pointed = _by_alias(Alias(name=alias.name, tag=target, digest=alias.digest), registry, config)
        return pointed._replace(alias=alias)
    return _immutable(alias, registry, config)


def _latest(alias: Alias, registry: Registry, config: Config) -> InRegistry:
    """What `latest` is; where releases must be signed and nobody reviews it, it must be a release."""
    found = _untagged(alias, registry, config)
    if registry.open_branch(alias.name) is None or not registry.signing_rule(fresh=True).required:
        return found
    environment = found.environment
    locks = environment.lock_ids()
    for release in reversed(environment.ledger.releases):
        if dict(release.locks) == locks:
            return _immutable(Alias(name=alias.name, tag=release.tag), registry, config)._replace(alias=alias)
    raise FatalError(
        f"`{alias}` must be signed: its namespace is open, and what it is now is not a release",
        f"release it: `envtag resolve … --alias {alias.name}:TAG`, then `envtag publish {alias.name}`",
    )


def _immutable(alias: Alias, registry: Registry, config: Config) -> InRegistry:
    registry.git.prepare()
    memory = config.directories.known_tags
    identity = registry.identity
    known = trust.checked_tag(memory, identity, alias)
    released = registry.released(alias, known, trust.checked_signers(memory, identity, alias))
    if released is None:
        return _unreleased(alias, registry, config)
    record = released.record
    check_digest(alias, record)
    if config.store:  # what it said of this tag when there was no git in reach
        trust.check(memory, config.store, alias, record.locks)
    trust.remember(memory, identity, alias, record.locks, released.tag.sha, released.signers)
    return InRegistry(
        alias=alias,
        environment=released.environment,
        registry=registry,
        directories=config.directories,
        released=released,
    )


def _unreleased(alias: Alias, registry: Registry, config: Config) -> InRegistry:
    """A tag that the ledger holds but that is not published: readable while the locks are still its own."""
    environment = registry.environment(alias.name)
    release = environment.ledger.release(alias.tag)
    known = [*(item.tag for item in environment.ledger.releases), "latest"]
    if release is None:
        raise FatalError(f"`{alias.name}` has no tag `{alias.tag}`", f"it has {', '.join(f'`{tag}`' for tag in known)}")
    # Who works on it in a work tree tries it before it is signed; nobody else may take it so.
    if registry.worktree is None or registry.open_branch(alias.name) is not None:
        refuse_unsigned(alias, registry.signing_rule(fresh=True))
    if alias.digest:
        raise FatalError(
            f"`{alias.name}:{alias.tag}` is not published, so that it has no digest to compare with {alias.digest}",
            f"publish it first: `envtag publish {alias.name}`",
        )
    locks = environment.lock_ids()
    if locks != dict(release.locks):
        raise FatalError(
            f"`{alias}` is in the ledger but was never published, and its locks have changed since",
            f"publish it from a commit that holds them: `envtag publish {alias.name}`",
        )
    return _untagged(alias, registry, config)


def _untagged(alias: Alias, registry: Registry, config: Config) -> InRegistry:
    return InRegistry(
        alias=alias, environment=registry.environment(alias.name), registry=registry, directories=config.directories
    )


def _by_id(wanted: FullId, registry: Registry, config: Config) -> InRegistry:
    for name in names_holding(registry, wanted.lock):
        environment = registry.environment(name)
        for release in environment.ledger.releases:
            if release.request == wanted.request and wanted.lock in release.locks.values():
                return _by_alias(Alias(name=name, tag=release.tag), registry, config)
        for platform in environment.platforms:
            lock = environment.lock(platform)
            if (lock.request, lock.id) == (wanted.request, wanted.lock):
                return _untagged(Alias(name=name), registry, config)
    raise FatalError(
        f"no environment of `{registry.location}` has the id `{wanted.request}:{wanted.lock}`",
        "`envtag list` shows what there is",
    )
