"""TOML in, for the Pythons that do not have it."""

from __future__ import annotations

import sys
from typing import Any

from envtag.errors import FatalError

#: More than any project or resolution has by far.
LIMIT = 16_000_000


def basic_string(text: str) -> str:
    """A text as a basic string of TOML, in its quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(letter if letter.isprintable() else f"\\U{ord(letter):08x}" for letter in escaped) + '"'


def loads(text: str, where: str) -> dict[str, Any]:
    """Parse TOML.

    Raises:
        FatalError: It is not TOML; names `where`, line and column.
    """
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    if len(text) > LIMIT:
        raise FatalError(f"{where}: {len(text)} characters are too many", f"{LIMIT} are read")
    try:
        document: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FatalError(f"{where}: not TOML: {error}") from error
    except RecursionError as error:
        raise FatalError(f"{where}: not TOML that can be read: it is nested too deeply") from error
    return document
