"""Whether a lock has what the program that runs a step needs in every environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envtag.lock import Lock


def missing_needs(lock: Lock, needs: Mapping[str, str]) -> dict[str, str]:
    """What of some PyPI packages a lock lacks; conda packages are known by the same names.

    Args:
        lock: Any lock.
        needs: Normalized name to a constraint on its version; an older one that is locked is left as it is.
    """
    there = {package.name for package in lock.packages}
    return {name: version for name, version in sorted(needs.items()) if name not in there}
