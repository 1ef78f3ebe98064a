"""What is in a packed file, in pixi-pack's layout with a page of envtag's own: names of members and their documents.

The layout is that of https://github.com/Quantco/pixi-pack (format version 1): `pixi-pack.json`, `environment.yml`, a
conda channel in `channel/`, wheels in `pypi/`. `envtag-pack.json` adds the manifest, so that every byte can be checked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from envtag import manifest as manifests
from envtag.errors import FatalError
from envtag.util.canonical import canonical_json, sha256_hex
from envtag.util.yaml_text import dump

if TYPE_CHECKING:
    from envtag.manifest import Manifest
    from envtag.package import Package

METADATA = "envtag-pack.json"
PIXI_METADATA = "pixi-pack.json"
PIXI_VERSION = "1"
ENVIRONMENT = "environment.yml"
RUNTIME = "runtime/"

_VERSION = 1
_SUBDIR = re.compile(r"[a-z0-9]+(-[a-z0-9]+)?")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a packed file says of itself.

    Attributes:
        alias: What was packed (`mlp/base:v1`): the immutable tag where there is one.
        manifest: The environment, every archive with its hash.
        files: SHA-256 of each member that is not one of those archives, nor this page.
    """

    alias: str
    manifest: Manifest
    files: Mapping[str, str]

    @property
    def archives(self) -> dict[str, Package]:
        """Member to package."""
        return archive_members(self.manifest)

    def to_bytes(self) -> bytes:
        """`envtag-pack.json`: canonical JSON and a newline."""
        lock = self.manifest.lock
        document = {
            "version": _VERSION,
            "alias": self.alias,
            "request": lock.request,
            "lock": lock.id,
            "platform": lock.platform,
            "manifest": json.loads(self.manifest.to_bytes()),
            "manifest_sha256": self.manifest.digest,
            "files": dict(self.files),
        }
        return canonical_json(document) + b"\n"


def parse(data: bytes, where: str) -> Contents:
    """Read `envtag-pack.json` and check it against itself: manifest, digest of the manifest, ids.

    Args:
        data: Its bytes.
        where: The file, for messages.

    Raises:
        FatalError: It is not one of a known version, is malformed, or contradicts itself.
    """
    document = _document(data, f"{where}: `{METADATA}`")
    if document.get("version") != _VERSION:
        raise FatalError(f"{where}: not a packed file of version {_VERSION}", "a newer envtag may read it")
    try:
        alias, files = document["alias"], document["files"]
        manifest_data = canonical_json(document["manifest"]) + b"\n"
        stated = document["manifest_sha256"], document["request"], document["lock"], document["platform"]
        well = isinstance(alias, str) and all(_SHA256.fullmatch(item) for item in files.values())
    except (KeyError, TypeError, AttributeError) as error:
        raise FatalError(f"{where}: `{METADATA}` without a proper {error}") from error
    if not well:
        raise FatalError(f"{where}: `{METADATA}` without proper hashes")
    manifest = manifests.parse(manifest_data, where)
    found = sha256_hex(manifest_data), manifest.lock.request, manifest.lock.id, manifest.lock.platform
    if found != stated:
        raise FatalError(f"{where}: `{METADATA}` contradicts itself: it was edited", "get the file again")
    return Contents(alias=alias, manifest=manifest, files=files)


def pixi_metadata(platform: str) -> bytes:
    """`pixi-pack.json`: the version of the layout, and the platform."""
    return canonical_json({"version": PIXI_VERSION, "platform": platform}) + b"\n"


def pixi_platform(data: bytes, where: str) -> str:
    """The platform that `pixi-pack.json` states.

    Raises:
        FatalError: It is not one of a known version.
    """
    document = _document(data, f"{where}: `{PIXI_METADATA}`")
    if document.get("version") != PIXI_VERSION:
        raise FatalError(
            f"{where}: its layout is not version {PIXI_VERSION} of pixi-pack's", "unpack it by pixi-unpack"
        )
    platform = document.get("platform")
    if not isinstance(platform, str):
        raise FatalError(f"{where}: `{PIXI_METADATA}` names no platform")
    return platform


def environment_yml(alias: str, manifest: Manifest) -> bytes:
    """`environment.yml`: exact pins, for conda, mamba and micromamba in the directory that the file was untarred to."""
    conda = [item for item in manifest.archives() if item.manager == "conda"]
    wheels = [item for item in manifest.archives() if item.manager == "pypi"]
    dependencies: list[Any] = [f"{item.name}={item.version}={item.build}" for item in conda]
    if wheels:
        pins = [f"{item.name}=={item.version}" for item in wheels]
        dependencies.append({"pip": ["--no-index", "--find-links ./pypi", *pins]})
    name = re.sub(r"[/:]", "-", alias)
    return dump({"name": name, "channels": ["./channel", "nodefaults"], "dependencies": dependencies})


def archive_members(manifest: Manifest) -> dict[str, Package]:
    """The members that are archives of packages, sorted by name.

    Raises:
        FatalError: Two packages would be one member, or one's name is no name of a file.
    """
    found: dict[str, Package] = {}
    for package in manifest.archives():
        name = _member(package)
        if name in found:
            raise FatalError(f"{found[name]} and {package} have the same file name `{package.filename}`")
        found[name] = package
    return dict(sorted(found.items()))


def repodata_member(subdir: str) -> str:
    """The member that holds the repodata of a subdirectory."""
    return f"channel/{subdir}/repodata.json"


def subdirs(manifest: Manifest) -> tuple[str, ...]:
    """The subdirectories of the channel: the platform's and `noarch`, empty or not, and whatever packages are of."""
    named = {item.subdir for item in manifest.archives() if item.manager == "conda"}
    return tuple(sorted({manifest.lock.platform, "noarch", *named}))


def _member(package: Package) -> str:
    name = package.filename
    safe = name and not name.startswith(".") and name.isprintable() and not any(letter in name for letter in "/\\:")
    if not safe or (package.manager == "conda" and not _SUBDIR.fullmatch(package.subdir)):
        raise FatalError(f"{package} would be packed as `{package.subdir}/{name}`, which is no name of a file")
    return f"channel/{package.subdir}/{name}" if package.manager == "conda" else f"pypi/{name}"


def _document(data: bytes, what: str) -> dict[str, Any]:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FatalError(f"{what} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise FatalError(f"{what} is not a JSON object")
    return document
