"""The wheels that a store has for the sources of a lock: one record a source, platform and Python, create-only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from envtag import build_record
from envtag.errors import FatalError
from envtag.platforms import PLATFORMS
from envtag.store import keys, wrong_size
from envtag.util.canonical import sha256_file
from envtag.wheels import pick_wheel

if TYPE_CHECKING:
    from envtag.build_record import BuildRecord
    from envtag.lock import Lock
    from envtag.manifest import Build
    from envtag.package import Package
    from envtag.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """The wheels that a store has for a lock's platform and Python.

    Attributes:
        lock: For any platform.
        store: Where wheels and records of builds are kept.
        adopt: Record a wheel of another platform that fits this one for this one too; otherwise nothing is written.
    """

    lock: Lock
    store: Store
    adopt: bool = True

    def wheel(self, source: Package) -> Build | None:
        """The wheel that is recorded for a source, or one that was built elsewhere and fits every platform."""
        record = self._record(source, self.lock.platform)
        if record is not None:
            return record.wheel
        for platform in PLATFORMS:
            other = self._record(source, platform) if platform != self.lock.platform else None
            if other is not None and other.pure and self.fits(other.wheel.filename):
                return self.put(source, replace(other, platform=self.lock.platform)) if self.adopt else other.wheel
        return None

    def fits(self, filename: str) -> bool:
        """Whether the lock's platform and Python would take a wheel of this name."""
        lock = self.lock
        virtual = lock.virtual_packages
        return pick_wheel([filename], platform=lock.platform, python=lock.python, virtual_packages=virtual) is not None

    def put(self, source: Package, record: BuildRecord) -> Build:
        """Record a build whose wheel is stored, unless another was first; the wheel that is recorded now."""
        if self.store.swap(self._key(source, self.lock.platform), record.to_bytes(), None):
            return record.wheel
        first = self._record(source, self.lock.platform)
        if first is None:
            raise FatalError(f"the record of the build of {source} was removed while it was made", "run it again")
        return first.wheel

    def _key(self, source: Package, platform: str) -> str:
        return keys.build_key(source.sha256, platform, self.lock.python)

    def _record(self, source: Package, platform: str) -> BuildRecord | None:
        key = self._key(source, platform)
        data = self.store.read(key)
        if data is None:
            return None
        where = f"{self.store.url}/{key}"
        record = build_record.parse(data, where)
        if not record.is_of(source, platform, self.lock.python):
            raise FatalError(
                f"{where}: a record of the build of `{record.name} {record.version}`, and not of {source}",
                "remove it: the source is then built again",
            )
        self._check_wheel(record.wheel, where)
        return record

    def _check_wheel(self, wheel: Build, where: str) -> None:
        """A wheel must be there, whole; its hash is compared where that costs no download, and by who fetches it."""
        key = keys.object_key(wheel.sha256, "whl")
        size = self.store.size(key)
        if size is None:
            raise FatalError(
                f"{where} names the wheel `{key}`, which is not in the store",
                "bring the wheel back (an environment that holds it can be verified with `envtag verify`), or remove "
                "the record, so that the source is built again",
            )
        if size != wheel.size:
            raise wrong_size(key, wheel.size, size, self.store.url)
        path = self.store.local_path(key)
        if path is not None and sha256_file(path) != wheel.sha256:
            raise FatalError(
                f"{where} names the wheel `{key}`, which has other bytes",
                "it was tampered with or is damaged: remove both, and the source is built again",
            )
