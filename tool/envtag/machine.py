"""This machine, as virtual packages say it: which variants of an environment fit it, and what it lacks for a lock."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from envtag.lock import Lock
    from envtag.package import Package

_MANYLINUX = re.compile(r"manylinux_2_([0-9]+)_")
_MACOS = re.compile(r"macosx_([0-9]+)_([0-9]+)_")
_LEGACY = (("manylinux1_", 5), ("manylinux2010_", 12), ("manylinux2014_", 17))
_ANCESTORS = re.compile(r"ancestors: \[([^\]]*)\]")


@lru_cache(maxsize=1)
def detected() -> Mapping[str, str]:
    """What this machine is and has: virtual package to `VERSION` or `VERSION BUILD`.

    `CONDA_OVERRIDE_CUDA`, `CONDA_OVERRIDE_GLIBC`, `CONDA_OVERRIDE_OSX` and `CONDA_OVERRIDE_ARCHSPEC` go before what is
    found (conda's own variables; set and empty means that there is none). The build of `__archspec` names the
    processor, and after blanks every older one that it can stand for.
    """
    from rattler import VirtualPackage, VirtualPackageOverrides

    found: dict[str, str] = {}
    for item in VirtualPackage.detect(VirtualPackageOverrides.from_env()):
        generic = item.into_generic()
        build = re.sub(r'^BuildString\("(.*)"\)$', r"\1", str(generic.build_string))
        name = generic.name.normalized
        older = _ANCESTORS.search(repr(item)) if name == "__archspec" else None
        words = [build] if build not in ("", "0") else []
        if older is not None:
            words += re.findall(r'"([^"]+)"', older[1])
        found[name] = " ".join([str(generic.version), *words])
    return found


def lacks(needs: Mapping[str, str], machine: Mapping[str, str]) -> list[str]:
    """What a machine lacks of what is asked of it, each in words; empty where it has all.

    Args:
        needs: Virtual package to the `VERSION` that is the oldest, or `VERSION BUILD`.
        machine: What `detected` says.
    """
    said = []
    for name, wanted in needs.items():
        version, *builds = wanted.split()
        had = machine.get(name, "").split()
        if not had:
            said.append(f"needs `{name} >={version}`, and this machine has none")
        elif _older(had[0], version):
            said.append(f"needs `{name} >={version}`, and this machine has {had[0]}")
        elif builds and name == "__archspec" and builds[0] not in had[1:]:
            said.append(f"needs `{name}` {builds[0]}, and this machine is {had[1] if had[1:] else 'another'}")
    return said


def rank(needs: Mapping[str, str]) -> tuple[object, ...]:
    """A key that is the higher the more a variant asks of a machine: of its GPU first, then of its processor."""
    from rattler import Version

    def version(name: str) -> object:
        return Version(needs[name].split()[0] if name in needs else "0")

    return version("__cuda"), needs.get("__archspec", ""), version("__glibc"), version("__osx"), len(needs)


def shortfalls(lock: Lock, machine: Mapping[str, str]) -> list[str]:
    """What a machine lacks for the packages of a lock, each in words with the first package that needs it."""
    from rattler import MatchSpec

    said = []
    for spec, package in _demands(lock).items():
        name = spec.split()[0]
        version, *builds = machine.get(name, "").split() or [""]
        has = _records(name, version, builds or ["0"]) if version else []
        if not any(MatchSpec(spec, strict=False).matches(record) for record in has):
            said.append(f"`{package}` needs `{spec}`, and this machine has {version or 'none'}")
    return said


def _records(name: str, version: str, builds: Sequence[str]) -> list[Any]:
    from rattler import BuildString, PackageRecord

    return [PackageRecord(name, version, BuildString(build), 0, "noarch") for build in builds]


def _demands(lock: Lock) -> dict[str, Package]:
    """What packages of a lock ask of a machine, as match specs, with the first that does."""
    found: dict[str, Package] = {}
    for package in lock.packages:
        if package.manager == "conda":
            for spec in package.depends:
                if spec.startswith("__"):
                    found.setdefault(spec, package)
        else:
            for spec in _of_wheel(package.filename):
                found.setdefault(spec, package)
    return found


def _of_wheel(filename: str) -> Iterator[str]:
    """What the tags of a wheel ask for: the oldest glibc or macOS of those that it names."""
    minors = [int(minor) for minor in _MANYLINUX.findall(filename)]
    minors += [minor for tag, minor in _LEGACY if tag in filename]
    if minors:
        yield f"__glibc >=2.{min(minors)}"
    versions = [(int(major), int(minor)) for major, minor in _MACOS.findall(filename)]
    if versions:
        yield "__osx >={}.{}".format(*min(versions))


def _older(one: str, other: str) -> bool:
    from rattler import Version

    return bool(Version(one) < Version(other))
