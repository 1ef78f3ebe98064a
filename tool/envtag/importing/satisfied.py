"""Whether imported packages are what a spec asks for: then people go on editing that, and not a list of pins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from envtag.engines.python_version import minor_of, permits
from envtag.errors import FatalError
from envtag.importing.closed import fits
from envtag.urls import parse_git
from envtag.util.text import shown
from envtag.wheels import marker_environment

if TYPE_CHECKING:
    from packaging.requirements import Requirement

    from envtag.package import Package
    from envtag.request import PypiRequirement, Request

_SHOWN = 20


def check_satisfied(
    request: Request,
    packages: Mapping[str, Sequence[Package]],
    provided: Mapping[str, Mapping[str, str]],
    *,
    python: str,
) -> None:
    """Refuse packages that are not what is asked for.

    Args:
        request: What the spec asks for.
        packages: Platform to what was imported.
        provided: Platform to the PyPI dists that its conda packages bring: name to version.
        python: The minor version of a Python that is not from conda.

    Raises:
        FatalError: Something is missing, or there in another version.
    """
    wrong = [
        f"{text} on `{platform}`"
        for platform, found in packages.items()
        for text in (
            *_conda(request, platform, found),
            *_python(request, found, python),
            *_pypi(request, platform, found, provided.get(platform, {}), python),
        )
    ]
    if wrong:
        more = f"\n… and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise FatalError(
            wrong[0],
            "the spec was changed since: solve it with `envtag resolve`, or import without it",
            "\n".join(wrong[1:_SHOWN]) + more,
        )


def _conda(request: Request, platform: str, packages: Sequence[Package]) -> Iterator[str]:
    there = {package.name: package for package in packages if package.manager == "conda"}
    for item in request.conda:
        if item.platforms is not None and platform not in item.platforms:
            continue
        package = there.get(item.name)
        constraint = " ".join(part for part in (item.version or ("*" if item.build else ""), item.build) if part)
        if package is None or (constraint and not fits(package, constraint)):
            yield f"{item.origin}: {shown(item.match_spec())} is asked for, and {_there(package)}"


def _python(request: Request, packages: Sequence[Package], python: str) -> Iterator[str]:
    version = next((item.version for item in packages if item.key == ("conda", "python")), python)
    if request.python and version and not permits(request.python, minor_of(version)):
        yield f"Python {shown(request.python)} is asked for, and {version} is there"


def _pypi(
    request: Request, platform: str, packages: Sequence[Package], provided: Mapping[str, str], python: str
) -> Iterator[str]:
    from packaging.requirements import Requirement

    there = {package.name: package for package in packages if package.manager == "pypi"}
    version = next((item.version for item in packages if item.key == ("conda", "python")), python)
    environment = {**marker_environment(platform, version), "extra": ""} if version else {}
    for item in request.pypi:
        if item.platforms is not None and platform not in item.platforms:
            continue
        requirement = Requirement(item.text)
        if requirement.marker is not None and not requirement.marker.evaluate(environment):
            continue
        package = there.get(item.name)
        if not _holds(item, requirement, package, provided.get(item.name, "")):
            yield f"{item.origin}: {shown(item.text)} is asked for, and {_there(package)}"


def _holds(item: PypiRequirement, requirement: Requirement, package: Package | None, provided: str) -> bool:
    """Whether one requirement is met by a package, or by what conda brings."""
    from packaging.version import InvalidVersion

    version = package.version if package is not None else provided
    if not version:
        return item.constraint
    if requirement.url is not None and package is not None:
        git = parse_git(requirement.url)
        if git is None:
            return package.url == requirement.url.partition("#")[0]
        locked = parse_git(package.url)
        return locked is not None and locked.repository == git.repository
    try:
        return requirement.specifier.contains(version, prereleases=True)
    except InvalidVersion:  # conda's own way to write one
        return True


def _there(package: Package | None) -> str:
    return f"`{package}` is there" if package is not None else "it is not there"
