"""What is handed to other tools: an environment's locks, and the document that they become."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from envtag.errors import FatalError

if TYPE_CHECKING:
    from envtag.lock import Lock
    from envtag.package import Package


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An environment to export.

    Attributes:
        name: What it was asked for as (`mlp/team/base:v5`).
        locks: Sorted by platform, at least one.
        direct: Names of PyPI packages that were asked for by their URL, which no index may have.
    """

    name: str
    locks: tuple[Lock, ...]
    direct: frozenset[str] = frozenset()

    @property
    def only(self) -> Lock:
        """The lock, for documents that are of one platform."""
        if len(self.locks) != 1:
            raise ValueError("a document of one platform is made of one lock")
        return self.locks[0]

    @property
    def interpreter(self) -> str:
        """Where Python comes from."""
        return self.locks[0].interpreter

    @property
    def plain_name(self) -> str:
        """The last part of the name, without the tag."""
        return self.name.partition("@")[0].rpartition(":")[0].rpartition("/")[2] or "environment"

    def packages(self, manager: str) -> list[Package]:
        """The packages of one world on any platform, each once."""
        return list(dict.fromkeys(package for lock in self.locks for package in lock.by_manager(manager)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A document for another tool.

    Attributes:
        text: The document, with a final newline.
        notes: What the format cannot hold of the environment, and what to know when it is used.
    """

    text: str
    notes: tuple[str, ...] = ()


class Exporter(Protocol):
    """What a module that writes a format offers."""

    #: Whether one document can be of several platforms.
    SEVERAL: bool

    def export(self, subject: Subject) -> Exported:
        """Write an environment down; the same locks give the same text for ever.

        Raises:
            FatalError: The format cannot hold it.
        """


def refuse_without(subject: Subject, manager: str, what: str, hint: str) -> None:
    """Refuse an environment that has nothing of a world.

    Raises:
        FatalError: It has none.
    """
    if not subject.packages(manager):
        world = "conda" if manager == "conda" else "PyPI"
        raise FatalError(f"`{subject.name}` has no {world} packages, and {what} holds no others", hint)


def count(packages: Sequence[Package], world: str) -> str:
    """A number of packages, in words."""
    return f"{len(packages)} {world} package{'s' if len(packages) != 1 else ''}"
