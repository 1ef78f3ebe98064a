"""`envtag alias`: point `stable` or `candidate` at a release, as a one-line change to review."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.lookup import find
from envtag.names import parse_alias

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.output import Output
    from envtag.registry import Registry


def alias(source: str, target: str, *, registry: Registry, config: Config, output: Output) -> int:
    """Edit the ledger's line of a pointer.

    Args:
        source: What it shall name: an immutable tag of the same environment, or another pointer of it.
        target: `NAME:stable` or `NAME:candidate`.
        registry: The registry, with a work tree.
        config: The client's settings.
        output: Where it is told.

    Returns:
        0.

    Raises:
        FatalError: The target is not a pointer, or the source is not a release of the same environment.
    """
    pointer = parse_alias(target)
    if pointer.tag not in ("stable", "candidate"):
        why = "moves by merging a change of the environment" if pointer.tag == "latest" else "is immutable"
        raise FatalError(
            f"`{pointer}` is not a pointer: `{pointer.tag}` {why}",
            f"`envtag alias {pointer.name}:v5 {pointer.name}:stable`; new immutable tags come from `envtag resolve`",
        )
    if registry.worktree is None:
        raise FatalError(f"`{registry.location}` has no work tree", "clone it, and edit the clone: `git clone …`")
    found = find(source, registry, config, {})
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
