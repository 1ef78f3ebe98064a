"""`envtag alias`: another name for an environment, as a change to review."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from envtag.adoption import Content, adopt_all, content_of
from envtag.authoring import told_of_change
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
    return alias_all(found, [target], source=source, registry=registry, config=config, output=output)


def alias_all(
    found: Found, targets: Sequence[str], *, source: str, registry: Registry, config: Config, output: Output
) -> int:
    """Give an environment several further names, all in one change, and then point pointers at it; see `alias`."""
    wanted = [parse_alias(target) for target in dict.fromkeys(targets)]
    registry.check_writable([item.name for item in wanted], "clone it, and edit the clone: `git clone …`")
    pointers = [item for item in wanted if item.tag in ("stable", "candidate")]
    names = [item for item in wanted if item not in pointers]
    if names:
        content = content_of(found, source, registry, config)
        changed = adopt_all([(content, names)], registry, output)
        _tell(content, source, names, registry, changed=changed, output=output)
    for pointer in pointers:
        _point(found, pointer, registry, output)
    return 0


def _point(found: Found, pointer: Alias, registry: Registry, output: Output) -> int:
    """Edit the ledger's line of a pointer."""
    if found.alias.name != pointer.name:
        raise FatalError(
            f"`{found.alias}` is another environment than `{pointer.name}`",
            "a pointer names a release of its own environment",
        )
    moved: list[tuple[str, str]] = []

    def written() -> dict[str, bytes | None]:
        environment = registry.environment(pointer.name)
        tag = environment.ledger.pointers.get(found.alias.tag, found.alias.tag)
        if tag == "latest":
            raise FatalError(
                f"`{found.alias}` is not a release, and a pointer names one",
                f"release it first: `envtag resolve … --alias {pointer.name}:v1`",
            )
        moved[:] = [(tag, environment.ledger.pointers.get(pointer.tag) or "")]
        return {f"{environment.directory}/tags.yml": environment.ledger.with_pointer(pointer.tag, tag).to_bytes()}

    changed = registry.change([pointer.name], written)
    ((tag, before),) = moved
    if not changed:
        output.say(f"`{pointer}` is `{pointer.name}:{tag}` already, nothing to do")
        return 0
    output.data(f"{pointer} → {pointer.name}:{tag}" + (f" (was {before})" if before else ""))
    if registry.home([pointer.name]) is not None:
        output.say(f"next: `envtag publish {pointer.name}`")
    else:
        path = f"envs/{pointer.name}/tags.yml"
        output.say(f"next: `git add {path} && git commit`, then open a pull request; reverting it rolls back")
    return 0


def _tell(
    content: Content, source: str, names: Sequence[Alias], registry: Registry, *, changed: bool, output: Output
) -> None:
    listed = ", ".join(f"`{name}`" for name in names)
    if not changed:
        output.say(f"{listed} {'is' if len(names) == 1 else 'are'} `{source}` already, nothing to do")
        return
    for name in names:
        output.data(f"{name} → {content.request}:{next(iter(content.locks.values())).id}")
    wrote, following = told_of_change([name.name for name in names], registry)
    output.say(f"{wrote}, with every package of `{source}`; nothing was solved")
    output.say(f"next: {following}")
