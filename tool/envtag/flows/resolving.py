"""What a step defines or adds, to a lock: from this machine, from the store where that is believed, or from solvers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envtag import identity, resolutions
from envtag.errors import FatalError
from envtag.manifest import Manifest
from envtag.manifests import read_manifest
from envtag.platforms import current_platform
from envtag.util.locks import file_lock

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.flows.shelf import Shelf
    from envtag.flows.trusted import Trust
    from envtag.flows.wanted import Ground, Wanted
    from envtag.output import Output
    from envtag.request import Request
    from envtag.settings import RegistrySettings
    from envtag.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What a request came to, and whether it was solved just now."""

    manifest: Manifest
    fresh: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolver:
    """What it takes to resolve.

    Attributes:
        defaults: Gives the registry's settings.
        open_store: Gives the store; called only where somebody is believed.
        trust: Whose resolutions in the store are used.
        shelf: What this machine resolved.
        config: The client's settings.
        output: Where progress is told.
    """

    defaults: Callable[[], RegistrySettings]
    open_store: Callable[[], Store]
    trust: Trust
    shelf: Shelf
    config: Config
    output: Output

    def resolve(self, wanted: Wanted, needs: Mapping[str, str], ground: Ground | None) -> Resolved:
        """A lock for what a step asks for; processes that ask for the same at once solve it once.

        Args:
            wanted: What is asked for.
            needs: What of its needs the ground lacks.
            ground: The named environment that is extended; its packages are kept exactly.

        Raises:
            UnsolvableError: There is no solution.
            FatalError: A requirement is malformed, or something cannot be reached.
        """
        from envtag.flows.derivation import derived_request  # with all that reads specs

        platform = wanted.platform or current_platform()
        request = derived_request(wanted, needs, platform, ground, self.defaults())
        request_id = identity.request_id(request)
        place = self.config.directories.data / "resolved" / f"{request_id}-{platform}.lock"

        def waiting() -> None:
            self.output.say(f"waiting for another run that is solving request {request_id[:12]}")

        if (kept := self.shelf.newest(request_id, platform)) is not None:
            return Resolved(manifest=kept)
        with file_lock(place, waiting=waiting):
            if (kept := self.shelf.newest(request_id, platform)) is not None:
                return Resolved(manifest=kept)
            believed = self._believed(request_id, platform)
            manifest = believed or self._solved(request, platform, ground)
            self.shelf.keep(manifest)
            return Resolved(manifest=manifest, fresh=believed is None)

    def _believed(self, request_id: str, platform: str) -> Manifest | None:
        """The newest whole resolution in the store by somebody who is believed."""
        if self.trust.nobody:
            return None
        try:
            store = self.open_store()
            for record in resolutions.find(store, request_id, platform):
                if not self.trust.believes(record.who):
                    continue
                found = read_manifest(store, record.manifest, f"request {request_id[:12]}")
                if found is not None and (found.lock.request, found.lock.id) == (request_id, record.lock):
                    self.output.say(f"request {request_id[:12]} was resolved by {record.who} on {record.when}")
                    return found
        except FatalError as error:
            self.output.warn(f"resolutions in the store are not used: {error.message}")
        return None

    def _solved(self, request: Request, platform: str, ground: Ground | None) -> Manifest:
        from envtag.solve import solve

        base_locks = {platform: ground.lock} if ground is not None else {}
        (lock,) = solve(request, [platform], config=self.config, store=None, base_locks=base_locks, output=self.output)
        if ground is not None:
            changed = {item for item in ground.lock.packages if item not in lock.packages}
            if changed:
                listed = ", ".join(sorted(map(str, changed))[:3])
                raise FatalError(
                    f"the solver changed {listed} of `{ground.found.alias}`, whose packages are kept exactly"
                )
        return Manifest(lock=lock)
