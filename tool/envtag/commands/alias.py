"""`envtag alias`: another name for an environment, as a change to review."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from envtag.adoption import Content, adopt, content_of
from envtag.errors import FatalError
from envtag.names import Alias, parse_alias

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.found import Found
    from envtag.output import Output
    from envtag.registry import Registry


def alias(found: Found, target: str, *, source: str, registry: Registry, config: Config, output: Output) -> int:
    """Point `stable` or `candidate` at a release, or give an environment a further name, solving nothing.

    Args:
        found: What it shall name. For a pointer: an immutable tag of the same environment, or another pointer of it.
        target: `NAME:stable` or `NAME:candidate`, or any other alias.
        source: What it was asked for as.
        registry: The registry, with a work tree.
        config: The client's settings.
        output: Where it is told.

    Returns:
        0.

    Raises:
        AliasExistsError: An immutable tag is taken by other content.
        FatalError: A pointer's source is not a release of the same environment, or the target cannot be written.
    """
    wanted = parse_alias(target)
    if registry.worktree is None:
        raise FatalError(f"`{registry.location}` has no work tree", "clone it, and edit the clone: `git clone …`")
    if wanted.tag in ("stable", "candidate"):
        return _point(found, wanted, registry, output)
    content = content_of(found, source, registry, config)
    return _name(content, source, wanted, registry, output)


def alias_all(
    found: Found, targets: Sequence[str], *, source: str, registry: Registry, config: Config, output: Output
) -> int:
    """Give an environment several further names; each is legal before the first is written. See `alias`."""
    for target in targets:
        parse_alias(target)
    options = {"source": source, "registry": registry, "config": config, "output": output}
    return max(alias(found, target, **options) for target in targets)  # type: ignore[arg-type]


def _point(found: Found, pointer: Alias, registry: Registry, output: Output) -> int:
    """Edit the ledger's line of a pointer."""
    if found.alias.name != pointer.name:
        raise FatalError(
            f"`{found.alias}` is another environment than `{pointer.name}`",
            "a pointer names a release of its own environment",
        )
    with registry.lock_for_writing():
        environment = registry.environment(pointer.name)
        tag = environment.ledger.pointers.get(found.alias.tag, found.alias.tag)
        if tag == "latest":
            raise FatalError(
                f"`{found.alias}` is not a release, and a pointer names one",
                f"release it first: `envtag resolve … --alias {pointer.name}:v1`",
            )
        ledger = environment.ledger.with_pointer(pointer.tag, tag)
        if ledger == environment.ledger:
            output.say(f"`{pointer}` is `{pointer.name}:{tag}` already, nothing to do")
            return 0
        before = environment.ledger.pointers.get(pointer.tag)
        path = f"{environment.directory}/tags.yml"
        registry.write({path: ledger.to_bytes()})
    output.data(f"{pointer} → {pointer.name}:{tag}" + (f" (was {before})" if before else ""))
    output.say(f"next: `git add {path} && git commit`, then open a pull request; reverting it rolls back")
    return 0


def _name(content: Content, source: str, wanted: Alias, registry: Registry, output: Output) -> int:
    """Write the environment's files under another name."""
    if not adopt(content, wanted, registry, output):
        output.say(f"`{wanted}` is `{source}` already, nothing to do")
        return 0
    path = f"envs/{wanted.name}"
    output.data(f"{wanted} → {content.request}:{next(iter(content.locks.values())).id}")
    output.say(f"wrote {path}, with every package of `{source}`; nothing was solved")
    output.say(f"next: `git add {path} && git commit`, then open a pull request, or `envtag publish {wanted.name}`")
    return 0
