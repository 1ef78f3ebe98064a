"""The commands that are run most often, as calls: what each does once its words are understood, without click."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envtag.cli.session import Session


def show(session: Session, *, references: Sequence[str], platform: str, as_json: bool) -> int:
    """`envtag show`; returns its exit code."""
    from envtag.commands.show import show as verb

    found = [session.find(reference) for reference in references]
    return verb(found, platform=platform, as_json=as_json, config=session.config, output=session.output)


def create(
    session: Session, *, reference: str, prefix: Path | None, name: str, force: bool, offline: bool, platform: str = ""
) -> int:
    """`envtag create`; returns its exit code."""
    from envtag.commands.create import create as verb

    session.offline = offline
    return verb(
        session.find(reference),
        prefix=prefix,
        name=name,
        force=force,
        offline=offline,
        open_store=lambda: session.store,
        config=session.config,
        output=session.output,
        platform=platform,
    )


def run(session: Session, *, reference: str, words: Sequence[str], offline: bool, platform: str = "") -> int:
    """`envtag run`, or `envtag shell` without words; returns its exit code."""
    from envtag.commands.run import run as verb

    session.offline = offline
    return verb(
        session.find(reference),
        words,
        offline=offline,
        open_store=lambda: session.store,
        config=session.config,
        output=session.output,
        platform=platform,
    )


def unpack(session: Session, *, file: Path, prefix: Path | None, force: bool, expect: str) -> int:
    """`envtag unpack`; returns its exit code."""
    from envtag.commands.unpack import unpack as verb

    return verb(file, prefix=prefix, force=force, expect=expect, config=session.config, output=session.output)
