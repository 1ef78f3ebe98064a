"""The links of a manifest that are in the store: its bytes, and every package that it names."""

from __future__ import annotations

import re
import tempfile
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from envtag.errors import FatalError, UnreachableError
from envtag.manifest import parse as parse_manifest
from envtag.store import keys
from envtag.util.canonical import sha256_file, sha256_hex
from envtag.util.parallel import in_parallel
from envtag.util.text import number_of

if TYPE_CHECKING:
    from envtag.names import Alias
    from envtag.output import Output
    from envtag.package import Package
    from envtag.store import Store
    from envtag.verification.chain import Wanted
    from envtag.verification.findings import Report

_HASHERS = 8
_GOT = re.compile(r"got ([0-9a-f]{64})")
_HINT = "remove it from the store if it is there: `envtag publish --repair` brings back what the ledger releases"


class _Manifest(NamedTuple):
    """What a manifest says, or what is wrong with it."""

    lock: str = ""
    platform: str = ""
    packages: tuple[Package, ...] = ()
    expected: str = ""
    found: str = ""


@dataclass(slots=True)
class _Object:
    """A package that must be in the store, and who needs it."""

    package: Package
    users: list[tuple[Alias, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Objects:
    """The contents of one store.

    Attributes:
        store: The store.
        output: Where progress is told.
        report: Where it is told what is broken.
    """

    store: Store
    output: Output
    report: Report

    def check(self, wanted: Iterable[Wanted], *, deep: bool) -> None:
        """Check manifests, and the packages that they name: each once, and told for everyone who needs it.

        Args:
            wanted: The manifests.
            deep: Hash every package; otherwise only its size is compared.
        """
        objects = self._manifests(list(wanted))
        self.report.objects += len(objects)
        if deep:
            total = sum(item.package.size or 0 for item in objects.values())
            with (
                self.output.task(f"reading {number_of(len(objects), 'package')}", total, unit="bytes") as task,
                tempfile.TemporaryDirectory(prefix="envtag-verify-") as scratch,
            ):
                hashing = _Hashing(store=self.store, scratch=Path(scratch), count=task.advance)
                found = in_parallel(hashing.compare, objects.values(), threads=_HASHERS)
                self.report.hashed += hashing.done
        else:
            with self.output.task(f"looking for {number_of(len(objects), 'package')}", len(objects)) as task:

                def size(item: _Object) -> tuple[str, str] | None:
                    told = _size(item, self.store)
                    task.advance()
                    return told

                found = in_parallel(size, objects.values())
        for (key, item), wrong in zip(objects.items(), found, strict=True):
            for alias, platform in item.users if wrong is not None else ():
                expected, got = wrong or ("", "")
                subject = f"{item.package} ({key})"
                self.report.broken(
                    alias, "object", subject, platform=platform, expected=expected, found=got, hint=_HINT
                )

    def _manifests(self, wanted: list[Wanted]) -> dict[str, _Object]:
        digests = list(dict.fromkeys(want.digest for want in wanted))
        self.report.manifests += len(digests)
        with self.output.task(f"reading {number_of(len(digests), 'manifest')}", len(digests)) as task:

            def read(digest: str) -> _Manifest:
                found = self._manifest(digest)
                task.advance()
                return found

            manifests = dict(zip(digests, in_parallel(read, digests), strict=True))
        objects: dict[str, _Object] = {}
        for want in wanted:
            if self._is_right(want, manifests[want.digest]):
                for package in manifests[want.digest].packages:
                    key = keys.object_key(package.sha256, package.extension)
                    objects.setdefault(key, _Object(package)).users.append((want.alias, want.platform))
        return objects

    def _manifest(self, digest: str) -> _Manifest:
        key = keys.manifest_key(digest)
        data = self.store.read(key)
        if data is None:
            return _Manifest(expected=f"a manifest in {self.store.url}", found="none")
        if sha256_hex(data) != digest:
            return _Manifest(expected=f"sha256 {digest}", found=sha256_hex(data))
        try:
            manifest = parse_manifest(data, f"`{key}`")
        except FatalError as error:
            return _Manifest(expected="a manifest", found=error.message)
        return _Manifest(lock=manifest.lock.id, platform=manifest.lock.platform, packages=tuple(manifest.archives()))

    def _is_right(self, want: Wanted, manifest: _Manifest) -> bool:
        expected, found = manifest.expected, manifest.found
        if not expected and (manifest.platform, manifest.lock) != (want.platform, want.lock):
            expected = f"lock {want.lock} for {want.platform}"
            found = f"lock {manifest.lock} for {manifest.platform}"
        if expected:
            key = keys.manifest_key(want.digest)
            self.report.broken(
                want.alias, "manifest", key, platform=want.platform, expected=expected, found=found, hint=_HINT
            )
        return not expected


@dataclass(slots=True, kw_only=True)
class _Hashing:
    """One run that reads packages, at most a handful of them on this machine's disk at once."""

    store: Store
    scratch: Path
    count: Callable[[int], None]
    done: int = 0
    _counting: threading.Lock = field(default_factory=threading.Lock)

    def compare(self, item: _Object) -> tuple[str, str] | None:
        """What was expected and what was found, where the two differ."""
        wrong = _size(item, self.store)
        return wrong or self._hash(item.package)

    def _hash(self, package: Package) -> tuple[str, str] | None:
        key = keys.object_key(package.sha256, package.extension)
        expected = f"sha256 {package.sha256}"
        path = self.store.local_path(key)
        if path is not None:
            got = sha256_file(path)
            self._advance(path.stat().st_size)
            return None if got == package.sha256 else (expected, got)
        target = self.scratch / package.sha256
        try:
            if not self.store.download(key, target, package.sha256, self._advance):
                return (expected, "none")
        except UnreachableError:
            raise
        except FatalError as error:
            other = _GOT.search(error.message)
            return (expected, other[1] if other is not None else error.message)
        finally:
            target.unlink(missing_ok=True)
        return None

    def _advance(self, count: int) -> None:
        with self._counting:
            self.done += count
        self.count(count)


def _size(item: _Object, store: Store) -> tuple[str, str] | None:
    package = item.package
    there = store.size(keys.object_key(package.sha256, package.extension))
    if there is None:
        return (f"a package in {store.url}", "none")
    if package.size is not None and there != package.size:
        return (f"{package.size} bytes", f"{there} bytes")
    return None
