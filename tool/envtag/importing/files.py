"""Which of a release's files an installer on a target would take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from envtag.wheels import pick_wheel

if TYPE_CHECKING:
    from envtag.engines.pylock import File


def choose(
    wheels: Sequence[File],
    source: File | None,
    *,
    platform: str,
    python: str,
    virtual_packages: Mapping[str, str],
    hashes: Sequence[str] = (),
) -> File | None:
    """The wheel that comes first for a target, else the sdist, else None.

    Args:
        wheels: Those of one version.
        source: Its sdist, or None.
        platform: The target.
        python: The version of Python there.
        virtual_packages: What wheels may count on there.
        hashes: SHA-256 of the files that may be taken; none for all.
    """
    permitted = {file.name: file for file in wheels if not hashes or file.sha256 in hashes}
    name = pick_wheel(sorted(permitted), platform=platform, python=python, virtual_packages=virtual_packages)
    if name is not None:
        return permitted[name]
    return source if source is not None and (not hashes or source.sha256 in hashes) else None
