"""Solvers, one module each, behind a Protocol a world and one literal dict a world; and what they are given.

A problem is for one platform, with nothing left to look up on the machine.
"""

from __future__ import annotations

import importlib
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from envtag.credentials import Credentials
from envtag.errors import FatalError, UnsolvableError
from envtag.request import PypiOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
    from pathlib import Path

    from envtag.package import Package
    from envtag.request import CondaRequirement, PypiRequirement
    from envtag.urls import Mirrors

__all__ = [
    "CONDA_ENGINES",
    "PYPI_ENGINES",
    "CondaEngine",
    "CondaProblem",
    "Dist",
    "ExtrasWantedError",
    "PypiEngine",
    "PypiProblem",
    "conda_engine",
    "one_view",
    "pypi_engine",
    "shared",
]

#: Engine to the module that is it; a module is imported when it is first asked for.
CONDA_ENGINES: Mapping[str, str] = {"rattler": "envtag.engines.rattler", "conda-lock": "envtag.engines.conda_lock"}
PYPI_ENGINES: Mapping[str, str] = {"uv": "envtag.engines.uv", "pip-tools": "envtag.engines.pip_tools"}
_Value = TypeVar("_Value")
_VIEW: ContextVar[dict[Any, Any] | None] = ContextVar("view", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dist:
    """A PyPI distribution that a conda package brings.

    Attributes:
        name: Normalized name (PEP 503).
        version: As the package's `.dist-info` states it.
        by: The conda package, as people read it (`numpy 1.26.4 py311h64a7726_0`).
        extras: Normalized names of its extras; None where nobody has looked.
        requires: Its requirements (PEP 508) that are of an extra.
    """

    name: str
    version: str
    by: str
    extras: tuple[str, ...] | None = None
    requires: tuple[str, ...] = ()


class ExtrasWantedError(FatalError):
    """Extras of provided dists are asked for, and what they need is not known.

    Args:
        names: The dists.
    """

    def __init__(self, names: Collection[str]) -> None:
        listed = ", ".join(f"`{name}`" for name in sorted(names))
        super().__init__(
            f"extras of {listed} are asked for, which conda brings", "ask for what they need by name, without the extra"
        )
        self.names = frozenset(names)


@dataclass(frozen=True, slots=True, kw_only=True)
class CondaProblem:
    """A request for conda packages on one platform.

    Attributes:
        platform: One of `platforms.PLATFORMS`, or a variant of one.
        channels: Canonical URLs, in order of priority (strict).
        requirements: Those that are for this platform.
        constraints: Match specs that bound a package where it is needed, and do not ask for it.
        virtual_packages: Name to `VERSION` or `VERSION BUILD`; no others are seen.
        exclude_newer: `YYYY-MM-DDTHH:MM:SSZ`, empty for no cutoff. A package without a timestamp
            counts as older; pinned packages are kept whatever their age.
        pinned: Packages of a base, closed under dependency: in the answer each is there, byte for byte.
        kept: Packages that need not be there: where the answer has one of their names, it is this one, byte for byte.
        preferred: Packages that are taken where they go with everything else.
        exempt: Names of packages that the cutoff is not for; it is for no package that is kept.
        credentials: Who the client is at private hosts; no part of the problem.
    """

    platform: str
    channels: tuple[str, ...]
    requirements: tuple[CondaRequirement, ...]
    constraints: tuple[str, ...] = ()
    virtual_packages: Mapping[str, str] = field(default_factory=dict)
    exclude_newer: str = ""
    pinned: tuple[Package, ...] = ()
    kept: tuple[Package, ...] = ()
    preferred: tuple[Package, ...] = ()
    exempt: frozenset[str] = frozenset()
    credentials: Credentials = field(default_factory=Credentials, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PypiProblem:
    """A request for PyPI packages on one platform.

    Attributes:
        platform: One of `platforms.PLATFORMS`, or a variant of one.
        python: Minor version (`3.11`).
        requirements: Those that are for this platform, constraints among them.
        index_url: Canonical URL of the index that is asked last, empty for the engine's default one.
        extra_index_urls: Canonical URLs of the indices asked before it, in order; the first that has a package decides.
        virtual_packages: Name to `VERSION` or `VERSION BUILD`: what wheels may count on.
        exclude_newer: `YYYY-MM-DDTHH:MM:SSZ`, empty for no cutoff.
        provided: Dists that conda packages bring: at exactly these versions, and never from an index.
        pinned: PyPI packages of a base, closed under dependency: in the answer each is there, byte for byte.
        kept: Packages that need not be there: where the answer has one of their names, it is this one, byte for byte.
        preferred: Packages that are taken where they go with everything else.
        options: How packages are found and chosen beside the indices.
        credentials: Who the client is at private hosts; no part of the problem.
        exempt: Names of packages that the cutoff is not for; it is for no package that is kept.
    """

    platform: str
    python: str
    requirements: tuple[PypiRequirement, ...]
    index_url: str = ""
    extra_index_urls: tuple[str, ...] = ()
    virtual_packages: Mapping[str, str] = field(default_factory=dict)
    exclude_newer: str = ""
    provided: tuple[Dist, ...] = ()
    pinned: tuple[Package, ...] = ()
    kept: tuple[Package, ...] = ()
    preferred: tuple[Package, ...] = ()
    options: PypiOptions = field(default=PypiOptions())
    credentials: Credentials = field(default_factory=Credentials, compare=False)
    exempt: frozenset[str] = frozenset()


class CondaEngine(Protocol):
    """What a module that solves conda requirements offers."""

    def missing(self) -> str | None:
        """What this machine lacks for the engine and how to get it, in one line; None where it can run."""
        ...

    def cannot(self, platform: str) -> str | None:
        """Why it cannot solve for a platform on this machine, in one line; None where it can."""
        ...

    def solve_all(
        self,
        problems: Sequence[CondaProblem],
        *,
        mirrors: Mirrors,
        repodata_cache: Path,
        on_done: Callable[[str], None],
        program: str = "",
    ) -> list[tuple[Package, ...] | UnsolvableError]:
        """Solve problems side by side.

        Args:
            problems: One a platform.
            mirrors: Where channels are really fetched from; package URLs in the answers are canonical.
            repodata_cache: Directory for repodata.
            on_done: Called with a platform when it is solved, or proved to have no solution.
            program: The conda-compatible program that it solves with, for an engine that has one: a name, a path,
                `envtag` for envtag's own; empty for what is found.

        Returns:
            For each problem, in order: its packages by name, or why there is no solution.

        Raises:
            LoginError: A channel's host demands a login that the problem's credentials are without.
            FatalError: A requirement is malformed, a channel cannot be read, or a package has no hashes.
        """
        ...


class PypiEngine(Protocol):
    """What a module that solves PyPI requirements offers."""

    def missing(self) -> str | None:
        """What this machine lacks for the engine and how to get it, in one line; None where it can run."""
        ...

    def cannot(self, platform: str) -> str | None:
        """Why it cannot solve for a platform on this machine, in one line; None where it can."""
        ...

    def solve(self, problem: PypiProblem, *, mirrors: Mirrors, cache: Path) -> tuple[Package, ...]:
        """Solve one problem; safe to call from several threads.

        Args:
            problem: For one platform.
            mirrors: Where indices are really fetched from; package URLs in the answer are canonical.
            cache: Directory that the engine may keep things in.

        Returns:
            The packages by name: one wheel each, or one sdist where no wheel fits; never a provided dist. One that is
            a git commit has no hash yet: `git_source.locked` gives it.

        Raises:
            UnsolvableError: There is no solution; `detail` is the engine's explanation.
            LoginError: A host demands a login that the problem's credentials are without.
            ExtrasWantedError: An extra of a provided dist is asked for, and `Dist.extras` is None.
            FatalError: An index cannot be read, or a package has no usable file or no hash.
        """
        ...


@contextmanager
def one_view() -> Iterator[None]:
    """While the block runs, this thread's solves read each channel once and see the same records of it."""
    token = _VIEW.set({})
    try:
        yield
    finally:
        _VIEW.reset(token)


def shared(key: Hashable, make: Callable[[], _Value]) -> _Value:
    """What an engine keeps for the solves of one view; made anew outside of one."""
    view = _VIEW.get()
    if view is None:
        return make()
    if key not in view:
        view[key] = make()
    return cast("_Value", view[key])


def conda_engine(name: str = "rattler") -> CondaEngine:
    """The engine of a name for conda requirements.

    Raises:
        FatalError: There is none of that name.
    """
    return cast("CondaEngine", _load(CONDA_ENGINES, name))


def pypi_engine(name: str = "uv") -> PypiEngine:
    """The engine of a name for PyPI requirements.

    Raises:
        FatalError: There is none of that name.
    """
    return cast("PypiEngine", _load(PYPI_ENGINES, name))


def _load(engines: Mapping[str, str], name: str) -> object:
    if name not in engines:
        known = ", ".join(f"`{engine}`" for engine in sorted(engines))
        raise FatalError(f"`{name}` is not an engine that envtag knows", f"one of {known}")
    return importlib.import_module(engines[name])
