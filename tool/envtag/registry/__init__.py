"""What a repository holds of environments, at any revision: the registry."""

from __future__ import annotations

from envtag.registry.environment import Environment
from envtag.registry.find import find_registry, open_registry
from envtag.registry.model import Registry
from envtag.registry.release import ReleasedTag

__all__ = ["Environment", "Registry", "ReleasedTag", "find_registry", "open_registry"]
