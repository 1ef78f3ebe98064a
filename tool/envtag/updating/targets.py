"""What `envtag update` is told to update: `PKG` or `PKG` with a version, found in the locks of an environment."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.util.text import shown

if TYPE_CHECKING:
    from envtag.lock import Lock
    from envtag.updating.model import Key

_TARGET = re.compile(
    r"\s*(?:(?P<manager>conda|pypi):)?(?P<name>[A-Za-z0-9_][\w.-]*?)\s*(?P<versions>(?:[<>=!~]|\d).*)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One package that is to be updated.

    Attributes:
        text: As it was written.
        name: Its name as it was written.
        manager: Its world, empty for whichever has it.
        versions: The constraint that it is to have from now on, empty for none.
    """

    text: str
    name: str
    manager: str = ""
    versions: str = ""

    def key(self, manager: str) -> Key:
        """What the package would be known by in one world."""
        if manager == "conda":
            return (manager, self.name.lower())
        return (manager, re.sub(r"[-_.]+", "-", self.name).lower())

    def keys(self, lock: Lock) -> list[Key]:
        """What it is in a lock: a conda package, a PyPI package, or both."""
        there = {package.key for package in lock.packages}
        worlds = [self.manager] if self.manager else ["conda", "pypi"]
        return [key for key in map(self.key, worlds) if key in there]


def parse_target(text: str) -> Target:
    """Read `PKG`, `PKG>=2`, `PKG=1.2`, or `conda:PKG` and `pypi:PKG` where two worlds have one name.

    Raises:
        FatalError: It is none of these.
    """
    found = _TARGET.fullmatch(text.strip())
    if found is None:
        raise FatalError(
            f"{shown(text)} is not a package to update", 'for example `numpy`, or `"numpy>=2"` to change the spec'
        )
    versions = (found["versions"] or "").strip()
    return Target(text=text.strip(), name=found["name"], manager=found["manager"] or "", versions=versions)


def check_pypi_versions(target: Target) -> None:
    """Refuse a version that is written as conda has it, or as nobody has it, where PyPI is asked.

    Raises:
        FatalError: It is such a one.
    """
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        SpecifierSet(target.versions)
    except InvalidSpecifier as error:
        raise FatalError(
            f"{shown(target.text)}: `{target.versions}` is not a version that a PyPI package can be asked for with",
            f"for example `{target.name}=={target.versions.lstrip('=<>!~ ')}`",
        ) from error


def unknown(target: Target, name: str, locks: Iterable[Lock], bases: Sequence[Lock] = ()) -> FatalError:
    """The error for a package that no lock of an environment has, or that its base has."""
    for base in bases:
        if target.keys(base):
            return FatalError(
                f"`{target.name}` is of the environment that `{name}` extends, which is kept exactly",
                "update that one, then extend its next release",
            )
    known = sorted({package.name for lock in locks for package in lock.packages})
    close = difflib.get_close_matches(target.name.lower(), known, 3, 0.7)
    meant = f"did you mean {' or '.join(f'`{item}`' for item in close)}? " if close else ""
    return FatalError(
        f"no lock of `{name}` has `{target.name}`",
        f"{meant}a new package goes into the spec: add it there, then `envtag update {name}`",
    )
