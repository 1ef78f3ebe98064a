"""What the specs of an environment ask for, in words; remembered by content, so that no spec is parsed twice for it."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from envtag import __version__
from envtag.util.canonical import canonical_json, sha256_hex
from envtag.util.files import write_atomic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envtag.registry import Environment


class _Asked(NamedTuple):
    """One thing that is asked for, and on which platforms; None for all."""

    text: str
    platforms: list[str] | None


def requested(environment: Environment, memory: Path, platform: str = "") -> list[str]:
    """What is asked for: Python first, then each requirement, as `MANAGER::REQUIREMENT`.

    Args:
        environment: At a revision, or in the work tree.
        memory: The directory that remembers it (`Directories.requested`).
        platform: Leave out what its selectors keep for others; empty for everything.

    Raises:
        FatalError: A spec is not there, or malformed.
    """
    from envtag.platforms import base_platform

    wanted = {platform, base_platform(platform)}
    asked = _asked(environment, memory)
    return [item.text for item in asked if not platform or item.platforms is None or wanted & {*item.platforms}]


def _asked(environment: Environment, memory: Path) -> list[_Asked]:
    """What the settings and each of the files that they lead to say: all of these are compared with what was read."""
    settings = sha256_hex(environment.settings_bytes())
    path = memory / f"{sha256_hex(canonical_json([__version__, environment.directory, settings]))}.json"
    known = _recalled(path, environment)
    if known is not None:
        return known
    files = {file.name: file.data for file in environment.spec_files()}
    asked = _parsed(environment, files)
    hashes = {name: sha256_hex(data) for name, data in files.items()}
    with suppress(OSError):  # it is only a memory
        write_atomic(path, canonical_json({"asked": asked, "files": hashes}))
    return asked


def _recalled(path: Path, environment: Environment) -> list[_Asked] | None:
    """What is remembered; None where nothing is, or where a file has changed since."""
    try:
        document = json.loads(path.read_bytes())
        for name, sha256 in document["files"].items():
            data = environment.files.read(f"{environment.directory}/{name}")
            if data is None or sha256_hex(data) != sha256:
                return None
        return [_Asked(str(text), platforms) for text, platforms in document["asked"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # a memory that is damaged is as good as none
        return None


def _parsed(environment: Environment, files: Mapping[str, bytes]) -> list[_Asked]:
    settings = environment.settings
    spec = settings.read_spec(files.__getitem__)

    def item(text: str, platforms: frozenset[str] | None) -> _Asked:
        return _Asked(text, None if platforms is None else sorted(platforms))

    asked = [item(f"conda::{one.match_spec()}", one.platforms) for one in spec.conda]
    asked += [item(f"pypi::{one.text}", one.platforms) for one in spec.pypi if not one.constraint]
    return ([item(f"python {settings.python}", None)] if settings.python else []) + asked
