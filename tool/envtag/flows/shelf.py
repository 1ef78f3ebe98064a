"""What this machine resolved for steps: manifests by request id, so that nothing is solved twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.found import no_platform
from envtag.manifest import Manifest, parse
from envtag.names import Alias, FullId
from envtag.util.files import write_atomic

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.lock import Lock
    from envtag.record import TagRecord
    from envtag.registry import Environment
    from envtag.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An environment that this machine resolved for steps, which has no name; see `Found`.

    Attributes:
        id: Its full id.
        manifests: Platform to what hydrates it.
    """

    id: FullId
    manifests: Mapping[str, Manifest]

    @property
    def alias(self) -> Alias:
        """See `Found.alias`: what such environments are called where a name must be."""
        return Alias(name="flows/resolved")

    @property
    def platforms(self) -> tuple[str, ...]:
        """See `Found.platforms`."""
        return tuple(sorted(self.manifests))

    @property
    def record(self) -> TagRecord | None:
        """See `Found.record`: no tag leads to it."""
        return None

    @property
    def commit(self) -> str:
        """See `Found.commit`: it is of none."""
        return ""

    @property
    def location(self) -> str:
        """See `Found.location`."""
        return "this machine"

    def lock_id(self, platform: str) -> str:
        """See `Found.lock_id`."""
        return self.lock(platform).id

    def lock(self, platform: str) -> Lock:
        """See `Found.lock`."""
        if platform not in self.manifests:
            raise no_platform(self.alias, platform, self.platforms)
        return self.manifests[platform].lock

    def manifest(self, platform: str, store: Store | None) -> Manifest:
        """See `Found.manifest`; no store is asked."""
        del store
        self.lock(platform)
        return self.manifests[platform]

    def resolved(self) -> tuple[str, str]:
        """See `Found.resolved`: it is not kept."""
        return "", ""

    def signed_by(self) -> str:
        """See `Found.signed_by`: nobody does."""
        return ""

    def branch(self) -> str:
        """See `Found.branch`: it was made for a step."""
        return ""

    def requested(self, platform: str = "") -> list[str]:
        """See `Found.requested`: it is not kept."""
        del platform
        return []

    def aliases(self, platform: str) -> list[str]:
        """See `Found.aliases`: there are none."""
        del platform
        return []

    def close(self) -> None:
        """See `Found.close`: nothing is."""


class Shelf:
    """The resolutions of one machine; safe for any number of processes."""

    def __init__(self, config: Config) -> None:
        self._root = config.directories.data / "resolved"

    def newest(self, request: str, platform: str) -> Manifest | None:
        """The last resolution of a request on a platform; None if there is none that is whole.

        Args:
            request: A request id.
            platform: The platform.
        """
        place = self._root / request / platform
        files = sorted(place.glob("*.json"), key=lambda path: path.stat().st_mtime_ns) if place.is_dir() else []
        return next((found for path in reversed(files) if (found := _read(path)) is not None), None)

    def find(self, wanted: FullId) -> Kept | None:
        """What was resolved here by a full id; None if nothing was."""
        place = self._root / wanted.request
        files = sorted(place.glob(f"*/{wanted.lock}.json")) if place.is_dir() else []
        manifests = {path.parent.name: found for path in files if (found := _read(path)) is not None}
        return Kept(id=wanted, manifests=manifests) if manifests else None

    def keep(self, manifest: Manifest) -> None:
        """Keep a resolution."""
        lock = manifest.lock
        write_atomic(self._root / lock.request / lock.platform / f"{lock.id}.json", manifest.to_bytes())


def make_default(environment: Environment, config: Config) -> str:
    """Let the locks of an environment be what their request is resolved to on this machine; the request id."""
    shelf, request = Shelf(config), ""
    for platform in environment.platforms:
        lock = environment.lock(platform)
        shelf.keep(Manifest(lock=lock))
        request = lock.request
    return request


def _read(path: Path) -> Manifest | None:
    """A manifest; None for one that is damaged or of another version, since it can be made again."""
    try:
        found = parse(path.read_bytes(), str(path))
    except (OSError, FatalError):
        return None
    lock = found.lock
    named = (path.parent.parent.name, path.parent.name, path.stem)
    return found if (lock.request, lock.platform, lock.id) == named else None
