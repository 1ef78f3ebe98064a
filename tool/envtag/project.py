"""Where in a `pyproject.toml` a registry's settings are, for who asks no more than whether they are there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from envtag.errors import FatalError
from envtag.util.toml import loads


def registry_table(text: str, where: str) -> Mapping[str, Any] | None:
    """The table `[tool.envtag]` of a `pyproject.toml`; None where there is none.

    Args:
        text: Content of the whole file.
        where: Its path, for errors.

    Raises:
        FatalError: It is not TOML, or `tool.envtag` is not a table.
    """
    tool = loads(text, where).get("tool", {})
    found = tool.get("envtag") if isinstance(tool, dict) else None
    if found is not None and not isinstance(found, dict):
        raise FatalError(f"{where}: `tool.envtag` is not a table", "write its keys below `[tool.envtag]`")
    return found
