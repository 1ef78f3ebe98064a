"""The file that says that a prefix is whole, and of what: written last, before the prefix gets its name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from envtag.util.canonical import canonical_json

if TYPE_CHECKING:
    from envtag.config import Config

#: Not below `conda-meta`: conda and conda-pack take every `*.json` there for the record of a package.
MARKER = Path(".envtag.json")
_VERSION = 1


class Marker(NamedTuple):
    """What a finished prefix was made from.

    Attributes:
        lock: Its lock id.
        request: Its request id.
        platform: The platform it is for.
        interpreter: Where its Python is from: `conda` or `uv`.
        python: The exact version of Python in it (`3.11.7`), empty without one.
    """

    lock: str
    request: str
    platform: str
    interpreter: str
    python: str


class Installed(NamedTuple):
    """A whole environment on this machine: its path, and what it was made from."""

    path: Path
    marker: Marker


def write(prefix: Path, marker: Marker) -> None:
    """Mark a prefix as whole."""
    (prefix / MARKER).write_bytes(canonical_json({"version": _VERSION, **marker._asdict()}) + b"\n")


def read(prefix: Path) -> Marker | None:
    """What a prefix was made from; None if it is not there, not whole, or was not made by envtag."""
    try:
        document = json.loads((prefix / MARKER).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    if (
        not isinstance(document, dict)
        or document.pop("version", None) != _VERSION
        or set(document) != set(Marker._fields)
    ):
        return None
    return Marker(**document)


def is_whole(prefix: Path, lock: str) -> bool:
    """Whether a prefix is finished and was made from the lock with this id."""
    marker = read(prefix)
    return marker is not None and marker.lock == lock


def environment_path(config: Config, lock: str) -> Path:
    """Where the environment of a lock id lies on this machine, made or not."""
    return config.directories.environments / lock


def installed(config: Config) -> list[Installed]:
    """Every whole environment under the client's own roots, sorted by path."""
    found = []
    for root in (config.directories.environments, config.directories.named):
        for path in sorted(root.iterdir()) if root.is_dir() else ():
            marker = None if path.name.startswith(".") else read(path)
            if marker is not None:
                found.append(Installed(path=path, marker=marker))
    return found
