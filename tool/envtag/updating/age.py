"""How old packages must be that an update brings: as it is told, and as the registry's policy demands."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from envtag.policy import Exemption, parse_policy

if TYPE_CHECKING:
    from envtag.registry import Registry
    from envtag.updating.environment import Wanted

_RULE = "policy-age"


def bounded(
    wanted: Wanted, name: str, *, days: int | None, exempt: Iterable[str], registry: Registry, now: float | None = None
) -> Wanted:
    """What is wanted, with the cutoff that ages come to; it holds for all that comes in, wanted or along with it.

    Args:
        wanted: As it was asked for.
        name: The environment, for the policy's limits and exemptions.
        days: How many days ago packages must have been published; None for what the policy says.
        exempt: Names of packages for which that does not hold.
        registry: Whose policy it is.
        now: Seconds since 1970; the clock's if None.

    Raises:
        FatalError: The policy is malformed.
    """
    moment = datetime.fromtimestamp(time.time() if now is None else now, timezone.utc)
    names = {_normalized(text) for text in exempt} | {text.lower() for text in exempt}
    if days is None:
        policy = parse_policy(registry.settings.policy, "pyproject.toml")
        days = policy.limits_of(name).minimum_age
        names |= {
            item.package
            for item in policy.exemptions
            if item.package and item.covers(_RULE, name, item.package) and moment.date() <= item.expires
        }
        if _is_let_off(policy.exemptions, name, moment.date()):
            days = 0
    if not days:
        return replace(wanted, exempt=frozenset(names))
    cutoff = (moment - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    earlier = min(text for text in (wanted.cutoff, cutoff) if text)
    return replace(wanted, cutoff=earlier, exempt=frozenset(names))


def _is_let_off(exemptions: Iterable[Exemption], name: str, today: date) -> bool:
    """Whether the whole environment is exempt."""
    return any(item.covers(_RULE, name, "") and today <= item.expires for item in exemptions)


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
