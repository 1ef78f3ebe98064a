"""At deploy: the store is given what pods need, and the commands are made that use it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.pods import command, runtime

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.output import Output
    from envtag.store import Store

#: Stands in a command for Metaflow's own one, which only Metaflow knows.
DEFAULT = "@DEFAULT@"


def deployed(platforms: Iterable[str], store: Store, *, config: Config, output: Output) -> dict[str, str]:
    """The commands of pods: `prelude` with `DEFAULT` in it, `short`, and `hydration` without what differs by step.

    Args:
        platforms: The platforms of the nodes that run steps.
        store: Where pods look.
        config: The client's settings.
        output: Where progress is told.

    Raises:
        FatalError: Pods cannot reach such a store, or it cannot be given what they need.
    """
    if store.url.startswith("file:"):
        raise FatalError(
            f"steps on other machines cannot reach `{store.url}`, a directory of this one",
            "let `store` in the registry's `pyproject.toml`, or ENVTAG_STORE, name a bucket, and publish to it",
        )
    made = runtime.publish(platforms, store, config=config, output=output)
    bundle = next(iter(made.values())).bundle
    return {
        "prelude": command.prelude(store.url, bundle, DEFAULT),
        "short": command.short_prelude(store.url, bundle),
        "hydration": command.hydration(store.url, {platform: item.digest for platform, item in made.items()}),
    }
