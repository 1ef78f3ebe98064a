"""`envtag why`: by whom a package of an environment is needed, in which words."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from envtag.dependencies import Edge, Graph, chains, graph_of
from envtag.errors import FatalError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envtag.config import Config
    from envtag.dependencies.graph import Key
    from envtag.lookup import Found
    from envtag.output import Output

_SHOWN = 20


def why(
    found: Found, package: str, *, platform: str, offline: bool, as_json: bool, config: Config, output: Output
) -> int:
    """Print every shortest chain of requirements from what is asked for to a package.

    Args:
        found: The environment.
        package: The package's name, `conda:` or `pypi:` before it where both worlds have one.
        platform: The platform.
        offline: Do not ask an index for requirements of PyPI packages.
        as_json: Print the chains as JSON.
        config: The client's settings.
        output: Where it is told.

    Returns:
        0; 1 where the environment does not have the package.

    Raises:
        FatalError: It is not locked for the platform.
    """
    graph = graph_of(found.lock(platform), found.requested(platform), config=config, offline=offline)
    targets = _targets(graph, package)
    if not targets:
        names = sorted({name for _, name in graph.packages})
        close = difflib.get_close_matches(package.lower(), names, 3, 0.7)
        meant = f"did you mean {' or '.join(f'`{name}`' for name in close)}?" if close else ""
        raise FatalError(f"`{found.alias}` has no `{package}` on `{platform}`", meant)
    ways = {target: chains(graph, target) for target in targets}
    if as_json:
        output.json(_document(found, platform, graph, ways))
        return 0
    for target, chosen in ways.items():
        output.data(f"{_named(graph, target)} on {platform}:")
        for way in chosen[:_SHOWN]:
            output.data("  " + " → ".join(_step(graph, edge) for edge in way))
        if len(chosen) > _SHOWN:
            output.data(f"  and {len(chosen) - _SHOWN} more (`--json` prints them)")
    if graph.unknown:
        output.say(f"of {graph.unknown} PyPI packages the requirements are known by name only")
    return 0


def _targets(graph: Graph, package: str) -> list[Key]:
    from packaging.utils import canonicalize_name

    world, sign, name = package.partition(":")
    if not sign:
        world, name = "", package
    keys: list[Key] = [("conda", name.lower()), ("pypi", canonicalize_name(name))]
    return [key for key in keys if key in graph.packages and world in ("", key[0])]


def _named(graph: Graph, key: Key) -> str:
    return f"{key[1]} {graph.packages[key].version} ({key[0]})"


def _step(graph: Graph, edge: Edge) -> str:
    return f"{edge.to[1]} {graph.packages[edge.to].version} [{edge.text}]"


def _document(found: Found, platform: str, graph: Graph, ways: dict[Key, list[tuple[Edge, ...]]]) -> dict[str, Any]:
    return {
        "alias": str(found.alias),
        "platform": platform,
        "packages": [
            {
                "manager": target[0],
                "name": target[1],
                "version": graph.packages[target].version,
                "chains": [_chain(graph, way) for way in chosen],
            }
            for target, chosen in ways.items()
        ],
        "names_only": graph.unknown,
    }


def _chain(graph: Graph, way: Sequence[Edge]) -> list[dict[str, str]]:
    return [
        {
            "manager": edge.to[0],
            "name": edge.to[1],
            "version": graph.packages[edge.to].version,
            "requirement": edge.text,
        }
        for edge in way
    ]
