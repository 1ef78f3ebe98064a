"""The words of a pull request that proposes an update: what moved and why, and the whole difference below."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envtag.comparison import One, compared
from envtag.comparison.facts import find
from envtag.diff import markdown
from envtag.errors import FatalError
from envtag.registry.environment import Files, load_environment
from envtag.updating import words
from envtag.util.files import write_atomic

if TYPE_CHECKING:
    from pathlib import Path

    from envtag.config import Config
    from envtag.updating.environment import Updated

RECENT_DAYS = 7
#: Bytes that a body may have; GitHub takes 65,536 characters.
LIMIT = 64_000
_SHARE = 24_000


@dataclass(frozen=True, slots=True)
class ChangedFiles:
    """Files with some of them replaced.

    Attributes:
        files: As they are.
        changed: Path to other bytes, or to None where it is gone.
    """

    files: Files
    changed: Mapping[str, bytes | None]

    def read(self, path: str) -> bytes | None:
        """A file's content, or None where there is no such file."""
        return self.changed[path] if path in self.changed else self.files.read(path)

    def entries(self, directory: str) -> list[str]:
        """The names in a directory, none where there is no such directory."""
        there = set(self.files.entries(directory))
        for path, data in self.changed.items():
            place, _, name = path.rpartition("/")
            if place == directory:
                there = there | {name} if data is not None else there - {name}
        return sorted(there)

    def find(self, name: str, directory: str) -> list[str]:
        """The paths of the files of one name, at any depth below a directory."""
        return self.files.find(name, directory)


def write_body(path: Path, text: str) -> None:
    """Write the words of a pull request.

    Raises:
        FatalError: They cannot be written there.
    """
    try:
        write_atomic(path, text.encode())
    except OSError as error:
        raise FatalError(f"`{path}` cannot be written: {error.strerror}") from error


def body(updated: Updated, config: Config) -> str:
    """The body of a pull request in Markdown.

    Args:
        updated: The update.
        config: The client's settings, whose caches tell what is in archives.
    """
    environment = updated.environment
    files = ChangedFiles(environment.files, updated.files())
    after = load_environment(environment.name, "", files)
    if after is None:
        raise FatalError(f"`{environment.name}` is not there any more", "run it again")
    found = compared(
        One(words=f"{environment.name} as it was", environment=environment),
        One(words="the update", environment=after),
        below="",
        today=int(time.time() * 1000),
        recent_days=RECENT_DAYS,
        find_facts=lambda packages: find(packages, mirrors=config.mirrors, directories=config.directories),
    )
    said = words.markdown(updated).encode()
    if len(said) > _SHARE:
        said = said[:_SHARE].rpartition(b"\n")[0] + b"\n- \xe2\x80\xa6"
    head = f"{said.decode()}\n\n"
    shown = markdown.render(found, limit=LIMIT - len(head.encode()))
    return head + shown.removeprefix(f"{markdown.MARKER}\n")
