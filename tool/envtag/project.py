"""Where in a `pyproject.toml` a registry's settings are, for who asks no more than whether they are there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from envtag.errors import FatalError


def registry_table(text: str, where: str) -> Mapping[str, Any] | None:
    """The table `[tool.envtag]` of a `pyproject.toml`; None where there is none.

    Args:
        text: Content of the whole file.
        where: Its path, for errors.

    Raises:
        FatalError: It is not TOML, or `tool.envtag` is not a table.
    """
    from envtag.util.toml import loads

    tool = loads(text, where).get("tool", {})
    found = tool.get("envtag") if isinstance(tool, dict) else None
    if found is not None and not isinstance(found, dict):
        raise FatalError(f"{where}: `tool.envtag` is not a table", "write its keys below `[tool.envtag]`")
    return found


def has_registry_table(text: str, where: str) -> bool:
    """Whether a `pyproject.toml` has the table `[tool.envtag]`.

    A line that begins it is enough: what the rest of the file holds is seen when its settings are read.

    Args:
        text: Content of the whole file.
        where: Its path, for errors.

    Raises:
        FatalError: No line begins it, and it is not TOML, or `tool.envtag` is not a table.
    """
    return "[tool.envtag]" in text.splitlines() or registry_table(text, where) is not None
