"""What a publication did, or would do: the one report that people and programs are told from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from envtag.errors import FatalError


class Waiting(NamedTuple):
    """A source that only a machine of its platform can build.

    Attributes:
        environment: Name of the environment.
        platform: The platform that it is built on.
        name: Name of the package.
        version: Its version.
    """

    environment: str
    platform: str
    name: str
    version: str

    def __str__(self) -> str:
        return (
            f"`{self.environment}` waits for a runner of {self.platform} to build {self.name} {self.version}: "
            f"`envtag publish --platform {self.platform} {self.environment}` there"
        )


class Failure(NamedTuple):
    """An environment that could not be published, and why."""

    environment: str
    error: FatalError


@dataclass(slots=True)
class Report:
    """What one run did; what it would do, for a dry run.

    Attributes:
        dry_run: Nothing was changed.
        uploaded: Packages that were new to the store.
        reused: Packages that were there already.
        bytes: Bytes of the new ones.
        seconds: How long the run took.
        built: File names of the wheels that this run built.
        waiting: What is left to runners of other platforms.
        tags: Aliases whose git tag this run created.
        kept: Aliases whose git tag was there already with the same content.
        pushed: Aliases whose git tag this run created on the remote.
        failed: Environments that could not be published.
        seen: SHA-256 of every package that is in the store for certain, each counted once.
    """

    dry_run: bool = False
    uploaded: int = 0
    reused: int = 0
    bytes: int = 0
    seconds: float = 0.0
    built: list[str] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    pushed: list[str] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def count(self, sha256: str, stored: int | None) -> None:
        """Count a package that is in the store now.

        Args:
            sha256: Its hash.
            stored: Its size if it was new to the store; None if it was there.
        """
        self.seen.add(sha256)
        if stored is None:
            self.reused += 1
        else:
            self.uploaded += 1
            self.bytes += stored

    def waits(self, item: Waiting) -> None:
        """Note a build that waits for another runner, once."""
        if item not in self.waiting:
            self.waiting.append(item)

    def to_json(self, environments: list[str]) -> dict[str, Any]:
        """The report for programs.

        Args:
            environments: The environments that the run was about.
        """
        return {
            "environments": environments,
            "dry_run": self.dry_run,
            "uploaded": self.uploaded,
            "reused": self.reused,
            "bytes": self.bytes,
            "seconds": round(self.seconds, 3),
            "built": self.built,
            "waiting": [item._asdict() for item in self.waiting],
            "tags": self.tags,
            "kept": self.kept,
            "pushed": self.pushed,
            "failed": [
                {"environment": name, "error": error.message, "hint": error.hint} for name, error in self.failed
            ],
        }
