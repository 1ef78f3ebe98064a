"""An update for people and for programs: which packages moved, why, and what was held."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from envtag.updating import security
from envtag.util.text import number_of

if TYPE_CHECKING:
    from envtag.package import Package
    from envtag.updating.environment import Updated
    from envtag.updating.model import Move, Outcome

_TITLES = {"forced": "had to move along", "added": "came with it", "removed": "left"}


def text(updated: Updated) -> str:
    """What an update came to, platforms that came to the same together; nothing moved is said too."""
    return "\n".join(_lines(updated, indent="  ", mark="", name=updated.environment.name))


def markdown(updated: Updated) -> str:
    """The same as a list, for a pull request."""
    return "\n".join(_lines(updated, indent="  - ", mark="- ", name=f"**{updated.environment.name}**"))


def document(updated: Updated) -> dict[str, Any]:
    """An update as JSON has it."""
    return {
        "changed": updated.is_changed,
        "request": updated.drafted.id,
        "spec": list(updated.edited),
        "platforms": {
            platform: {
                "lock": outcome.lock.id,
                "moves": [_move(move) for move in updated.moves[platform]],
                "held": _held(updated, platform),
                "minimal": outcome.minimal,
                "not_newer": {"/".join(key): error.detail or error.message for key, error in _stuck(updated, platform)},
                "solves": outcome.solves,
                "security": security.document(updated.security[platform]) if platform in updated.security else None,
            }
            for platform, outcome in updated.outcomes.items()
        },
    }


def _lines(updated: Updated, *, indent: str, mark: str, name: str) -> Iterator[str]:
    alike: dict[tuple[str, ...], list[str]] = {}
    for platform, outcome in updated.outcomes.items():
        alike.setdefault(tuple(_of_platform(updated, platform, outcome)), []).append(platform)
    for (first, *rest), platforms in alike.items():
        yield f"{mark}{name} on {', '.join(platforms)}: {first}"
        yield from (f"{indent}{line}" for line in rest)
    if not alike:
        yield f"{mark}{name}: its locks answer its spec"
    yield from (f"{indent}{line}" for line in security.lines(updated.security))
    if updated.edited:
        yield f"{indent}edited: {', '.join(updated.edited)}"


def _of_platform(updated: Updated, platform: str, outcome: Outcome) -> Iterator[str]:
    moves = updated.moves[platform]
    asked = [move for move in moves if move.kind == "asked"]
    yield ", ".join(map(str, asked)) or ("nothing that was asked for moved" if moves else "nothing moved")
    for kind, title in _TITLES.items():
        for move in moves:
            if move.kind == kind:
                change = str(move).removesuffix(f" {kind}")
                yield f"{title}: {change}" + (f" ({move.reason})" if move.reason else "")
    for key, _ in _stuck(updated, platform):
        version = next(package.version for package in outcome.lock.packages if package.key == key)
        yield f"{key[1]} stays at {version}: nothing newer goes with what is asked for"
    if not outcome.minimal:
        yield "there may be a smaller change: the search was ended after its limit of solves"
    yield f"held: {number_of(_held(updated, platform), 'package')}"


def _held(updated: Updated, platform: str) -> int:
    moved = {move.key for move in updated.moves[platform]}
    return sum(package.key not in moved for package in updated.outcomes[platform].lock.packages)


def _stuck(updated: Updated, platform: str) -> list[tuple[tuple[str, str], Any]]:
    """What was asked for and did not move."""
    moved = {move.key for move in updated.moves[platform]}
    return [(key, error) for key, error in updated.outcomes[platform].stuck.items() if key not in moved]


def _move(move: Move) -> Mapping[str, Any]:
    return {
        "manager": move.key[0],
        "name": move.key[1],
        "kind": move.kind,
        "from": _version(move.before),
        "to": _version(move.after),
        "reason": move.reason or None,
    }


def _version(package: Package | None) -> Mapping[str, Any] | None:
    if package is None:
        return None
    return {"version": package.version, "build": package.build or None, "sha256": package.sha256}
