"""Who needs whom in a lock, and in which words: conda packages, PyPI packages, and across."""

from __future__ import annotations

from envtag.dependencies.graph import Edge, Graph, chains
from envtag.dependencies.reading import graph_of

__all__ = ["Edge", "Graph", "chains", "graph_of"]
