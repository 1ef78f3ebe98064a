"""A lock from its bytes: version first, then every field, then its own id."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, cast
from urllib.parse import urlsplit

from envtag.errors import FatalError
from envtag.lock.model import Lock
from envtag.lock.quick import load_quickly
from envtag.lock.write import FORMAT
from envtag.package import Manager, Package
from envtag.platforms import check_platform, check_whole_platform
from envtag.urls import channel_url, check_public
from envtag.util.pattern import pattern
from envtag.util.yaml_read import check_size, load

_SHA256 = pattern(r"[0-9a-f]{64}\Z")
_MD5 = pattern(r"[0-9a-f]{32}\Z")
_BLOCK_KEYS = frozenset(
    {"build", "category", "dependencies", "hash", "manager", "name", "optional", "platform", "url", "version"}
)
#: More than any lock of a real environment has by far.
_LIMIT = 32_000_000
_HINT = "take it from git again (`git checkout -- FILE`), or remove it and run `envtag lock`"


def read(data: bytes, where: str) -> Lock:
    """Parse a lock that envtag wrote, and check it against the ids that it states.

    Args:
        data: The file's bytes.
        where: The file's name, for errors.

    Raises:
        FatalError: It is not a lock of a version that is known, is malformed, or was changed by hand.
    """
    check_size(len(data), where, _LIMIT)
    document = load_quickly(data) or load(data, where)
    if not isinstance(document, dict) or document.get("version") != 1:
        found = document.get("version") if isinstance(document, dict) else None
        raise FatalError(
            f"{where}: lock format version {found!r} is not one that this envtag reads", "it reads version 1"
        )
    metadata = _mapping(document, "metadata", where)
    custom = _mapping(metadata, "custom_metadata", where) if metadata.get("custom_metadata") else {}
    if custom.get("envtag-format") != FORMAT:
        raise FatalError(
            f"{where}: not a lock of envtag's (format {custom.get('envtag-format')!r})",
            "locks are written by `envtag resolve` and `envtag lock`",
        )
    try:
        lock = _lock(document, metadata, custom, where)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise FatalError(f"{where}: a lock with a malformed part: {error!r}", _HINT) from error
    except FatalError as error:  # of a URL, a channel or a platform, which does not say where it stands
        if error.message.startswith(where):
            raise
        raise FatalError(f"{where}: {error.message}", error.hint) from error
    stated = _text(custom, "envtag-lock", where)
    if lock.id != stated:
        raise FatalError(
            f"{where}: its packages have lock id {lock.id}, but it states {stated}: it was changed by hand", _HINT
        )
    return lock


def _lock(document: Mapping[str, Any], metadata: Mapping[str, Any], custom: Mapping[str, Any], where: str) -> Lock:
    platforms = metadata.get("platforms")
    if not isinstance(platforms, list) or len(platforms) != 1:
        raise FatalError(f"{where}: `metadata.platforms` is not one platform", _HINT)
    platform = check_whole_platform(str(platforms[0]))
    variant = str(custom.get("envtag-variant", ""))
    lock = Lock(
        platform=check_platform(f"{platform}-{variant}") if variant else platform,
        request=_text(custom, "envtag-request", where),
        interpreter=cast("Any", _text(custom, "envtag-interpreter", where)),
        python=str(custom.get("envtag-python", "")),
        packages=_packages(document, platform, custom, where),
        channels=tuple(channel_url(str(item["url"])) for item in metadata.get("channels") or ()),
        sources=tuple(str(item) for item in metadata.get("sources") or ()),
        content_hash=str((metadata.get("content_hash") or {}).get(platform, "")),
        base=str(custom.get("envtag-base", "")),
        base_lock=str(custom.get("envtag-base-lock", "")),
        virtual_packages=json.loads(custom.get("envtag-virtual-packages", "{}")),
        imported=str(custom.get("envtag-imported", "")),
    )
    if lock.interpreter not in ("conda", "uv"):
        raise FatalError(f"{where}: interpreter `{lock.interpreter}` is neither `conda` nor `uv`", _HINT)
    return lock


def _packages(document: Mapping[str, Any], platform: str, custom: Mapping[str, Any], where: str) -> tuple[Package, ...]:
    blocks = document.get("package")
    if not isinstance(blocks, list):
        raise FatalError(f"{where}: `package` is not a list", _HINT)
    packages = sorted((_package(block, platform, custom, where) for block in blocks), key=lambda package: package.key)
    for first, second in pairwise(packages):
        if first.key == second.key:
            raise FatalError(f"{where}: `{first.name}` is there twice", _HINT)
    return tuple(packages)


def _package(block: Any, platform: str, custom: Mapping[str, Any], where: str) -> Package:
    if not isinstance(block, dict):
        raise FatalError(f"{where}: a package block is not a mapping", _HINT)
    name = _text(block, "name", where)
    unknown = sorted(set(block) - _BLOCK_KEYS)
    if unknown:
        raise FatalError(f"{where}: package `{name}` has an unknown key `{unknown[0]}`", _HINT)
    if block.get("platform") != platform:
        raise FatalError(f"{where}: package `{name}` is for `{block.get('platform')}`, not `{platform}`", _HINT)
    wire = block.get("manager")
    if wire not in ("conda", "pip"):
        raise FatalError(f"{where}: package `{name}` has manager `{wire}`", "it is `conda` or `pip`")
    manager: Manager = "pypi" if wire == "pip" else "conda"
    hashes = _mapping(block, "hash", where)
    sha256, md5 = str(hashes.get("sha256", "")), str(hashes.get("md5", ""))
    if not _SHA256.match(sha256) or (manager == "conda" and not _MD5.match(md5)):
        raise FatalError(f"{where}: package `{name}` has no full set of hashes", _HINT)
    url = check_public(_text(block, "url", where), f"package `{name}`")
    stated = json.loads(custom.get(f"package/{manager}/{name}", "{}"))
    return Package(
        manager=manager,
        name=name,
        version=_text(block, "version", where),
        url=url,
        sha256=sha256,
        md5=md5,
        build=str(block.get("build", "")),
        subdir=urlsplit(url).path.rsplit("/", 2)[-2] if manager == "conda" else "",
        size=stated.get("size"),
        license=stated.get("license"),
        timestamp=stated.get("timestamp"),
        depends=_depends(block, manager),
    )


def _depends(block: Mapping[str, Any], manager: Manager) -> tuple[str, ...]:
    items = (block.get("dependencies") or {}).items()
    if manager == "pypi":
        return tuple(sorted(str(name) for name, _ in items))
    return tuple(f"{name} {constraint}".strip() for name, constraint in sorted(items))


def _mapping(document: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
    value = document.get(key)
    if not isinstance(value, dict):
        raise FatalError(f"{where}: `{key}` is not a mapping", _HINT)
    return value


def _text(document: Mapping[str, Any], key: str, where: str) -> str:
    value = document.get(key)
    if not isinstance(value, str) or not value:
        raise FatalError(f"{where}: `{key}` is missing or not text", _HINT)
    return value
