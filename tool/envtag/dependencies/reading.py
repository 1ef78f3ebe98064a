"""A lock and what it was asked for by, made a graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from envtag.dependencies.graph import Edge, Graph, Key
from envtag.dependencies.requires import required

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.lock import Lock
    from envtag.package import Package


def graph_of(lock: Lock, requested: Sequence[str], *, config: Config, offline: bool) -> Graph:
    """The graph of a lock.

    conda packages state what they need in the lock. Of PyPI packages the lock has names; the texts are read from their
    metadata where that can be had, and with it what they need of the PyPI packages that conda packages bring.

    Args:
        lock: A lock.
        requested: What its spec asks for, as `Found.requested` tells it; empty where that is not known.
        config: The client's settings.
        offline: Do not ask an index.
    """
    packages = {package.key: package for package in lock.packages}
    pypi = lock.by_manager("pypi")
    texts = required(pypi, mirrors=config.mirrors, directories=config.directories, offline=offline)
    brought = _brought(lock, config, offline=offline) if pypi and lock.by_manager("conda") else {}
    needs = {package.key: _conda_needs(package, packages) for package in lock.by_manager("conda")}
    for package in pypi:
        needs[package.key] = _pypi_needs(package, packages, texts.get(package.sha256), brought, lock)
    roots = tuple(_roots(requested, packages, brought))
    return Graph(
        packages=packages,
        roots=(*roots, *_unasked(roots, needs, packages, lock.base)),
        needs=needs,
        unknown=sum(package.sha256 not in texts for package in pypi),
    )


def _brought(lock: Lock, config: Config, *, offline: bool) -> dict[str, Key]:
    """Name of a PyPI package to the conda package that brings it; what is looked into, and so far as it can be."""
    from envtag.dists import known_dists, provided_dists
    from envtag.errors import FatalError

    packages = lock.by_manager("conda")
    if not offline:
        with suppress(FatalError):  # out of reach: what this machine knows is told
            provided_dists(packages, mirrors=config.mirrors, directories=config.directories, store=None)
    found = ((package, known_dists(package, config.directories)) for package in packages)
    return {name: package.key for package, dists in found for name, _ in dists or ()}


def _conda_needs(package: Package, packages: Mapping[Key, Package]) -> tuple[Edge, ...]:
    edges = (Edge(to=("conda", text.split()[0]), text=text) for text in package.depends)
    return _in_order(edge for edge in edges if edge.to in packages and edge.to != package.key)


def _pypi_needs(
    package: Package,
    packages: Mapping[Key, Package],
    texts: Sequence[str] | None,
    brought: Mapping[str, Key],
    lock: Lock,
) -> tuple[Edge, ...]:
    named = {("pypi", name): name for name in package.depends}
    found: dict[Key, str] = {}
    for name, text in _applying(texts or (), lock):
        key = ("pypi", name) if ("pypi", name) in packages else brought.get(name)
        if key is None or key == package.key:
            continue
        if key not in found or len(text) > len(found[key]):
            found[key] = text
    return _in_order(Edge(to=key, text=text) for key, text in {**named, **found}.items() if key in packages)


def _applying(texts: Sequence[str], lock: Lock) -> Iterator[tuple[str, str]]:
    """Name and text, without its marker, of the requirements that hold here; those of extras too, if locked."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    from envtag.wheels import marker_environment

    exact = next((item.version for item in lock.packages if item.key == ("conda", "python")), lock.python)
    environment = dict(marker_environment(lock.platform, exact or lock.python)) if exact else {}
    for text in texts:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:  # metadata of before PEP 508
            continue
        marker = requirement.marker
        if marker is not None and environment and "extra" not in str(marker) and not marker.evaluate(environment):
            continue
        requirement.marker = None
        yield canonicalize_name(requirement.name), str(requirement)


def _roots(requested: Sequence[str], packages: Mapping[Key, Package], brought: Mapping[str, Key]) -> Iterator[Edge]:
    from envtag.request import Origin
    from envtag.spec import parse_conda, parse_requirement

    nowhere = Origin(file="spec")
    for item in requested:
        manager, sign, text = item.partition("::")
        if not sign:
            name = item.split()[0].lower()
            key: Key | None = ("conda", name)
            text = item
        elif manager == "conda":
            key = ("conda", parse_conda(text, nowhere).name)
        else:
            name = parse_requirement(text, nowhere).name
            key = ("pypi", name) if ("pypi", name) in packages else brought.get(name)
        if key is not None and key in packages:
            yield Edge(to=key, text=text)


def _unasked(
    roots: Sequence[Edge], needs: Mapping[Key, tuple[Edge, ...]], packages: Mapping[Key, Package], base: str
) -> Iterator[Edge]:
    """What no root leads to: a base's own roots, or what there is for a reason that the lock does not hold."""
    seen: set[Key] = set()
    waiting = [root.to for root in roots]
    used = {edge.to for edges in needs.values() for edge in edges}
    text = f"of base {base}" if base else "for a reason that is not in the lock"
    for key in (*sorted(key for key in packages if key not in used), *sorted(packages)):
        seen |= _reached(waiting, needs, seen)
        waiting = []
        if key not in seen:
            yield Edge(to=key, text=text)
            waiting = [key]


def _reached(starts: Sequence[Key], needs: Mapping[Key, tuple[Edge, ...]], seen: set[Key]) -> set[Key]:
    found: set[Key] = set()
    waiting = list(starts)
    while waiting:
        key = waiting.pop()
        if key not in found and key not in seen:
            found.add(key)
            waiting += [edge.to for edge in needs.get(key, ())]
    return found


def _in_order(edges: Iterator[Edge]) -> tuple[Edge, ...]:
    return tuple(sorted(dict.fromkeys(edges), key=lambda edge: (edge.to[1], edge.text)))
