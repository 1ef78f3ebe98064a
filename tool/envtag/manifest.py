"""A manifest: one environment on one platform with everything that a machine without git needs to hydrate it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from envtag.errors import FatalError
from envtag.lock import Lock
from envtag.package import Package
from envtag.urls import check_public
from envtag.util.canonical import canonical_json, sha256_hex

if TYPE_CHECKING:
    from envtag.request import Interpreter

_VERSION = 1
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A lock as storage keeps it, with the interpreter that was seen when it was published.

    Attributes:
        lock: What is installed.
        python_seen: The exact version of Python on the machine that published it (`3.11.7`); empty where the
            platform was a foreign one and Python comes from uv.
    """

    lock: Lock
    python_seen: str = ""

    def to_bytes(self) -> bytes:
        """The manifest's bytes: canonical JSON and a newline."""
        lock = self.lock
        document = {
            "version": _VERSION,
            "platform": lock.platform,
            "request": lock.request,
            "lock": lock.id,
            "interpreter": {"provider": lock.interpreter, "python": lock.python, "seen": self.python_seen},
            "channels": list(lock.channels),
            "virtual_packages": dict(lock.virtual_packages),
            "packages": [_package_out(package) for package in lock.packages],
        }
        return canonical_json(document) + b"\n"

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes, 64 hex digits: its name in the store."""
        return sha256_hex(self.to_bytes())


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
    except (KeyError, TypeError) as error:
        raise FatalError(f"{where}: a manifest without a proper {error}") from error
    if lock.id != stated:
        raise FatalError(f"{where}: its packages have lock id {lock.id}, but it states {stated}")
    return Manifest(lock=lock, python_seen=seen)


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
