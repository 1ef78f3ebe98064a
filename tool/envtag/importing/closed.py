"""Whether a set of packages is whole: each has what it needs, as far as what is known of them says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from envtag.util.text import shown

if TYPE_CHECKING:
    from envtag.package import Package


class Gap(NamedTuple):
    """Something that a package needs.

    Attributes:
        package: Who needs it.
        need: What, as it states it.
        found: What is there under this name, empty for nothing.
    """

    package: Package
    need: str
    found: str

    def __str__(self) -> str:
        return f"`{self.package.name} {self.package.version}` needs {shown(self.need)}" + (
            f", and {self.found} is there" if self.found else ", which is not there"
        )


def gaps(packages: Sequence[Package], provided: Mapping[str, str]) -> list[Gap]:
    """What packages need and do not have, those that are missing before those of another version.

    Args:
        packages: Of one platform.
        provided: PyPI dists that conda packages bring, by name, with their versions.
    """
    conda = {package.name: package for package in packages if package.manager == "conda"}
    pypi = {package.name for package in packages if package.manager == "pypi"}
    found = [gap for package in conda.values() for gap in _conda_gaps(package, conda)]
    for package in packages:
        if package.manager == "pypi":
            missing = [name for name in package.depends if name not in pypi and name not in provided]
            found.extend(Gap(package, name, "") for name in missing)
    return sorted(found, key=lambda gap: (bool(gap.found), gap.package.key, gap.need))


def _conda_gaps(package: Package, conda: Mapping[str, Package]) -> list[Gap]:
    gaps = []
    for need in package.depends:
        name, _, constraint = need.strip().partition(" ")
        name = name.rpartition("::")[2]
        if name.startswith("__"):
            continue
        if name not in conda:
            gaps.append(Gap(package, need, ""))
        elif constraint and not fits(conda[name], constraint):
            gaps.append(Gap(package, need, f"`{conda[name]}`"))
    return gaps


def fits(package: Package, constraint: str) -> bool:
    """Whether a package is what a match spec asks for; one that rattler cannot read is no reason to refuse."""
    from rattler import BuildString, MatchSpec, PackageRecord
    from rattler.exceptions import InvalidMatchSpecError

    try:
        spec: Any = MatchSpec(f"{package.name} {constraint}", strict=False)
    except InvalidMatchSpecError:
        return True
    record = PackageRecord(package.name, package.version, BuildString(package.build), 0, package.subdir)
    return bool(spec.matches(record))
