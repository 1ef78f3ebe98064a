"""Which packages are other ones now, and what forced each to move that nobody asked to move."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from envtag.request import CondaRequirement, Request, is_for
from envtag.updating.model import Goal, Key, Move, Outcome

if TYPE_CHECKING:
    from envtag.errors import UnsolvableError
    from envtag.lock import Lock
    from envtag.package import Package

_REQUIRES = re.compile(r"(?P<who>[A-Za-z0-9][\w.-]*)(?P<version>[<>=!~][^\s]*)? (?:depends on|requires) (?P<what>\S+)")
_LINES = 6
_SHOWN = 3


def moves_of(before: Lock, outcome: Outcome, goal: Goal, request: Request) -> tuple[Move, ...]:
    """What is different in a new lock: what was asked for first, then what that forced, then what came and went.

    Args:
        before: The lock as it was.
        outcome: What a search came to.
        goal: What it was to come to.
        request: What is asked for.
    """
    old = {package.key: package for package in before.packages}
    new = {package.key: package for package in outcome.lock.packages}
    moves = []
    for key in sorted({*old, *new}):
        was, now = old.get(key), new.get(key)
        if was is not None and now is not None:
            if was.sha256 == now.sha256:
                continue
            asked = goal.everything or key in goal.free
            reason = "" if asked else _reason(was, outcome.lock, request, outcome.refusals.get(key))
            moves.append(Move(key=key, kind="asked" if asked else "forced", before=was, after=now, reason=reason))
        elif now is not None:
            reason = _listed(_needing(key, outcome.lock)) or "the spec asks for it"
            moves.append(Move(key=key, kind="added", before=None, after=now, reason=reason))
        else:
            moves.append(Move(key=key, kind="removed", before=was, after=None, reason="nothing needs it any more"))
    order = {"asked": 0, "forced": 1, "added": 2, "removed": 3}
    return tuple(sorted(moves, key=lambda move: (order[move.kind], move.key)))


def _reason(was: Package, lock: Lock, request: Request, refusal: UnsolvableError | None) -> str:
    """What of a lock does not go with a package as it was: requirements of packages, else the solver's words."""
    found = [*(_conda_reasons(was, lock, request) if was.manager == "conda" else _pypi_reasons(was, lock, request))]
    if not found and refusal is not None:
        found = list(_told(was, refusal.detail, {package.name: package for package in lock.packages}))
    if found:
        texts = list(dict.fromkeys(found))
        more = f", and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
        return f"{'; '.join(texts[:_SHOWN])}{more}"
    if refusal is None:
        return "it moved with what was asked for, and was not tried alone"
    lines = [line.strip() for line in (refusal.detail or refusal.message).splitlines() if line.strip()]
    return " ".join(lines[:_LINES])


def _conda_reasons(was: Package, lock: Lock, request: Request) -> Iterator[str]:
    from rattler import MatchSpec

    from envtag.engines.rattler_records import record_of
    from envtag.urls import Mirrors

    record = record_of(was, Mirrors(), None)
    for item in request.conda:
        if item.name == was.name and is_for(item, lock.platform):
            text = CondaRequirement(name=item.name, version=item.version, build=item.build).match_spec()
            if not MatchSpec(text, strict=False).matches(record):
                yield f"{item.origin} asks for `{item.match_spec()}`"
    for package in lock.by_manager("conda"):
        for text in package.depends:
            if text.split()[0] == was.name and not MatchSpec(text, strict=False).matches(record):
                yield f"`{package.name} {package.version}` needs `{text}`"
    now = {package.name: package for package in lock.by_manager("conda")}
    for text in was.depends:
        needed = now.get(text.split()[0])
        if needed is not None and not MatchSpec(text, strict=False).matches(record_of(needed, Mirrors(), None)):
            yield f"`{was.name} {was.version}` needs `{text}`, and that is {needed.version} now"


def _pypi_reasons(was: Package, lock: Lock, request: Request) -> Iterator[str]:
    from packaging.requirements import Requirement

    for item in request.pypi:
        if item.name == was.name and is_for(item, lock.platform):
            wanted = Requirement(item.text)
            if not wanted.specifier.contains(was.version, prereleases=True):
                yield f"{item.origin} asks for `{item.text}`"


def _told(was: Package, detail: str, packages: Mapping[str, Package]) -> Iterator[str]:
    """The requirements that uv's explanation names: those of packages that are locked now come first."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    asked: list[str] = []
    for match in _REQUIRES.finditer(detail):
        try:
            wanted = Requirement(match["what"].rstrip(",.;"))
        except InvalidRequirement:
            continue
        name = canonicalize_name(wanted.name)
        needed = packages.get(name)
        if canonicalize_name(match["who"]) == was.name and needed is not None:
            if not wanted.specifier.contains(needed.version, prereleases=True):
                yield f"`{was.name} {was.version}` needs `{wanted}`, and that is {needed.version} now"
            continue
        if name != was.name or wanted.specifier.contains(was.version, prereleases=True):
            continue
        who = packages.get(canonicalize_name(match["who"]))
        if who is not None:
            yield f"`{who.name} {who.version}` needs `{wanted}`"
        elif match["who"] == "you":
            asked.append(f"the spec asks for `{wanted}`")
    yield from asked


def _needing(key: Key, lock: Lock) -> list[Package]:
    """The packages of one world that name another one as theirs."""
    manager, name = key
    return [
        package
        for package in lock.by_manager(manager)
        if any(text.split()[0] == name for text in package.depends) and package.name != name
    ]


def _listed(packages: Iterable[Package], limit: int = 3) -> str:
    names = [f"`{package.name} {package.version}`" for package in packages]
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return f"{', '.join(names[:limit])}{more} {'needs' if len(names) == 1 else 'need'} it" if names else ""
