"""What is to be packed of an environment that was looked up: its manifest, and every archive, verified."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.fetch import fetch_archives
from envtag.hydration import checked_manifest
from envtag.platforms import base_platform, check_platform, current_platform

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.lookup import Found
    from envtag.manifest import Manifest
    from envtag.output import Output
    from envtag.store import Store


def name_of(found: Found) -> str:
    """What a packed file calls an environment: its immutable tag where it has one, whatever it was asked for as."""
    record = found.record
    return f"{record.name}:{record.tag}" if record is not None else f"{found.alias.name}:{found.alias.tag}"


def manifest_of(found: Found, platform: str, store: Store | None) -> Manifest:
    """The manifest of an environment on a platform, the published one where the store has it.

    Raises:
        FatalError: It is not locked for the platform, or a source distribution in it was never built.
    """
    manifest = checked_manifest(found, check_platform(platform), store)
    for package in manifest.archives():
        if package.is_source:
            reason = (
                f"it cannot be built for {platform} here"
                if base_platform(platform) != current_platform()
                else "the machine that it is for has no network to build it with"
            )
            raise FatalError(
                f"`{found.alias}`: {package} is locked as a source distribution, and {reason}",
                "publish it first, which builds it once for everybody: `envtag publish`",
            )
    return manifest


def archives_of(
    manifest: Manifest, *, store: Store | None, config: Config, offline: bool, output: Output
) -> Mapping[str, Path]:
    """The archives of a manifest by SHA-256: from this machine's cache, the store, or their origin.

    Raises:
        FatalError: One cannot be had, or has other bytes.
    """
    return fetch_archives(
        manifest.archives(),
        store=store,
        mirrors=config.mirrors,
        directories=config.directories,
        offline=offline,
        output=output,
    )
