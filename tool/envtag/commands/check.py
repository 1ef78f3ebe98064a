"""`envtag check`: whether a change may be merged."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from envtag import __version__, checking, findings
from envtag.settings import check_store
from envtag.store import open_store

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.findings import Finding
    from envtag.output import Output
    from envtag.registry import Registry

FORMATS = ("text", "github", "sarif", "json")


def check(
    *,
    base: str,
    whole: bool,
    strict: bool,
    shape: str,
    registry: Registry,
    store: str,
    config: Config,
    output: Output,
    now: int | None = None,
) -> int:
    """Print what is wrong with a change.

    Args:
        base: The revision that it is to be merged into; empty for the default branch.
        whole: Check every environment.
        strict: Let warnings fail too.
        shape: One of `FORMATS`.
        registry: The registry, with a work tree.
        store: URL of the store whose replicas are compared; empty for none.
        config: The client's settings.
        output: Where it is told.
        now: Milliseconds since 1970; the clock's if None.

    Returns:
        1 where there is an error, or with `strict` a warning; 0 otherwise.

    Raises:
        FatalError: There is no work tree, or nothing to compare it with.
    """
    moment = int(time.time() * 1000) if now is None else now
    opened = open_store(check_store(store)) if store else None
    found = checking.check(registry, base=base, whole=whole, store=opened, config=config, now=moment)
    output.data(_RENDERERS[shape](found, strict))
    return 1 if findings.fails(found, strict=strict) else 0


def _text(found: tuple[Finding, ...], _: bool) -> str:
    from envtag.findings import terminal

    return terminal.render(found)


def _github(found: tuple[Finding, ...], _: bool) -> str:
    from envtag.findings import github

    return github.render(found)


def _sarif(found: tuple[Finding, ...], _: bool) -> str:
    from envtag.findings import sarif

    return sarif.render(found, checking.RULES, version=__version__)


def _json(found: tuple[Finding, ...], strict: bool) -> str:
    from envtag.findings import document

    return document.render(found, strict=strict)


_RENDERERS: dict[str, Callable[[tuple[Finding, ...], bool], str]] = {
    "text": _text, "github": _github, "sarif": _sarif, "json": _json,
}  # fmt: skip
