"""What all environments of one check share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from envtag.checking.owners import Owners
    from envtag.checking.scope import Scope
    from envtag.checking.tags import Tags
    from envtag.config import Config
    from envtag.policy import Policy
    from envtag.registry import Registry
    from envtag.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What all environments of one check share.

    Attributes:
        registry: The registry.
        config: The client's settings.
        scope: What is checked, and what it is compared with.
        tags: The git tags of the environments.
        owners: Who owns what.
        policy: The policy from before the change.
        store: Whose replicas are compared; None for none.
        today: The day, for exemptions.
        now: Milliseconds since 1970, for ages.
        place: The branch that the environments live on, for people.
    """

    registry: Registry
    config: Config
    scope: Scope
    tags: Tags
    owners: Owners
    policy: Policy
    store: Store | None
    today: date
    now: int
    place: str = "the default branch"
