"""`envtag tree`: what needs what in an environment, as a tree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from envtag.dependencies import Edge, Graph, graph_of
from envtag.errors import FatalError

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.dependencies.graph import Key
    from envtag.lookup import Found
    from envtag.output import Output


def tree(
    found: Found,
    *,
    platform: str,
    depth: int | None,
    invert: str,
    offline: bool,
    as_json: bool,
    config: Config,
    output: Output,
) -> int:
    """Print an environment as a tree, from what is asked for; or a package and what needs it.

    What was printed with all below it before is marked `(*)` and not printed again.

    Args:
        found: The environment.
        platform: The platform.
        depth: How many levels below the first are shown; None for all.
        invert: The package to begin with, upward; empty for downward from what is asked for.
        offline: Do not ask an index for requirements of PyPI packages.
        as_json: Print roots and needs as JSON.
        config: The client's settings.
        output: Where it is told.

    Returns:
        0.

    Raises:
        FatalError: It is not locked for the platform, or does not have the package.
    """
    graph = graph_of(found.lock(platform), found.requested(platform), config=config, offline=offline)
    starts, below = _downward(graph) if not invert else _upward(graph, invert, f"`{found.alias}`", platform)
    if as_json:
        output.json(_document(found, platform, graph, starts, below))
        return 0
    output.data("\n".join(_lines(graph, starts, below, depth)))
    if graph.unknown:
        output.say(f"of {graph.unknown} PyPI packages the requirements are known by name only")
    return 0


def _downward(graph: Graph) -> tuple[tuple[Edge, ...], dict[Key, tuple[Edge, ...]]]:
    return graph.roots, dict(graph.needs)


def _upward(
    graph: Graph, package: str, environment: str, platform: str
) -> tuple[tuple[Edge, ...], dict[Key, tuple[Edge, ...]]]:
    from packaging.utils import canonicalize_name

    keys: list[Key] = [("conda", package.lower()), ("pypi", canonicalize_name(package))]
    starts = tuple(Edge(to=key, text="") for key in keys if key in graph.packages)
    if not starts:
        raise FatalError(f"{environment} has no `{package}` on `{platform}`", "`envtag show` lists what it has")
    return starts, graph.users()


def _lines(
    graph: Graph, starts: Sequence[Edge], below: dict[Key, tuple[Edge, ...]], depth: int | None
) -> Iterator[str]:
    seen: set[Key] = set()
    waiting: list[tuple[Edge, str, str, int]] = [(edge, "", "", 0) for edge in reversed(starts)]
    while waiting:
        edge, mark, indent, level = waiting.pop()
        key, children = edge.to, below.get(edge.to, ())
        shown = f"{mark}{key[1]} {graph.packages[key].version}" + (f" [{edge.text}]" if edge.text else "")
        if key in seen and children:
            yield f"{shown} (*)"
            continue
        yield shown
        if depth is not None and level >= depth:
            continue
        seen.add(key)
        for number, child in enumerate(reversed(children)):
            corner, bar = ("└── ", "    ") if number == 0 else ("├── ", "│   ")
            waiting.append((child, indent + corner, indent + bar, level + 1))


def _document(
    found: Found, platform: str, graph: Graph, starts: Sequence[Edge], below: dict[Key, tuple[Edge, ...]]
) -> dict[str, Any]:
    return {
        "alias": str(found.alias),
        "platform": platform,
        "roots": [_edge(edge) for edge in starts],
        "packages": [
            {
                "manager": key[0],
                "name": key[1],
                "version": package.version,
                "edges": [_edge(edge) for edge in below.get(key, ())],
            }
            for key, package in sorted(graph.packages.items())
        ],
        "names_only": graph.unknown,
    }


def _edge(edge: Edge) -> dict[str, str]:
    return {"manager": edge.to[0], "name": edge.to[1], "requirement": edge.text}
