"""A manifest: one environment on one platform with everything that a machine without git needs to hydrate it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from envtag.errors import FatalError
from envtag.lock import Lock
from envtag.package import Package
from envtag.urls import check_public
from envtag.util.canonical import canonical_json, sha256_hex
from envtag.util.pattern import pattern

if TYPE_CHECKING:
    from envtag.request import Interpreter

_VERSION = 1
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_WHEEL = pattern(r"[A-Za-z0-9_][A-Za-z0-9_.+!-]*\.whl\Z")
#: Scheme of the URL of a wheel that was built of a source: only a store has it.
BUILT = "envtag-build"


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A wheel that was built of a source archive, once, for everybody.

    Attributes:
        sha256: 64 hex digits of the wheel.
        filename: The wheel's own file name.
        size: Its bytes.
    """

    sha256: str
    filename: str
    size: int

    def package(self, source: Package) -> Package:
        """The wheel as a package of its own, in place of the source that a lock holds; only a store has it."""
        return source._replace(url=f"{BUILT}:{quote(self.filename)}", sha256=self.sha256, size=self.size)

    def document(self) -> dict[str, Any]:
        """What is written of it."""
        return {"sha256": self.sha256, "filename": self.filename, "size": self.size}


def build_in(item: Any, where: str) -> Build:
    """A build from what is written of it.

    Raises:
        FatalError: It is malformed, or its file name is not one of a wheel.
    """
    if not isinstance(item, dict) or set(item) != {"sha256", "filename", "size"}:
        raise FatalError(f"{where}: a build has not exactly `sha256`, `filename` and `size`")
    sha256, filename, size = item["sha256"], item["filename"], item["size"]
    if not isinstance(sha256, str) or not _SHA256.match(sha256):
        raise FatalError(f"{where}: a build without a sha256")
    if not isinstance(filename, str) or not _WHEEL.match(filename):
        raise FatalError(f"{where}: the build {sha256[:12]} is not named like a wheel")
    if type(size) is not int or size < 0:
        raise FatalError(f"{where}: the build `{filename}` has no proper size")
    return Build(sha256=sha256, filename=filename, size=size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A lock as storage keeps it, with the interpreter that was seen when it was published.

    Attributes:
        lock: What is installed.
        python_seen: The exact version of Python on the machine that published it (`3.11.7`); empty where the
            platform was a foreign one and Python comes from uv.
        builds: SHA-256 of a source archive of the lock to the wheel that was built of it.
    """

    lock: Lock
    python_seen: str = ""
    builds: Mapping[str, Build] = field(default_factory=dict)

    def archives(self) -> tuple[Package, ...]:
        """What is fetched to hydrate it: the lock's packages, with its wheel in place of each source that was built."""
        return with_builds(self.lock.packages, self.builds)

    def to_bytes(self) -> bytes:
        """The manifest's bytes: canonical JSON and a newline."""
        lock = self.lock
        document: dict[str, Any] = {
            "version": _VERSION,
            "platform": lock.platform,
            "request": lock.request,
            "lock": lock.id,
            "interpreter": {"provider": lock.interpreter, "python": lock.python, "seen": self.python_seen},
            "channels": list(lock.channels),
            "virtual_packages": dict(lock.virtual_packages),
            "packages": [_package_out(package) for package in lock.packages],
        }
        if self.builds:
            document["builds"] = {source: build.document() for source, build in self.builds.items()}
        return canonical_json(document) + b"\n"

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes, 64 hex digits: its name in the store."""
        return sha256_hex(self.to_bytes())


def with_builds(packages: Iterable[Package], builds: Mapping[str, Build]) -> tuple[Package, ...]:
    """Packages, with its wheel in place of each source that was built."""
    return tuple(
        builds[package.sha256].package(package) if package.is_source and package.sha256 in builds else package
        for package in packages
    )


def parse(data: bytes, where: str) -> Manifest:
    """Read a manifest and check that its packages have the lock id that it states.

    Raises:
        FatalError: It is not a manifest of a known version, is malformed, or contradicts itself.
    """
    try:
        document = json.loads(data)
    except ValueError as error:
        raise FatalError(f"{where}: not JSON: {error}") from error
    if not isinstance(document, dict) or document.get("version") != _VERSION:
        raise FatalError(f"{where}: not a manifest of version {_VERSION}", "a newer envtag may read it")
    try:
        interpreter = document["interpreter"]
        provider: Interpreter = interpreter["provider"]
        lock = Lock(
            platform=document["platform"],
            request=document["request"],
            interpreter=provider,
            python=interpreter["python"],
            channels=tuple(document["channels"]),
            virtual_packages=dict(document["virtual_packages"]),
            packages=tuple(_package_in(item, where) for item in document["packages"]),
        )
        stated = document["lock"]
        seen = interpreter["seen"]
        builds = {source: build_in(item, where) for source, item in document.get("builds", {}).items()}
    except (AttributeError, KeyError, TypeError) as error:
        raise FatalError(f"{where}: a manifest without a proper {error}") from error
    if lock.id != stated:
        raise FatalError(f"{where}: its packages have lock id {lock.id}, but it states {stated}")
    strange = builds.keys() - {package.sha256 for package in lock.packages if package.is_source}
    if strange:
        raise FatalError(f"{where}: it has a build of {min(strange)[:12]}, which is no source of its lock")
    return Manifest(lock=lock, python_seen=seen, builds=builds)


def _package_out(package: Package) -> dict[str, Any]:
    fields = {
        "manager": package.manager,
        "name": package.name,
        "version": package.version,
        "build": package.build,
        "subdir": package.subdir,
        "url": package.url,
        "sha256": package.sha256,
        "md5": package.md5,
        "size": package.size,
        "license": package.license,
        "timestamp": package.timestamp,
        "depends": list(package.depends),
    }
    return {key: value for key, value in fields.items() if value not in (None, "", [])}


def _package_in(item: Mapping[str, Any], where: str) -> Package:
    if not _SHA256.match(item["sha256"]):
        raise FatalError(f"{where}: package `{item['name']}` has no sha256")
    return Package(
        **{
            **item,
            "depends": tuple(item.get("depends", ())),
            "url": check_public(item["url"], f"package `{item['name']}`"),
        }
    )
