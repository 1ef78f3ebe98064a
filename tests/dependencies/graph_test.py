from __future__ import annotations

from envtag.dependencies.graph import Edge, Graph, Key, chains
from envtag.package import Package


def key(name: str) -> Key:
    return ("conda", name)


def graph(roots: str, **needs: str) -> Graph:
    names = {*roots.split(), *needs, *(name for text in needs.values() for name in text.split())}
    packages = {
        key(name): Package(manager="conda", name=name, version="1", url="https://x.example/a", sha256="a" * 64)
        for name in names
    }
    edges = {
        key(name): tuple(Edge(to=key(to), text=f"{to} >=1") for to in text.split()) for name, text in needs.items()
    }
    return Graph(packages=packages, roots=tuple(Edge(to=key(name), text=name) for name in roots.split()), needs=edges)


def ways(found: Graph, target: str, limit: int = 100) -> list[str]:
    return [" ".join(edge.to[1] for edge in way) for way in chains(found, key(target), limit)]


def test_every_shortest_chain_of_each_root_is_found_the_shortest_first():
    found = graph("a b c", a="x y z", x="t", y="t", z="y", b="t", c="q")
    assert ways(found, "t") == ["b t", "a x t", "a y t"]
    assert ways(found, "t", limit=2) == ["b t", "a x t"]
    assert ways(found, "q") == ["c q"]


def test_what_is_asked_for_itself_is_a_chain_of_one():
    assert ways(graph("a t", a="t"), "t") == ["t", "a t"]


def test_circles_end():
    assert ways(graph("a", a="b", b="c t", c="a b", t="a"), "t") == ["a b t"]


def test_the_users_of_a_package_are_told_with_their_words():
    users = graph("a", a="t", b="t").users()
    assert users[key("t")] == (Edge(to=key("a"), text="t >=1"), Edge(to=key("b"), text="t >=1"))
