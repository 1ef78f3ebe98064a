"""The graph of a lock: roots, what each package needs, and the shortest ways from one to another."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from envtag.package import Package

#: Manager and name.
Key: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """That something is needed.

    Attributes:
        to: What is needed.
        text: The requirement's text; the bare name where it is not known.
    """

    to: Key
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A lock as a graph.

    Attributes:
        packages: Every package.
        roots: What is asked for, in order.
        needs: Package to what it needs, in order of names.
        unknown: How many PyPI packages there are whose requirements are known by name only.
    """

    packages: Mapping[Key, Package]
    roots: tuple[Edge, ...]
    needs: Mapping[Key, tuple[Edge, ...]] = field(default_factory=dict)
    unknown: int = 0

    def of(self, key: Key) -> tuple[Edge, ...]:
        """What a package needs."""
        return self.needs.get(key, ())

    def users(self) -> dict[Key, tuple[Edge, ...]]:
        """Package to the packages that need it, each with the text by which it does."""
        found: dict[Key, list[Edge]] = {}
        for key, edges in self.needs.items():
            for edge in edges:
                found.setdefault(edge.to, []).append(Edge(to=key, text=edge.text))
        return {key: tuple(sorted(edges, key=lambda edge: edge.to)) for key, edges in found.items()}


def chains(graph: Graph, target: Key, limit: int = 100) -> list[tuple[Edge, ...]]:
    """From each root, every shortest way to a package, the shortest first.

    Args:
        graph: A lock.
        target: One of its packages.
        limit: At most so many.

    Returns:
        Each way as what is asked for, what that needs, and so on to the package.
    """
    distance = _distances(graph, target)
    starts = sorted((root for root in graph.roots if root.to in distance), key=lambda root: distance[root.to])
    found: list[tuple[Edge, ...]] = []
    for root in starts:
        for way in _ways(graph, root, target, distance):
            if len(found) == limit:
                return found
            found.append(way)
    return found


def _distances(graph: Graph, target: Key) -> dict[Key, int]:
    """How many steps each package is away from needing another one."""
    users = graph.users()
    distance = {target: 0}
    waiting = deque([target])
    while waiting:
        key = waiting.popleft()
        for edge in users.get(key, ()):
            if edge.to not in distance:
                distance[edge.to] = distance[key] + 1
                waiting.append(edge.to)
    return distance


def _ways(graph: Graph, root: Edge, target: Key, distance: Mapping[Key, int]) -> Iterator[tuple[Edge, ...]]:
    open_ways: list[tuple[Edge, ...]] = [(root,)]
    while open_ways:
        way = open_ways.pop()
        here = way[-1].to
        if here == target:
            yield way
            continue
        nearer = [edge for edge in graph.of(here) if distance.get(edge.to) == distance[here] - 1]
        open_ways += [(*way, edge) for edge in reversed(nearer)]
