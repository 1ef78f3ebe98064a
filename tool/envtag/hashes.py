"""Hashes that requirements state: which files a solver may choose, and whether an answer keeps to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from envtag.errors import FatalError
from envtag.wheels import marker_environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from envtag.package import Package
    from envtag.request import PypiOptions, PypiRequirement


def stated_hashes(requirements: Iterable[PypiRequirement], platform: str, python: str) -> dict[str, frozenset[str]]:
    """Name to the SHA-256 (64 hex digits) that its file may have; names without stated hashes are left out.

    Where two requirements state hashes of one name, only what both state is left.

    Args:
        requirements: Constraints among them; one whose marker does not hold states nothing.
        platform: One of `platforms.PLATFORMS`.
        python: `3.11` or `3.11.7`.
    """
    from packaging.requirements import Requirement

    found: dict[str, frozenset[str]] = {}
    for item in requirements:
        if not item.hashes:
            continue
        marker = Requirement(item.text).marker
        if marker is not None and not marker.evaluate({**marker_environment(platform, python), "extra": ""}):
            continue
        digests = frozenset(value.partition(":")[2] for value in item.hashes)
        found[item.name] = found.get(item.name, digests) & digests
    return found


class Asked(Protocol):
    """What is needed of a problem to know which hashes it states."""

    @property
    def platform(self) -> str:
        """One of `platforms.PLATFORMS`."""
        ...

    @property
    def python(self) -> str:
        """`3.11` or `3.11.7`."""
        ...

    @property
    def requirements(self) -> tuple[PypiRequirement, ...]:
        """Constraints among them."""
        ...

    @property
    def options(self) -> PypiOptions:
        """Whether hashes are required though none is stated."""
        ...


def check_stated(packages: Iterable[Package], problem: Asked) -> None:
    """Hold a solution to the hashes that requirements state: all of its packages, or none where none is stated.

    Args:
        packages: What was chosen, but for what a base has.
        problem: What they are the answer to.

    Raises:
        FatalError: A package has no stated hash, or another one; names it.
    """
    platform = problem.platform
    stated = stated_hashes(problem.requirements, platform, problem.python)
    if not stated and not problem.options.require_hashes:
        return
    for package in packages:
        if package.name not in stated:
            raise FatalError(
                f"`{package}` is needed on `{platform}`, and no requirement states its hash",
                f"add `{package.name}=={package.version} --hash=sha256:{package.sha256}`, or remove all hashes",
            )
        if package.sha256 not in stated[package.name]:
            raise wrong_hash(f"{package.name} {package.version}", platform, {package.filename: package.sha256})


def wrong_hash(what: str, platform: str, offered: Mapping[str, str]) -> FatalError:
    """The error for a package none of whose files has a hash that is stated.

    Args:
        what: Name and version.
        platform: Where it is for.
        offered: File name to the SHA-256 of what is offered.
    """
    listed = "\n".join(f"{name} --hash=sha256:{digest}" for name, digest in sorted(offered.items())[:20])
    return FatalError(
        f"no file of `{what}` for `{platform}` has a hash that its requirement states",
        "what is offered is not what the hashes were made of, or they lack this platform's file",
        f"offered:\n{listed}",
    )
