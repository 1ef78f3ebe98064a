"""The registry's policy at publication, for what nobody reviews: environments of open namespaces."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from envtag.authoring import draft
from envtag.errors import FatalError
from envtag.policy import parse_policy, violations
from envtag.registry.model import PROJECT_FILE
from envtag.settings import RegistrySettings
from envtag.spec_files import SpecFiles

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.registry import Environment, Registry


def hold_to_policy(environment: Environment, registry: Registry, merged: str | None, config: Config) -> None:
    """Hold an environment of an open namespace to the policy of the default branch, as `check` does before a merge.

    Args:
        environment: The environment.
        registry: The registry.
        merged: The head of its default branch; None for no policy.
        config: The client's settings.

    Raises:
        FatalError: The policy has something against it, or cannot be read.
    """
    where = f"{PROJECT_FILE} at {merged[:12]}" if merged is not None else PROJECT_FILE
    data = registry.git.read(merged, PROJECT_FILE) if merged is not None else None
    table = RegistrySettings.read(data or b"", where).policy
    if not table:
        return
    policy = parse_policy(table, where)
    now = time.time()
    today = datetime.fromtimestamp(now, timezone.utc).date()
    locks = {platform: environment.lock(platform) for platform in environment.platforms}
    files = SpecFiles(specs=environment.settings.spec, files=environment.spec_files())
    request = draft(environment.settings, files, registry, config).request
    found = [
        item
        for item in violations(policy.limits_of(environment.name), locks, request, now=int(now * 1000))
        if not policy.exemption(item.rule, environment.name, item.package, today)[1]
    ]
    if found:
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        raise FatalError(
            f"the policy refuses `{environment.name}`: {found[0].message}{more}",
            found[0].hint,
            "\n".join(f"{item.rule}: {item.message}" for item in found),
        )
