"""`envtag export`: an environment in the format that the next tool wants."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envtag.choice import choose
from envtag.errors import FatalError
from envtag.exporting import Subject, exporter
from envtag.platforms import base_platform, check_platform, current_platform
from envtag.util.canonical import sha256_hex
from envtag.util.files import create_exclusive, write_atomic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envtag.lookup import Found
    from envtag.output import Output


def export(
    found: Found,
    *,
    kind: str,
    platforms: Sequence[str],
    destination: Path | None,
    force: bool,
    as_json: bool,
    output: Output,
) -> int:
    """Print an environment in another format, or write it to a file.

    Args:
        found: What was looked up.
        kind: One of `exporting.FORMATS`.
        platforms: The platforms; none for all of them, or for this machine's where the format holds one.
        destination: The file to write, or None for stdout.
        force: Replace the file if it is there.
        as_json: Print what was written as JSON.
        output: Where it is told.

    Returns:
        0.

    Raises:
        FatalError: The format cannot hold it, or the file is there.
    """
    made_by = exporter(kind)
    names = _platforms(found, platforms, kind, several=made_by.SEVERAL)
    locks = tuple(found.lock(name) for name in names)
    exported = made_by.export(Subject(name=str(found.alias), locks=locks, direct=_direct(found)))
    data = exported.text.encode()
    if destination is not None:
        _write(destination, data, force=force)
    if as_json:
        described: dict[str, Any] = {
            "name": str(found.alias),
            "format": kind,
            "locks": {lock.platform: lock.id for lock in locks},
            "file": str(destination) if destination is not None else None,
            "sha256": sha256_hex(data),
            "notes": list(exported.notes),
            **({"document": exported.text} if destination is None else {}),
        }
        output.json(described)
        return 0
    if destination is None:
        output.data(exported.text.removesuffix("\n"))
    for note in exported.notes:
        output.say(note)
    if destination is not None:
        output.say(f"wrote `{destination}`: {found.alias} for {', '.join(names)}")
    return 0


def _platforms(found: Found, asked: Sequence[str], kind: str, *, several: bool) -> tuple[str, ...]:
    chosen = tuple(sorted({check_platform(name) for name in asked}))
    if several:
        platforms = chosen or found.platforms
        bases = [base_platform(name) for name in platforms]
        twice = next((name for name in bases if bases.count(name) > 1), "")
        if twice:
            raise FatalError(
                f"`{kind}` holds one environment a platform, and `{found.alias}` has variants of `{twice}`",
                "name one of them with `--platform`",
            )
        return platforms
    if len(chosen) > 1:
        raise FatalError(f"a document of `{kind}` is of one platform", "export each platform to a file of its own")
    if chosen:
        return chosen
    if len(found.platforms) == 1:
        return found.platforms
    here = current_platform()
    if not any(base_platform(name) == here for name in found.platforms):
        listed = ", ".join(f"`{name}`" for name in found.platforms)
        raise FatalError(f"`{found.alias}` is not locked for this machine (`{here}`)", f"add `--platform`: {listed}")
    return (choose(found).platform,)


def _direct(found: Found) -> frozenset[str]:
    """The PyPI packages that the spec asks for by their URL, as far as it is known."""
    texts = [text.removeprefix("pypi::") for text in found.requested() if text.startswith("pypi::")]
    return frozenset(text.partition(" @ ")[0].partition("[")[0] for text in texts if " @ " in text)


def _write(path: Path, data: bytes, *, force: bool) -> None:
    """Write a file whole or not at all; one that is there and has other content is kept unless it may go.

    Raises:
        FatalError: It is there, or cannot be written.
    """
    try:
        if force:
            write_atomic(path, data)
        elif not create_exclusive(path, data) and (not path.is_file() or path.read_bytes() != data):
            raise FatalError(f"`{path}` is there already", "replace it with `--force`, or name another file")
    except OSError as error:
        raise FatalError(f"`{path}` cannot be written: {os.strerror(error.errno or 0)}") from error
