"""Which engine solves which world: the names, the defaults, and what of them an environment may choose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal

from envtag.errors import FatalError

World = Literal["conda", "pypi"]
#: Engine to the world that it solves. What each of them is stands in `envtag.engines`.
ENGINES: Mapping[str, World] = MappingProxyType(
    {"rattler": "conda", "conda-lock": "conda", "uv": "pypi", "pip-tools": "pypi"}
)
DEFAULTS: Mapping[World, str] = MappingProxyType({"conda": "rattler", "pypi": "uv"})


def check_engines(names: Iterable[str]) -> tuple[str, ...]:
    """The engines that differ from the default ones, sorted.

    Args:
        names: At most one a world; a default one may be named.

    Raises:
        FatalError: One is not known, or two are of one world.
    """
    chosen: dict[World, str] = {}
    for name in names:
        world = ENGINES.get(name)
        if world is None:
            known = ", ".join(f"`{engine}`" for engine in ENGINES)
            raise FatalError(f"`{name}` is not an engine that envtag knows", f"one of {known}")
        before = chosen.setdefault(world, name)
        if before != name:
            kind = "conda" if world == "conda" else "PyPI"
            raise FatalError(f"`{before}` and `{name}` both solve {kind} packages", "name one engine a world")
    return tuple(sorted(name for world, name in chosen.items() if name != DEFAULTS[world]))


def changed_engines(present: Iterable[str], named: Iterable[str]) -> tuple[str, ...]:
    """The engines that differ from the default ones, after some were named in place of those of their worlds.

    Args:
        present: Those that were chosen before.
        named: At most one a world; a default one takes its world's choice back.

    Raises:
        FatalError: One is not known, or two are of one world.
    """
    wanted = tuple(named)
    check_engines(wanted)
    worlds = {ENGINES[name] for name in wanted}
    return check_engines((*wanted, *(name for name in present if ENGINES[name] not in worlds)))


def engine_of(world: World, chosen: Iterable[str]) -> str:
    """The engine of a world, where some were chosen."""
    return next((name for name in chosen if ENGINES[name] == world), DEFAULTS[world])
