"""What the environments of a flow's steps are called, where the flow as a whole is given an alias."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from envtag.names import Alias, parse_alias


def names_of(steps: Mapping[str, str], aliases: Sequence[str]) -> dict[str, tuple[Alias, ...]]:
    """Full id to its aliases: those that are given, or `NAME/STEP:TAG` each where steps run in several environments.

    Args:
        steps: Step to the full id of what it runs in.
        aliases: `NAME[:TAG]` each.

    Raises:
        FatalError: An alias is malformed, or with a step it is.
    """
    wanted = tuple(dict.fromkeys(parse_alias(text) for text in aliases))
    if len(set(steps.values())) == 1:
        return {next(iter(steps.values())): wanted}
    found: dict[str, tuple[Alias, ...]] = {}
    for step, full_id in steps.items():
        named = tuple(parse_alias(f"{alias.name}/{step.lower()}:{alias.tag}") for alias in wanted)
        found[full_id] = (*found.get(full_id, ()), *named)
    return found
